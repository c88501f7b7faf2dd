"""Takes working orders of a run back: one cancel at a time, under the same discipline as an order."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from rebalancing.domain.execution import Cancels, cancel_is_due, repeat_is_due
from rebalancing.models import Run
from rebalancing.services.legs import cancels_of, working_orders
from rebalancing.services.wishes import AUTHORIZED, ENGINE
from trading.domain.errors import BrokerError
from trading.domain.orders import IntentState
from trading.models import Attempt, Intent, OrderAction
from trading.models.prepared import Prepared
from trading.services import gateway
from trading.services.cancels import something_to_cancel
from trading.services.crashpoints import crashpoint
from trading.services.states import born, move

__all__ = ["LOOKED", "cancel_order", "cancel_working", "cancellable_orders"]

log = structlog.get_logger(__name__)

LOOKED = "looked"
"""The broker's list was read for this cancel and nothing was sent: the next step goes by it."""


def cancellable_orders(run: Run) -> list[Intent]:
    """Orders of the run that rest at the broker and that a cancel may be sent for; for one that is being
    cancelled, once more."""
    resting: list[Intent] = _RESTING(run=run.pk)
    frozen = _lanes_without_an_answer(run)
    return [intent for intent in resting if (intent.instrument_id, intent.side) not in frozen]


_RESTING = Prepared(
    lambda value: Intent.objects.filter(
        origin=Intent.Origin.RUN,
        origin_id=value.run,
        action=OrderAction.ORDER,
        state__in=[IntentState.ACKED, IntentState.PARTIAL, IntentState.CANCELING],
    ).order_by("pk"),
    run=int,
)


def cancel_working(run: Run, now: datetime) -> bool:
    """Cancel one working order per call, also one whose accepted cancel did not take; True while some may
    still fill."""
    tried = cancels_of(run)
    for intent in cancellable_orders(run):
        if not _is_due(intent, tried.get(intent.pk, Cancels()), now):
            continue
        try:
            cancel_order(run, intent.pk, now)
        except BrokerError as error:
            log.warning("cancel_waits", intent=intent.pk, error=str(error))
        break
    return bool(working_orders(run))


def _is_due(intent: Intent, cancels: Cancels, now: datetime) -> bool:
    if intent.state == IntentState.CANCELING:
        return repeat_is_due(cancels, intent.state_since, now)
    return cancel_is_due(cancels, now)


def cancel_order(run: Run, intent_id: int, now: datetime) -> str:
    """Look whether something is left of a working order and cancel that, under the same discipline as
    an order. Its end comes by inquiry, whatever the cancel's answer was.

    An empty string when it was sent, else why it waits.
    """
    intent = Intent.objects.select_related("broker_order__account").get(pk=intent_id)
    order = intent.broker_order
    stem = f"run:{run.pk}:@{intent.pk}:cancel:"
    earlier = list(Intent.objects.filter(key__startswith=stem))
    waiting = next((i for i in earlier if i.state == IntentState.AUTHORIZED), None)
    if waiting is None:
        waiting = _wish(run, intent, f"{stem}{len(earlier)}", now)
    left = something_to_cancel(order, waiting.created_at)
    if left is None:
        return LOOKED
    if not left:
        return _nothing_to_cancel(waiting, now)
    crashpoint("before_cancel")
    outcome = gateway.send(waiting.pk, by=ENGINE)
    if outcome.state == IntentState.ACKED:
        with transaction.atomic():
            intent.refresh_from_db()
            if intent.state in (IntentState.ACKED, IntentState.PARTIAL):
                move(intent, IntentState.CANCELING, at=now, by=ENGINE)
    return outcome.why_waiting


def _wish(run: Run, intent: Intent, key: str, now: datetime) -> Intent:
    """An authorised cancel of what is left of the order; its key makes a second one like it fail."""
    order = intent.broker_order
    with transaction.atomic():
        wish = Intent.objects.create(
            key=key,
            action=OrderAction.CANCEL,
            origin=Intent.Origin.RUN,
            origin_id=run.pk,
            leg_id=intent.leg_id,
            account=run.account,
            sleeve_id=intent.sleeve_id,
            instrument_id=intent.instrument_id,
            side=intent.side,
            quantity=max(1, order.quantity - order.filled_quantity),
            order_type=intent.order_type,
            limit_price=intent.limit_price,
            reference_price=intent.reference_price,
            target_order=order,
            plan_hash=intent.plan_hash,
            approval_id=intent.approval_id,
            deadline_at=run.deadline_at + timedelta(minutes=20),
            state=IntentState.AUTHORIZED,
            state_since=now,
            created_at=now,
        )
        born(wish, AUTHORIZED, at=now, by=ENGINE)
    return wish


def _nothing_to_cancel(cancel: Intent, now: datetime) -> str:
    """Filled or cancelled meanwhile, or not listed yet: the next inquiry tells which."""
    cancel.refresh_from_db()
    if cancel.state == IntentState.AUTHORIZED:
        with transaction.atomic():
            move(cancel, IntentState.REVOKED, at=now, by=ENGINE, reason="nothing to cancel")
    return "nothing_to_cancel"


def _lanes_without_an_answer(run: Run) -> set[tuple[str, str]]:
    """On these nothing is sent, no cancel either, until the broker's list has told what became of it."""
    return set(_WITHOUT_AN_ANSWER(account=run.account_id))


_WITHOUT_AN_ANSWER = Prepared(
    lambda value: Attempt.objects.filter(
        intent__account=value.account, state__in=["SENDING", "UNKNOWN"]
    ).values_list("intent__instrument_id", "intent__side"),
    account=int,
)
