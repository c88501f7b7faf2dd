"""Carries out the legs of one side, one order per step, from fresh books and inside the collar."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.db import transaction
from django.db.models import Count, Sum

from rebalancing.domain.execution import (
    CHECKING,
    Cancels,
    LegView,
    Move,
    MoveKind,
    OrderView,
    cancel_is_due,
    fit_slices,
    next_move,
)
from rebalancing.domain.netting import Side
from rebalancing.domain.pricing import is_inside_collar, resolve_price
from rebalancing.models import Leg, Run
from rebalancing.services.approvals import approval_of
from trading.domain.errors import BrokerError, Reason
from trading.domain.orders import IntentState
from trading.domain.quotes import OrderBook
from trading.domain.sending import WAITING_RULES, SendOutcome
from trading.models import Approval, Attempt, Intent, OrderAction, RuleCheck
from trading.services import gateway
from trading.services.brokers import broker_for
from trading.services.cancels import something_to_cancel
from trading.services.clock import market_clock
from trading.services.crashpoints import crashpoint
from trading.services.ledger import sleeve_of
from trading.services.refusals import intents_awaiting_a_list
from trading.services.states import born, move

__all__ = ["Progress", "open_legs", "revoke_authorized", "sync_legs", "work"]

log = structlog.get_logger(__name__)
COLLAR = Decimal("0.02")
ENGINE = "engine"
STAND_BACK = timedelta(seconds=1)
_AUTHORIZED = (IntentState.DRAFT, IntentState.CHECKED, IntentState.AUTHORIZED)


class Progress:
    """What one pass did: asked the door at most once, `waiting` for some legs; `done` when all are over.

    `again` says that another leg may go at once: something was sent, or put off by a rule while other
    legs have not been tried. What the line or the broker refused lets nobody else try in its place.
    """

    def __init__(self) -> None:
        self.sent = False
        self.asked = False
        self.put_off = False
        self.untried = False
        self.waiting: list[str] = []

    @property
    def again(self) -> bool:
        return self.sent or (self.put_off and self.untried)

    @property
    def done(self) -> bool:
        return not self.sent and not self.waiting


def open_legs(run: Run, side: str) -> list[Leg]:
    return list(
        Leg.objects.filter(run=run, generation=run.generation, side=side, done=False)
        .select_related("instrument")
        .order_by("number")
    )


def work(run: Run, side: str, now: datetime, deadline: datetime, *, stopping: bool) -> Progress:
    """Look at every open leg and ask the gate for at most one order or cancel.

    A leg that the gate put off stands back for a second, so that it never holds up the others. Raises
    BrokerError while inputs cannot be read; nothing was sent then.
    """
    progress = Progress()
    legs = open_legs(run, side)
    views = _views(run, legs)
    put_off = _put_off(run, now)
    finished: list[tuple[Leg, Move]] = []
    for leg in legs:
        todo = next_move(views[leg.pk], now, deadline, stopping=stopping)
        if todo.kind is MoveKind.DONE:
            finished.append((leg, todo))
        elif todo.kind is MoveKind.WAIT:
            progress.waiting.append(todo.why)
        elif leg.pk in put_off:
            progress.waiting.append("turn")
        elif progress.asked:
            progress.waiting.append("turn")
            progress.untried = True
        else:
            _act(progress, run, leg, todo, now, deadline)
    if finished:
        _finish(run, finished, now)
    return progress


def _put_off(run: Run, now: datetime) -> set[int | None]:
    """Legs that the gate asked to wait within the last second."""
    return set(
        RuleCheck.objects.filter(
            intent__origin=Intent.Origin.RUN,
            intent__origin_id=run.pk,
            intent__state=IntentState.AUTHORIZED,
            verdict="VETO",
            at__gt=now - STAND_BACK,
        ).values_list("intent__leg_id", flat=True)
    )


def _views(run: Run, legs: Iterable[Leg]) -> dict[int, LegView]:
    intents = list(Intent.objects.filter(origin=Intent.Origin.RUN, origin_id=run.pk).order_by("pk"))
    cancels = _cancels(run) if any(i.action == OrderAction.CANCEL for i in intents) else {}
    orders: dict[int, list[OrderView]] = defaultdict(list)
    doubtful = {
        _cancelled_intent(i)
        for i in intents
        if i.action == OrderAction.CANCEL and i.state in ("SENDING", "UNKNOWN")
    }
    refused = any(i.state == IntentState.REJECTED for i in intents)
    checking = intents_awaiting_a_list(run.pk) if refused else set()
    for intent in intents:
        if intent.action == OrderAction.ORDER and intent.leg_id is not None:
            # an unanswered cancel freezes the lane just as an unanswered order does
            state = "UNKNOWN" if intent.pk in doubtful else intent.state
            orders[intent.leg_id].append(
                OrderView(
                    intent_id=intent.pk,
                    slice_no=intent.slice_no,
                    generation=intent.generation,
                    quantity=intent.quantity,
                    filled=intent.filled_quantity,
                    state=CHECKING if intent.pk in checking else state,
                    since=intent.state_since,
                    resting=intent.limit_price is not None,
                    cancels=cancels.get(intent.pk, Cancels()),
                )
            )
    return {
        leg.pk: LegView(fit_slices(leg.slices, leg.wanted), tuple(orders[leg.pk])) for leg in legs
    }


def _cancels(run: Run) -> dict[int, Cancels]:
    """The cancels of the run's orders, by the order's intent. One that was not sent, because there was
    nothing left to cancel, counts as a try too."""
    found: dict[int, Cancels] = {}
    rows = Intent.objects.filter(
        origin=Intent.Origin.RUN, origin_id=run.pk, action=OrderAction.CANCEL
    ).annotate(sent=Count("attempts"))
    for cancel in rows.order_by("pk"):
        order = _cancelled_intent(cancel)
        before = found.get(order, Cancels())
        found[order] = Cancels(before.tried + max(1, cancel.sent), cancel.state_since)
    return found


def _cancelled_intent(cancel: Intent) -> int:
    """The order intent a cancel aims at, as its key says."""
    return int(cancel.key.rsplit(":cancel:", 1)[0].rsplit("@", 1)[1])


def _finish(run: Run, finished: list[tuple[Leg, Move]], now: datetime) -> None:
    """Close the legs that have nothing left to do, with the reason where something is missing."""
    with transaction.atomic():
        for leg, todo in finished:
            leg.done, leg.outcome = True, todo.why or leg.outcome
            if todo.intent_id is not None:
                intent = Intent.objects.get(pk=todo.intent_id)
                if intent.state == IntentState.AUTHORIZED:
                    move(intent, IntentState.REVOKED, at=now, by=ENGINE, reason=todo.why)
        legs = [leg for leg, _todo in finished]
        sync_legs(run, legs)
        Leg.objects.bulk_update(legs, ["done", "outcome"])


def _act(
    progress: Progress, run: Run, leg: Leg, todo: Move, now: datetime, deadline: datetime
) -> None:
    """Carry out one move and note what came of it."""
    if todo.kind is MoveKind.CANCEL:
        assert todo.intent_id is not None
        progress.asked = True
        _note(progress, _cancel(run, todo.intent_id, now))
        return
    wish = _wish(run, leg, todo, now, deadline)
    if isinstance(wish, str):
        progress.waiting.append(wish)
        return
    progress.asked = True
    _note(progress, _send(run, leg, wish))


def _note(progress: Progress, waited: str) -> None:
    """What the door answered: taken or refused for good when empty, else why the leg waits."""
    if not waited:
        progress.sent = True
        return
    reasons = set(waited.split(","))
    progress.put_off = reasons <= WAITING_RULES
    progress.waiting.extend(sorted(reasons))


def _why_waiting(outcome: SendOutcome) -> str:
    """The rules that put it off, or `retry` for what passes by trying again."""
    if not outcome.retry:
        return ""
    return outcome.note if outcome.reasons else "retry"


def _wish(run: Run, leg: Leg, todo: Move, now: datetime, deadline: datetime) -> Intent | str:
    """The intent to send, or why there is none now."""
    if todo.kind is MoveKind.SEND:
        assert todo.intent_id is not None
        intent = Intent.objects.get(pk=todo.intent_id)
        if not _still_priced(leg, intent, now):
            return _requote(leg, intent, now)
    else:
        made = _new_intent(run, leg, todo, now, deadline)
        if isinstance(made, Reason):
            Leg.objects.filter(pk=leg.pk).update(outcome=made.code)
            leg.outcome = made.code
            return made.code
        intent = made
    return intent


def _send(run: Run, leg: Leg, intent: Intent) -> str:
    """Why the order had to wait, or an empty string when the door took or refused it for good."""
    budget = run.cash_confirmed if leg.side == Side.BUY else None
    crashpoint("before_send")
    outcome = gateway.send(intent.pk, by=ENGINE, budget_won=budget)
    if outcome.note and not outcome.retry and outcome.state in ("VETOED", "REJECTED"):
        Leg.objects.filter(pk=leg.pk).update(outcome=outcome.note[:60])
    return _why_waiting(outcome)


def _still_priced(leg: Leg, intent: Intent, now: datetime) -> bool:
    """A price older than some seconds is looked up again before it is sent."""
    return intent.limit_price is None or now - intent.created_at <= timedelta(seconds=10)


def _requote(leg: Leg, intent: Intent, now: datetime) -> str:
    """The wish was never sent and its price has aged: revoke it; the next pass makes a new one."""
    with transaction.atomic():
        move(intent, IntentState.SUPERSEDED, at=now, by=ENGINE, reason="price aged")
    return "requote"


def _new_intent(
    run: Run, leg: Leg, todo: Move, now: datetime, deadline: datetime
) -> Intent | Reason:
    """An AUTHORIZED intent at a price from this moment's book, or why there is none."""
    instrument = leg.instrument
    limit: int | None = None
    if leg.order_type == "LIMIT":
        book = broker_for(run.account).book(instrument.ticker)
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


