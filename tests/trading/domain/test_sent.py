"""What was sent today, counted for the next order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from trading.domain.sent import Sent, Tally, Wanted, same_order, tally
from trading.domain.sessions import SEOUL

pytestmark = pytest.mark.money
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=SEOUL)
ONE = Sent(
    action="order",
    state="ACKED",
    at=NOW - timedelta(seconds=30),
    intent=1,
    instrument="069500",
    side="BUY",
    quantity=10,
    limit_price=30_000,
    price=30_000,
    origin="run",
    origin_id=7,
    intent_state="PARTIAL",
    filled_quantity=4,
    filled_amount=119_000,
    epoch=1,
    epoch_ended=False,
    build="b",
)
NEXT = Wanted(2, ("069500", "BUY", 10, 30_000), ("run", 8))
OWN = replace(NEXT, parent=("run", 7))


@pytest.mark.parametrize(
    ("change", "won"),
    [
        ({}, 119_000 + 6 * 30_000),
        ({"intent_state": "FILLED", "filled_quantity": 10, "filled_amount": 299_000}, 299_000),
        ({"intent_state": "CANCELED"}, 119_000),
        ({"intent_state": "EXPIRED"}, 119_000),
        ({"state": "REJECTED"}, 0),
        ({"state": "NOT_SENT"}, 0),
        ({"state": "ABSENT"}, 0),
        ({"state": "UNKNOWN", "intent_state": "UNKNOWN", "filled_quantity": 0, "filled_amount": 0}, 300_000),
        ({"limit_price": None, "price": 29_500}, 119_000 + 6 * 29_500),
    ],
    ids=["part", "whole", "rest canceled", "rest expired", "refused", "unsent", "absent", "unknown", "market"],
)  # fmt: skip
def test_won_are_what_it_traded_and_at_most_still_will(change: dict[str, Any], won: int) -> None:
    assert replace(ONE, **change).traded_won == won


@pytest.mark.parametrize(
    ("change", "counted"),
    [
        ({}, (1, 1, True, True, True)),
        ({"at": NOW - timedelta(seconds=60)}, (1, 0, True, True, True)),
        ({"at": NOW - timedelta(seconds=59)}, (1, 1, True, True, True)),
        ({"instrument": "114260"}, (1, 1, True, False, True)),
        ({"origin_id": 8}, (1, 1, True, True, False)),
        ({"origin": "bot"}, (1, 1, True, True, False)),
        ({"action": "cancel"}, (0, 0, False, False, False)),
        ({"state": "NOT_SENT"}, (1, 1, False, False, False)),
    ],
)
def test_each_count_takes_what_is_its_own(change: dict[str, Any], counted: Any) -> None:
    today, minute, *of = counted
    found = tally([replace(ONE, **change)], OWN, NOW)
    won = [299_000 * here for here in of]
    assert found == Tally(today, minute, *won)


def test_several_orders_add_up() -> None:
    found = tally([ONE, replace(ONE, intent=3), replace(ONE, instrument="114260")], OWN, NOW)
    assert found == Tally(3, 3, 897_000, 598_000, 897_000)
    assert tally([], OWN, NOW) == Tally(0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({}, 1),
        ({"state": "REJECTED"}, 1),
        ({"state": "NOT_SENT"}, 0),
        ({"at": NOW - timedelta(seconds=60)}, 0),
        ({"intent": 2}, 0),
        ({"quantity": 11}, 0),
        ({"limit_price": None}, 0),
        ({"side": "SELL"}, 0),
        ({"instrument": "114260"}, 0),
        ({"origin_id": 8}, 0),
        ({"origin": "bot", "origin_id": 8}, 1),
        ({"action": "cancel"}, 0),
    ],
)
def test_a_duplicate_is_the_same_order_of_another_parent(
    change: dict[str, Any], count: int
) -> None:
    assert same_order([replace(ONE, **change)], NEXT, NOW - timedelta(minutes=1)) == count


def test_two_orders_without_a_parent_are_duplicates() -> None:
    by_hand = replace(ONE, origin="manual", origin_id=None)
    wanted = replace(NEXT, parent=("manual", None))
    assert same_order([by_hand], wanted, NOW - timedelta(minutes=1)) == 1
