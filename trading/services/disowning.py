"""A number that an answer gave us turns out to be another order's: it is given up, and ours is sought again.

An answer binds a number before any list has shown it. The first list that shows another name, another side or
a change under it proves that the answer was not about our order.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Protocol

from trading.domain.orders import AttemptState, IntentState
from trading.domain.ports import OrderRow
from trading.models import Alert, Attempt, BrokerOrder, Instrument, Intent
from trading.services.alerts import alert
from trading.services.audit import audit
from trading.services.states import move

__all__ = ["NOT_OURS", "disown", "instrument_of", "is_another_order", "tell_number_not_ours"]

NOT_OURS = "the order number is not ours"
SYSTEM = "system"


class Terms(Protocol):
    """What an order is about."""

    @property
    def instrument_id(self) -> str: ...
    @property
    def side(self) -> str: ...
    @property
    def is_change(self) -> bool: ...


def is_another_order(order: Terms, row: OrderRow) -> bool:
    """The broker's row under the number of `order` is about something else: nothing of it is booked there."""
    ours = (order.instrument_id, order.side, order.is_change)
    return (row.ticker, row.side, row.is_change) != ours


def disown(
    known: dict[tuple[date, str], BrokerOrder],
    rows: Iterable[OrderRow],
    frozen: set[tuple[str, str]],
    now: datetime,
) -> set[tuple[str, str]]:
    """Make outside orders of the `known` ones whose numbers `rows` show to be another's.

    Returns the lanes that wait for an answer, `frozen` and those of what was given up. Must run inside a
    transaction. On a lane that waits for another answer it waits too: a lane has one
    order without a number at most. What was listed as ours before is left for a person.
    """
    busy = set(frozen)
    for row in rows:
        order = known.get((row.trade_date, row.order_no))
        if order is None or not is_another_order(order, row):
            continue
        intent = order.owner
        if intent is None or order.listed or intent.state != IntentState.ACKED:
            _tell(order, row)
        elif (intent.instrument_id, intent.side) not in busy:
            busy.add((intent.instrument_id, intent.side))
            _give_up(order, intent, now)
            _make_outside(order, row)
    return busy


def _give_up(order: BrokerOrder, intent: Intent, now: datetime) -> None:
    """What we sent is UNKNOWN again, and no cancel goes to an order that is not ours."""
    attempt = Attempt.objects.get(broker_order=order)
    move(attempt, AttemptState.UNKNOWN, at=now, by=SYSTEM, reason=NOT_OURS, broker_order=None)
    move(intent, IntentState.UNKNOWN, at=now, by=SYSTEM, reason=NOT_OURS)
    for cancel in Intent.objects.filter(target_order=order, state=IntentState.AUTHORIZED):
        move(cancel, IntentState.REVOKED, at=now, by=SYSTEM, reason=NOT_OURS)
    audit(SYSTEM, "order_disowned", f"intent:{intent.pk}", {"order": order.identity})
    tell_number_not_ours(intent, order.order_no)


def _make_outside(order: BrokerOrder, row: OrderRow) -> None:
    """The order as the list shows it: nobody's of ours, nothing of it booked yet."""
    order.owner, order.source = None, BrokerOrder.Source.EXTERNAL
    order.org_no, order.original_order_no = row.org_no, row.original_order_no
    order.instrument, order.side = instrument_of(row.ticker), row.side
    order.quantity, order.price = row.quantity, row.price
    order.remaining_quantity, order.order_time = row.remaining_quantity, row.order_time
    order.is_final = False
    order.save()
    if not row.is_change:
        alert(
            "external_order",
            account=order.account,
            order_no=row.order_no,
            ticker=row.ticker,
            side=row.side,
            quantity=row.quantity,
        )


def instrument_of(ticker: str) -> Instrument:
    """One that is seen for the first time may not be traded until a person has said what it is."""
    return Instrument.objects.get_or_create(
        ticker=ticker, defaults={"name": ticker, "kind": "kospi", "tradable": False}
    )[0]


def _tell(order: BrokerOrder, row: OrderRow) -> None:
    alert(
        "number_contradicts",
        severity=Alert.Severity.PAGE,
        account=order.account,
        order_no=row.order_no,
        intent_id=order.owner_id,
        ticker=row.ticker,
        ours=order.instrument_id,
    )


def tell_number_not_ours(intent: Intent, order_no: str) -> None:
    alert(
        "number_not_ours",
        severity=Alert.Severity.PAGE,
        account=intent.account,
        intent_id=intent.pk,
        run_id=intent.origin_id if intent.origin == Intent.Origin.RUN else None,
        order_no=order_no,
        number=order_no,
        ticker=intent.instrument_id,
    )