_DEFAULT_RULE = {Side.SELL: "MINUS_TICKS_1", Side.BUY: "PLUS_TICKS_1"}


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
        born(intent, _AUTHORIZED, at=now, by=approval.approver)
    return intent


def _cancel(run: Run, intent_id: int, now: datetime) -> str:
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
            born(waiting, _AUTHORIZED, at=now, by=ENGINE)
    if not something_to_cancel(order):
        return _nothing_to_cancel(waiting, now)
    crashpoint("before_cancel")
    outcome = gateway.send(waiting.pk, by=ENGINE)
    if outcome.state == IntentState.ACKED:
        with transaction.atomic():
            intent.refresh_from_db()
            if intent.state in (IntentState.ACKED, IntentState.PARTIAL):
                move(intent, IntentState.CANCELING, at=now, by=ENGINE)
    return _why_waiting(outcome)


def _nothing_to_cancel(cancel: Intent, now: datetime) -> str:
    """Filled or cancelled meanwhile, or not listed yet: the next inquiry tells which."""
    cancel.refresh_from_db()
    if cancel.state == IntentState.AUTHORIZED:
        with transaction.atomic():
            move(cancel, IntentState.REVOKED, at=now, by=ENGINE, reason="nothing to cancel")
    return "nothing_to_cancel"


