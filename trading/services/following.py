"""An intent goes where its order goes; the cancels of an order that is over have nothing left to do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from trading.domain.errors import StateConflict
from trading.domain.orders import INTENT_TERMINAL, IntentState
from trading.models import BrokerOrder, Intent, Transition
from trading.selectors.calendar import hours_on
from trading.services.books import SYSTEM, Books

__all__ = ["finish_cancels", "follow_order"]


def follow_order(books: Books, intent: Intent, order: BrokerOrder) -> None:
    """Move the intent to where its order is, with its fills, in one conditional UPDATE."""
    old, wanted = str(intent.state), _state_of(order, intent, books.now)
    moves = wanted is not None and wanted != old and IntentState(old) not in INTENT_TERMINAL
    if old == IntentState.CANCELING and wanted == IntentState.PARTIAL:
        moves = False
    values: dict[str, Any] = {
        # an order that the broker made larger may fill more than the wish: the order's books have all of it
        "filled_quantity": min(order.filled_quantity, intent.quantity),
        "filled_amount": order.filled_amount,
    }
    if moves:
        assert wanted is not None
        values |= {"state": str(wanted), "state_since": books.now, "state_reason": ""}
    if not Intent.objects.filter(pk=intent.pk, state=old).update(**values):
        raise StateConflict("moved_meanwhile", object=f"intent {intent.pk}", expected=old)
    if not moves:
        return
    assert wanted is not None
    _note(books, intent, old, wanted)
    if wanted in INTENT_TERMINAL:
        books.released.append(intent.pk)
        books.final.append(
            {
                "intent": intent.pk,
                "state": str(wanted),
                "filled": order.filled_quantity,
                "amount": order.filled_amount,
            }
        )


def _note(books: Books, intent: Intent, old: str, new: IntentState, reason: str = "") -> None:
    intent.state = new
    books.transitions.append(
        Transition(
            object_type="intent",
            object_id=intent.pk,
            from_state=old,
            to_state=str(new),
            at=books.now,
            by=SYSTEM,
            reason=reason,
        )
    )


def _state_of(order: BrokerOrder, intent: Intent, now: datetime) -> IntentState | None:
    if order.filled_quantity >= intent.quantity:
        return IntentState.FILLED
    if order.is_final:
        if order.rejected_quantity and not order.filled_quantity:
            return IntentState.REJECTED_LATE if intent.state == "ACKED" else IntentState.EXPIRED
        taken_back = order.cancelled_quantity and not _expired(order, now)
        return IntentState.CANCELED if taken_back else IntentState.EXPIRED
    return IntentState.PARTIAL if order.filled_quantity else None


def _expired(order: BrokerOrder, now: datetime) -> bool:
    """After the close the broker shows what was left as cancelled though nobody cancelled it: then no cancel
    or revision of the order is listed beside it."""
    try:
        over = now >= hours_on(order.trade_date).close
    except ValueError:
        over = now.date() > order.trade_date
    changes = BrokerOrder.objects.filter(
        account_id=order.account_id,
        trade_date=order.trade_date,
        original_order_no=order.order_no,
    )
    return over and not changes.exists()


def finish_cancels(books: Books) -> None:
    """Where the target is final, its cancels have nothing left to do."""
    targets = {order.pk: order for order in books.orders if order.is_final and order.owner_id}
    if not targets:
        return
    for cancel in Intent.objects.filter(
        target_order__in=targets, state__in=[IntentState.ACKED, IntentState.AUTHORIZED]
    ):
        old = str(cancel.state)
        if old == IntentState.AUTHORIZED:
            new, reason = IntentState.REVOKED, "target is final"
        else:
            cancelled = targets[cancel.target_order_id or 0].cancelled_quantity
            new, reason = (IntentState.CANCELED if cancelled else IntentState.EXPIRED), ""
        moved = Intent.objects.filter(pk=cancel.pk, state=old).update(
            state=str(new), state_since=books.now, state_reason=reason
        )
        if moved:
            _note(books, cancel, old, new, reason)
