"""What was left of an order that is over was taken back by somebody, or it expired with its day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import transaction

from tests.support.world import World
from trading.domain.ports import OrderRow
from trading.models import Attempt, BrokerOrder, Intent
from trading.selectors.calendar import hours_on
from trading.services.booking import book_rows
from trading.services.brokers import broker_for

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def book(world: World, rows: Sequence[OrderRow], at: datetime) -> None:
    with transaction.atomic():
        book_rows(world.account, rows, at, session_over=False)


@pytest.fixture
def gone(world: World) -> OrderRow:
    """An order of ours of which nothing filled and the whole is cancelled, as the list shows it."""
    world.drive(world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists())
    world.settle(5)
    (row,) = broker_for(world.account).orders(world.now.date(), world.now.date()).rows
    nothing = {"filled_quantity": 0, "filled_amount": 0, "remaining_quantity": 0}
    return replace(row, cancelled_quantity=row.quantity, **nothing)


def cancel_of(row: OrderRow, **change: object) -> OrderRow:
    """The row of the cancel that took `row` back."""
    number = f"{int(row.order_no) + 1:010d}"
    facts = {"order_no": number, "original_order_no": row.order_no, "cancelled_quantity": 0}
    return replace(row, **facts | change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("when", "beside", "state"),
    [
        ("in the session", "no cancel", "CANCELED"),
        ("in the session", "its cancel", "CANCELED"),
        ("after the close", "no cancel", "EXPIRED"),
        ("after the close", "its cancel", "CANCELED"),
        ("after the close", "a cancel of that number on another day", "EXPIRED"),
        ("after the close", "a cancel of another order", "EXPIRED"),
    ],
)
def test_what_is_cancelled_without_a_cancel_expired_once_the_day_is_over(
    world: World, gone: OrderRow, when: str, beside: str, state: str
) -> None:
    close = hours_on(gone.trade_date).close
    changes = {
        "no cancel": [],
        "its cancel": [cancel_of(gone)],
        "a cancel of that number on another day": [
            cancel_of(gone, trade_date=gone.trade_date - timedelta(days=1))
        ],
        "a cancel of another order": [cancel_of(gone, original_order_no="0000000001")],
    }[beside]
    book(world, [*changes, gone], close if when == "after the close" else world.now)
    order = BrokerOrder.objects.get(order_no=gone.order_no, trade_date=gone.trade_date)
    assert order.is_final
    assert Intent.objects.get(pk=order.owner_id).state == state
