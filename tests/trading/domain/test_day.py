"""A day's result as a table: prices and fills count, money that came or went does not."""

from __future__ import annotations

import pytest

from trading.domain.day import Opening, Traded, day_result, strictness

HELD = {"A": Opening(10, 100), "B": Opening(5, 200)}


@pytest.mark.parametrize(
    ("traded", "prices", "result"),
    [
        ([], {"A": 100, "B": 200}, 0),
        ([], {"A": 90, "B": 210}, -50),
        ([Traded("A", -10, 950)], {"B": 200}, -50),
        ([Traded("A", -10, 990)], {"A": 50, "B": 200}, -10),
        ([Traded("C", 3, -300)], {"A": 100, "B": 200, "C": 90}, -30),
        ([Traded("C", 3, -300), Traded("C", -3, 330)], {"A": 100, "B": 200}, 30),
    ],
    ids=["still", "prices move", "sold lower", "sold before it fell", "bought", "to and fro"],
)
def test_prices_and_fills_make_the_result(
    traded: list[Traded], prices: dict[str, int], result: int
) -> None:
    assert day_result(HELD, traded, prices) == result


def test_a_missing_price_is_no_result() -> None:
    assert day_result(HELD, [], {"A": 100}) is None


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (0, "ACTIVE"),
        (900, "ACTIVE"),
        (-299, "ACTIVE"),
        (-300, "REDUCING"),
        (-499, "REDUCING"),
        (-500, "HALTED"),
        (-9000, "HALTED"),
    ],
)
def test_how_far_a_loss_lets_an_account_go_on(result: int, state: str) -> None:
    assert strictness(result, 10_000) == state


def test_an_empty_account_loses_nothing() -> None:
    assert strictness(0, 0) == "ACTIVE"
