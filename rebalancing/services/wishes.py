"""The orders a run wishes to send: authorised at a price of this moment, taken back when it has aged."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from rebalancing.domain.execution import (
    Move,
)
from rebalancing.domain.liquidity import is_liquid
from rebalancing.domain.netting import Side
from rebalancing.domain.pricing import is_inside_collar, resolve_price
from rebalancing.models import Leg, Run
from rebalancing.services.approvals import approval_of
from trading.domain.errors import Reason
from trading.domain.orders import IntentState
from trading.domain.quotes import OrderBook
from trading.models import Approval, Intent
from trading.services.brokers import broker_for
from trading.services.ledger import sleeve_of
from trading.services.states import born, move

__all__ = [
    "AUTHORIZED",
    "ENGINE",
    "is_still_priced",
    "new_intent",
    "price_now",
    "requote",
    "revoke_authorized",
    "stands_well",
]

COLLAR = Decimal("0.02")
ENGINE = "engine"
AUTHORIZED = (IntentState.DRAFT, IntentState.CHECKED, IntentState.AUTHORIZED)
_DEFAULT_RULE = {Side.SELL: "MINUS_TICKS_1", Side.BUY: "PLUS_TICKS_1"}


def new_intent(
    run: Run, leg: Leg, todo: Move, now: datetime, deadline: datetime
) -> Intent | Reason:
    """An AUTHORIZED intent at a price from this moment's book, or why there is none."""
    instrument = leg.instrument
    limit: int | None = None
    book = broker_for(run.account).book(instrument.ticker)
    # a sale at market was allowed for the book of the plan's minute; a thinner one gets a limit
    at_market = leg.order_type == "MARKET" and is_liquid(
        todo.quantity, book, instrument.instrument_kind
    )
    if not at_market:
        found = price_now(leg, book, first=todo.generation == 0)
        if isinstance(found, Reason):
            return found
        if not is_inside_collar(found, leg.reference_price, COLLAR):
            return Reason("outside_collar", {"price": found, "reference": leg.reference_price})
        limit = found
    approval = approval_of(run)
    if approval is None:
        return Reason("not_approved")
    return _authorize(run, leg, todo, limit, approval, now, deadline)


def price_now(leg: Leg, book: OrderBook, *, first: bool) -> int | Reason:
    """The leg's price rule on this book. A leg planned at an explicit price starts there and is then
    chased by the default rule."""
    if not leg.price_strategy and leg.limit_price and first:
        return leg.limit_price
    strategy = leg.price_strategy or _DEFAULT_RULE[Side(leg.side)]
    return resolve_price(
        strategy, Side(leg.side), book, leg.reference_price, leg.instrument.instrument_kind
    )


def stands_well(leg: Leg, intent_id: int) -> bool:
    """Whether a resting order has the very price that a new one would get: it keeps its place in the queue.
    Raises BrokerError while the book cannot be read."""
    intent = Intent.objects.select_related("account").get(pk=intent_id)
    if intent.limit_price is None:
        return False
    book = broker_for(intent.account).book(leg.instrument_id)
    return price_now(leg, book, first=False) == intent.limit_price


def _authorize(
    run: Run,
    leg: Leg,
    todo: Move,
    limit: int | None,
    approval: Approval,
    now: datetime,
    deadline: datetime,
) -> Intent:
    """Create the intent; its key makes a second worker's attempt at the same one fail."""
    key = f"run:{run.pk}:{leg.pk}:{todo.slice_no}:{todo.generation}"
    with transaction.atomic():
        intent = Intent.objects.create(
            key=key,
            origin=Intent.Origin.RUN,
            origin_id=run.pk,
            leg_id=leg.pk,
            slice_no=todo.slice_no,
            generation=todo.generation,
            account=run.account,
            sleeve=sleeve_of(run.account),
            instrument=leg.instrument,
            side=leg.side,
            quantity=todo.quantity,
            order_type="LIMIT" if limit is not None else "MARKET",
            limit_price=limit,
            reference_price=leg.reference_price,
            supersedes_id=todo.supersedes,
            plan_hash=run.plan_hash,
            approval=approval,
            deadline_at=min(deadline, run.deadline_at),
            state=IntentState.AUTHORIZED,
            state_since=now,
            created_at=now,
        )
        born(intent, AUTHORIZED, at=now, by=approval.approver)
    return intent


def is_still_priced(leg: Leg, intent: Intent, now: datetime) -> bool:
    """A price older than some seconds is looked up again before it is sent."""
    return intent.limit_price is None or now - intent.created_at <= timedelta(seconds=10)


def requote(leg: Leg, intent: Intent, now: datetime) -> str:
    """The wish was never sent and its price has aged: revoke it; the next pass makes a new one."""
    with transaction.atomic():
        move(intent, IntentState.SUPERSEDED, at=now, by=ENGINE, reason="price aged")
    return "requote"


def revoke_authorized(run: Run, now: datetime, reason: str) -> None:
    """What was authorised and never sent may not be sent any more."""
    for intent in Intent.objects.filter(
        origin=Intent.Origin.RUN, origin_id=run.pk, state=IntentState.AUTHORIZED
    ):
        with transaction.atomic():
            move(intent, IntentState.REVOKED, at=now, by=ENGINE, reason=reason)
