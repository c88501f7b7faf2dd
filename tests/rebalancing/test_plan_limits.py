"""A plan is judged by the account's limits before anybody is asked to approve it."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest

from rebalancing.domain.plan_limits import PlannedLeg, beyond_limits, most_of
from trading.domain.limits import GateLimits
from trading.domain.sent import Spent

LEGS = [PlannedLeg("A", "SELL", (10, 10), 1_000), PlannedLeg("B", "BUY", (5,), 2_000)]
FITS = GateLimits(
    max_order_won=10_000, max_ticker_day_won=20_000, max_run_won=30_000, max_day_won=30_000
)


def test_a_plan_that_fits_exactly_passes() -> None:
    assert beyond_limits(LEGS, FITS) == []
    assert beyond_limits([], FITS) == []


def test_what_a_plan_does_in_one_name_adds_up() -> None:
    twice = [PlannedLeg("A", "BUY", (10,), 1_000), PlannedLeg("A", "BUY", (11,), 1_000)]
    (found,) = beyond_limits(twice, GateLimits(max_ticker_day_won=20_000))
    assert (found["limit"], found["won"], found["ticker"]) == ("ticker_amount", 21_000, "A")


def test_an_order_is_as_large_as_its_largest_slice() -> None:
    uneven = [PlannedLeg("A", "SELL", (4, 10, 6), 1_000)]
    assert beyond_limits(uneven, FITS) == []
    assert beyond_limits(uneven, GateLimits(max_order_won=9_999)) == [
        {"limit": "order_amount", "won": 10_000, "max": 9_999, "ticker": "A"}
    ]


@pytest.mark.parametrize(
    ("name", "limit", "most", "ticker"),
    [
        ("max_order_won", "order_amount", 9_999, "A"),
        ("max_ticker_day_won", "ticker_amount", 19_999, "A"),
        ("max_run_won", "run_amount", 29_999, None),
        ("max_day_won", "day_amount", 29_999, None),
    ],
)
def test_each_limit_by_one_won(name: str, limit: str, most: int, ticker: str | None) -> None:
    values = {f: getattr(FITS, f) for f in ("max_order_won", "max_ticker_day_won")}
    values |= {f: getattr(FITS, f) for f in ("max_run_won", "max_day_won")}
    found = beyond_limits(LEGS, GateLimits(**(values | {name: most})))
    assert {row["limit"] for row in found} == {limit}
    assert found[0]["max"] == most and found[0].get("ticker") == ticker


@pytest.mark.parametrize(
    ("spent", "beyond"),
    [
        (Spent(day_won=5_000), set()),
        (Spent(day_won=5_001), {"day_amount"}),
        (Spent(run_won=5_000), set()),
        (Spent(run_won=5_001), {"run_amount"}),
        (Spent(names={"A": 3_000}), set()),
        (Spent(names={"A": 3_001}), {"ticker_amount"}),
        (Spent(names={"C": 30_000}), set()),
        (Spent(orders=4), set()),
        (Spent(orders=5), {"order_count"}),
    ],
)
def test_what_the_day_has_spent_counts_beside_the_plan(spent: Spent, beyond: set[str]) -> None:
    limits = replace(
        FITS, max_ticker_day_won=23_000, max_run_won=35_000, max_day_won=35_000, per_day=10
    )
    assert {row["limit"] for row in beyond_limits(LEGS, limits, spent)} == beyond


def test_an_empty_plan_is_beyond_nothing_however_much_is_spent() -> None:
    assert beyond_limits([], FITS, Spent(orders=999, day_won=10**12)) == []


@pytest.mark.parametrize(
    ("volume", "share", "beyond"),
    [(100, "10", False), (99, "10", True), (199, "5", True), (200, "5", False), (None, "5", False)],
)
def test_an_order_is_judged_by_the_volume_of_the_day_before(
    volume: int | None, share: str, beyond: bool
) -> None:
    """An unknown one is left to the gate, which waits for it."""
    leg = PlannedLeg("A", "BUY", (10, 10), 1_000, volume)
    found = beyond_limits([leg], GateLimits(volume_share_percent=share))
    assert [row["limit"] for row in found] == (["volume_share"] if beyond else [])
    if beyond:
        assert found[0]["quantity"] == 10 and found[0]["ticker"] == "A"


@pytest.mark.parametrize(
    ("sales", "purchases", "a_minute", "beyond"),
    [(2, 2, 2, False), (3, 2, 2, True), (2, 4, 2, True), (4, 0, 2, False), (1, 0, 0, True)],
)
def test_each_side_has_to_go_out_in_time_to_be_filled(
    sales: int, purchases: int, a_minute: int, beyond: bool
) -> None:
    sides = [("A", "SELL", sales), ("B", "BUY", purchases)]
    legs = [PlannedLeg(ticker, side, (1,) * n, 9) for ticker, side, n in sides if n]
    found = beyond_limits(legs, GateLimits(per_minute=a_minute))
    assert [row["limit"] for row in found] == (["pace"] if beyond else [])


@pytest.mark.parametrize(
    ("price", "collar", "most"), [(10_000, "0.02", 10_200), (10_001, "0.02", 10_202), (7, "0", 7)]
)
def test_a_price_counts_as_the_highest_that_an_order_may_have(
    price: int, collar: str, most: Any
) -> None:
    assert most_of(price, Decimal(collar)) == most


@pytest.mark.parametrize(
    ("leg", "limits", "beyond"),
    [
        (PlannedLeg("A", "BUY", (11,), 9), GateLimits(max_quantity=10), "quantity"),
        (PlannedLeg("A", "BUY", (10, 10), 9), GateLimits(max_quantity=10), ""),
        (
            PlannedLeg("A", "BUY", (1,), 9, None, Decimal("0.11")),
            GateLimits(collar_percent="0.10"),
            "price_collar",
        ),
        (
            PlannedLeg("A", "BUY", (1,), 9, None, Decimal("0.10")),
            GateLimits(collar_percent="0.10"),
            "",
        ),
    ],
)
def test_what_the_gate_would_refuse_of_one_order_is_refused_of_the_plan(
    leg: PlannedLeg, limits: GateLimits, beyond: str
) -> None:
    assert [row["limit"] for row in beyond_limits([leg], limits)] == ([beyond] if beyond else [])


def test_every_limit_is_asked_of_a_plan_or_belongs_to_the_moment_of_the_order() -> None:
    asked = {
        "collar_percent", "max_quantity", "max_order_won", "max_ticker_day_won", "max_run_won",
        "max_day_won", "volume_share_percent", "per_minute", "per_day",
    }  # fmt: skip
    of_the_moment = {"quote_age_seconds", "duplicate_seconds"}
    assert {one.name for one in fields(GateLimits)} == asked | of_the_moment
