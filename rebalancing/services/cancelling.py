"""Takes working orders of a run back: one cancel at a time, under the same discipline as an order."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from rebalancing.domain.execution import Cancels, cancel_is_due
from rebalancing.models import Run
from rebalancing.services.legs import cancels_of, working_orders
from rebalancing.services.wishes import AUTHORIZED, ENGINE
from trading.domain.errors import BrokerError
from trading.domain.orders import IntentState
from trading.models import Attempt, Intent, OrderAction
from trading.services import gateway
from trading.services.cancels import something_to_cancel
from trading.services.crashpoints import crashpoint
from trading.services.states import born, move

__all__ = ["cancel_order", "cancel_working", "cancellable_orders"]

log = structlog.get_logger(__name__)


def cancellable_orders(run: Run) -> list[Intent]:
    """Orders of the run that rest at the broker and that a cancel may be sent for."""
    resting = Intent.objects.filter(
        origin=Intent.Origin.RUN,
        origin_id=run.pk,
        action=OrderAction.ORDER,
        state__in=[IntentState.ACKED, IntentState.PARTIAL],
    ).order_by("pk")
    frozen = _lanes_without_an_answer(run)
    return [intent for intent in resting if (intent.instrument_id, intent.side) not in frozen]


def cancel_working(run: Run, now: datetime) -> bool:
    """Cancel one working order per call; True while some may still fill."""
    tried = cancels_of(run)
    for intent in cancellable_orders(run):
        if not cancel_is_due(tried.get(intent.pk, Cancels()), now):
            continue
        try:
            cancel_order(run, intent.pk, now)
        except BrokerError as error:
            log.warning("cancel_waits", intent=intent.pk, error=str(error))
        break
    return bool(working_orders(run))


def cancel_order(run: Run, intent_id: int, now: datetime) -> str:
    """Look whether something is left of a working order and cancel that, under the same discipline as
    an order. Its end comes by inquiry, whatever the cancel's answer was."""
    intent = Intent.objects.select_related("broker_order").get(pk=intent_id)
    order = intent.broker_order
    stem = f"run:{run.pk}:@{intent.pk}:cancel:"
    number = Intent.objects.filter(key__startswith=stem).count()
    waiting = Intent.objects.filter(key__startswith=stem, state=IntentState.AUTHORIZED).first()
    if waiting is None:
        with transaction.atomic():
            waiting = Intent.objects.create(
                key=f"{stem}{number}",
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
            born(waiting, AUTHORIZED, at=now, by=ENGINE)
    if not something_to_cancel(order):
        return _nothing_to_cancel(waiting, now)
    crashpoint("before_cancel")
    outcome = gateway.send(waiting.pk, by=ENGINE)
    if outcome.state == IntentState.ACKED:
        with transaction.atomic():
            intent.refresh_from_db()
            if intent.state in (IntentState.ACKED, IntentState.PARTIAL):
                move(intent, IntentState.CANCELING, at=now, by=ENGINE)
    return outcome.why_waiting


def _nothing_to_cancel(cancel: Intent, now: datetime) -> str:
    """Filled or cancelled meanwhile, or not listed yet: the next inquiry tells which."""
    cancel.refresh_from_db()
    if cancel.state == IntentState.AUTHORIZED:
        with transaction.atomic():
            move(cancel, IntentState.REVOKED, at=now, by=ENGINE, reason="nothing to cancel")
    return "nothing_to_cancel"


def _lanes_without_an_answer(run: Run) -> set[tuple[str, str]]:
    """On these nothing is sent, no cancel either, until the broker's list has told what became of it."""
    return set(
        Attempt.objects.filter(
            intent__account=run.account, state__in=["SENDING", "UNKNOWN"]
        ).values_list("intent__instrument_id", "intent__side")
    )