def sync_legs(run: Run, legs: Iterable[Leg]) -> None:
    """Bring the legs' fills and costs up to their orders' booked numbers."""
    legs = list(legs)
    rows = (
        Intent.objects.filter(
            leg_id__in=[leg.pk for leg in legs], origin_id=run.pk, action=OrderAction.ORDER
        )
        .values("leg_id")
        .annotate(
            quantity=Sum("broker_order__ledger__quantity"),
            amount=Sum("broker_order__ledger__amount"),
            fee=Sum("broker_order__ledger__fee"),
            tax=Sum("broker_order__ledger__tax"),
        )
        .order_by("leg_id")
    )
    by_id = {leg.pk: leg for leg in legs}
    changed = []
    for row in rows:
        leg = by_id[row["leg_id"] or 0]
        seen = tuple(row[name] or 0 for name in ("quantity", "amount", "fee", "tax"))
        if seen != (leg.filled_quantity, leg.filled_amount, leg.fee, leg.tax):
            leg.filled_quantity, leg.filled_amount, leg.fee, leg.tax = seen
            changed.append(leg)
    if changed:
        Leg.objects.bulk_update(changed, ["filled_quantity", "filled_amount", "fee", "tax"])


def revoke_authorized(run: Run, now: datetime, reason: str) -> None:
    """What was authorised and never sent may not be sent any more."""
    for intent in Intent.objects.filter(
        origin=Intent.Origin.RUN, origin_id=run.pk, state=IntentState.AUTHORIZED
    ):
        with transaction.atomic():
            move(intent, IntentState.REVOKED, at=now, by=ENGINE, reason=reason)


def working_orders(run: Run) -> list[Intent]:
    """Orders of the run that may still fill."""
    return list(
        Intent.objects.filter(
            origin=Intent.Origin.RUN,
            origin_id=run.pk,
            action=OrderAction.ORDER,
            state__in=["SENDING", "UNKNOWN", "ACKED", "PARTIAL", "CANCELING"],
        )
    )


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
    tried = _cancels(run)
    for intent in cancellable_orders(run):
        if not cancel_is_due(tried.get(intent.pk, Cancels()), now):
            continue
        try:
            _cancel(run, intent.pk, now)
        except BrokerError as error:
            log.warning("cancel_waits", intent=intent.pk, error=str(error))
        break
    return bool(working_orders(run))


def _lanes_without_an_answer(run: Run) -> set[tuple[str, str]]:
    """On these nothing is sent, no cancel either, until the broker's list has told what became of it."""
    return set(
        Attempt.objects.filter(
            intent__account=run.account, state__in=["SENDING", "UNKNOWN"]
        ).values_list("intent__instrument_id", "intent__side")
    )


def unanswered(run: Run):  # type: ignore[no-untyped-def]
    """Attempts of the run whose outcome is not known."""
    return Attempt.objects.filter(
        intent__origin=Intent.Origin.RUN, intent__origin_id=run.pk, state__in=["SENDING", "UNKNOWN"]
    )


def clock_of(run: Run) -> datetime:
    return market_clock(run.account).now()
