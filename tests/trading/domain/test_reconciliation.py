"""Which listed order may be the one whose answer was lost: each fact alone decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from trading.domain.ports import OrderRow
from trading.domain.reconciliation import Sought, candidates
from trading.domain.sessions import SEOUL

SENT = datetime(2026, 11, 20, 10, 0, 0, 900_000, SEOUL)
SOUGHT = Sought(
    ticker="069500",
    side="SELL",
    quantity=10,
    limit_price=30_000,
    known=frozenset({"0000000007"}),
    sent_at=SENT,
    deadline=SENT + timedelta(seconds=20),
)
ROW = OrderRow(
    trade_date=date(2026, 11, 20),
    org_no="06010",
    order_no="0000000008",
    original_order_no="",
    ticker="069500",
    side="SELL",
    order_type="00",
    quantity=10,
    price=30_000,
    order_time="100001",
    filled_quantity=0,
    filled_amount=0,
    cancelled_quantity=0,
    remaining_quantity=10,
    rejected_quantity=0,
)


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"filled_quantity": 4, "filled_amount": 120_000, "remaining_quantity": 6}, True),
        ({"order_no": "0000000007"}, False),
        ({"trade_date": date(2026, 11, 19)}, False),
        ({"ticker": "360750"}, False),
        ({"side": "BUY"}, False),
        ({"quantity": 11}, False),
        ({"price": 30_005}, False),
        ({"price": None}, False),
        ({"original_order_no": "0000000003"}, False),
        ({"order_time": "095955"}, True),
        ({"order_time": "095954"}, False),
        ({"order_time": "100025"}, True),
        ({"order_time": "100026"}, False),
        ({"order_time": "000000"}, True),
        ({"order_time": ""}, True),
    ],
    ids=str,
)
def test_a_row_fits_in_every_fact_or_not_at_all(change: dict[str, Any], fits: bool) -> None:
    row = replace(ROW, **change)
    assert candidates([row], SOUGHT) == ([row] if fits else [])


@pytest.mark.parametrize(("original", "fits"), [("0000000003", True), ("0000000004", False)])
def test_a_cancel_is_known_by_the_order_it_aims_at(original: str, fits: bool) -> None:
    row = replace(ROW, original_order_no=original, quantity=3, price=None)
    assert bool(candidates([row], replace(SOUGHT, cancels="0000000003"))) is fits
