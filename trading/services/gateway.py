"""The one door: a write-ahead record, one POST, the record of its answer.

    T2  one durable transaction, account row and lane row locked: every rule on fresh inputs, then
        reservation, attempt and audit row.
    ▸   outside any transaction: a last look at the deadline and the kill switch, then one POST.
    T3  the answer classified and recorded. What is not proven is UNKNOWN and is left to `reconcile`.

Only the frame that committed T2 posts, so duplicates of tasks, clicks and workers collapse to one.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from trading.domain.costs import commission
from trading.domain.errors import BrokerError, ConfigurationError, StateConflict
from trading.domain.limits import RULE_SET_VERSION, GateInputs, RuleResult, evaluate_gate
from trading.domain.orders import (
    HALTING_CODES,
    WHITELIST_VERSION,
    AttemptState,
    Classification,
    IntentState,
    Reply,
    classify_reply,
)
from trading.domain.ports import OrderRequest, PreparedPost, RawReply
from trading.domain.quotes import Quote
from trading.domain.sessions import Phase
from trading.models import (
    Account,
    Alert,
    Attempt,
    BrokerOrder,
    Enumeration,
    Intent,
    Lane,
    Ledger,
    OrderAction,
    Reservation,
    RuleCheck,
    Side,
)
from trading.services import epochs
from trading.services.alerts import alert
from trading.services.audit import audit
from trading.services.brokers import base_url_of, broker_for
from trading.services.calendar import market_phase
from trading.services.clock import market_clock
from trading.services.crashpoints import crashpoint
from trading.services.guards import stop_when_too_much_goes_wrong
from trading.services.reconcile import ensure_reconciled
from trading.services.spool import keep_hint
from trading.services.states import move
from trading.services.switches import account_scope, engage, switch_state

__all__ = ["SendOutcome", "fresh_inputs", "reserve_for", "send"]

log = structlog.get_logger(__name__)

ATTEMPT_SECONDS = 20
MARGIN_SECONDS = 14
SOFT_RESENDS = 3


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What happened to one call of `send`.

    `state` is the intent's state afterwards. `retry` says that nothing was sent and the same intent
    may be tried again later; `reasons` are the rules that refused.
    """

    state: str
    retry: bool = False
    reasons: tuple[RuleResult, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class FreshInputs:
    """What was read from the broker just before T2."""

    quote: Quote | None = None
    sellable: int | None = None
    orderable: int | None = None
    orderable_at: datetime | None = None


WAITING_RULES = frozenset(
    {"quote_fresh", "lane_free", "cash", "pace", "no_self_trade", "no_duplicate"}
)
"""Refusals that pass by themselves: the intent stays AUTHORIZED and is tried again until its deadline."""


def send(intent_id: int, *, by: str, budget_won: int | None = None) -> SendOutcome:
    """Send one AUTHORIZED intent at most once. Safe to call any number of times, from anywhere.

    Raises BrokerError while the inputs cannot be read: nothing was sent, try again later.
    """
    intent = Intent.objects.select_related("account", "instrument", "target_order", "approval").get(
        pk=intent_id
    )
    if intent.state != IntentState.AUTHORIZED:
        return SendOutcome(intent.state, note="not authorized")
    with structlog.contextvars.bound_contextvars(intent_id=intent.pk):
        account = intent.account
        broker = broker_for(account)
        ensure_reconciled(account)
        inputs = fresh_inputs(intent)
        prepared = broker.prepare(_request(intent))
        line = broker.open_line()
        try:
            if problem := getattr(line, "problem", ""):
                return SendOutcome(intent.state, retry=True, note=problem)
            # read before T2: a switch thrown between the two looks is seen as a change
            promise = _promise(intent, inputs, prepared, by, budget_won)
            if isinstance(promise, SendOutcome):
                return promise
            crashpoint("after_T2_commit")
            attempt, monotonic_deadline = promise
            if _too_late(intent, monotonic_deadline):
                return _not_sent(attempt, intent, by)
            raw = line.post(prepared, attempt.nonce)
        finally:
            line.close()
        crashpoint("after_reply")
        reply = broker.read_reply(raw)
        return _record(attempt, intent, raw, reply, by, line.token)


# --- before T2 ------------------------------------------------------------------------------
def _request(intent: Intent) -> OrderRequest:
    target = intent.target_order
    return OrderRequest(
        ticker=intent.instrument_id,
        side="SELL" if intent.side == Side.SELL else "BUY",
        quantity=intent.quantity,
        limit_price=intent.limit_price,
        cancels=(target.org_no, target.order_no) if target is not None else None,
    )


def fresh_inputs(intent: Intent) -> FreshInputs:
    """Quote, and cash or shares, read now; the quote last, because it ages fastest."""
    if intent.action == OrderAction.CANCEL:
        return FreshInputs()
    broker = broker_for(intent.account)
    clock = market_clock(intent.account)
    if intent.side == Side.BUY:
        at = clock.now()
        orderable = broker.orderable_cash(intent.instrument_id).amount
        return FreshInputs(
            quote=broker.quote(intent.instrument_id), orderable=orderable, orderable_at=at
        )
    held = {h.ticker: h.sellable for h in broker.balance().holdings}
    return FreshInputs(
        quote=broker.quote(intent.instrument_id), sellable=held.get(intent.instrument_id, 0)
    )


def reserve_for(intent: Intent, upper_limit: int) -> int:
    """Won that a buy may cost at worst: its limit, or the day's upper limit when it has none."""
    amount = intent.quantity * (intent.limit_price or upper_limit)
    return (
        amount
        + commission(amount, intent.instrument.instrument_kind, intent.account.commission)
        + 1
    )


# --- T2 --------------------------------------------------------------------------------------
def _promise(
    intent: Intent,
    fresh: FreshInputs,
    prepared: PreparedPost,
    by: str,
    budget_won: int | None,
) -> tuple[Attempt, float] | SendOutcome:
    """The write-ahead record, or why nothing may be sent."""
    epoch = epochs.current_epoch()
    nonce = secrets.token_hex(16)
    # A cancel works on the lane of the order it cancels.
    lane, _made = Lane.objects.get_or_create(
        account=intent.account, instrument_id=intent.instrument_id, side=intent.side
    )
    monotonic_deadline = time.monotonic() + ATTEMPT_SECONDS
    try:
        with transaction.atomic(durable=True):
            Account.objects.select_for_update().get(pk=intent.account_id)
            Lane.objects.select_for_update().get(pk=lane.pk)
            intent.refresh_from_db(fields=["state", "plan_hash", "deadline_at"])
            if intent.state != IntentState.AUTHORIZED:
                return SendOutcome(intent.state, note="moved meanwhile")
            now = market_clock(intent.account).now()
            inputs = _gate_inputs(intent, lane, fresh, now, budget_won)
            results = evaluate_gate(inputs)
            refused = tuple(result for result in results if not result.passed)
            if refused:
                _store_check(intent, inputs, results, now)
                return _refuse(intent, refused, now, by)
            _reserve(intent, inputs, now)
            attempt = Attempt.objects.create(
                intent=intent,
                lane=lane,
                number=intent.attempts.count() + 1,
                action=intent.action,
                nonce=nonce,
                body=prepared.body.decode(),
                body_hash=hashlib.sha256(prepared.body).hexdigest(),
                **_baseline(intent, now),
                committed_at=now,
                deadline_at=now + timedelta(seconds=ATTEMPT_SECONDS),
                wall_deadline_at=timezone.now() + timedelta(seconds=ATTEMPT_SECONDS),
                build_id=epoch.build_id,
                epoch=epoch,
                whitelist_version=WHITELIST_VERSION,
            )
            _store_check(intent, inputs, results, now, attempt)
            move(intent, IntentState.SENDING, at=now, by=by)
            audit(
                by,
                "order_send",
                f"intent:{intent.pk}",
                {"attempt": attempt.pk, "nonce": nonce, "body_hash": attempt.body_hash},
            )
            crashpoint("before_T2_commit")
    except DatabaseError:
        return _after_doubtful_commit(intent, nonce, monotonic_deadline)
    return attempt, monotonic_deadline


def _after_doubtful_commit(
    intent: Intent, nonce: str, monotonic_deadline: float
) -> tuple[Attempt, float] | SendOutcome:
    """The commit raised: only a positive read on a new connection proves that it happened."""
    connection.close()
    found = Attempt.objects.filter(nonce=nonce).first()
    if found is None:
        log.warning("promise_not_committed")
        return SendOutcome(IntentState.AUTHORIZED, retry=True, note="not committed")
    intent.refresh_from_db()
    return found, monotonic_deadline


def _baseline(intent: Intent, now: datetime) -> dict[str, object]:
    """Orders already known on the lane, and the enumeration that knew them."""
    known = sorted(
        BrokerOrder.objects.filter(
            account=intent.account,
            trade_date=now.date(),
            instrument_id=intent.instrument_id,
            side=intent.side,
        ).values_list("order_no", flat=True)
    )
    newest = Enumeration.objects.filter(account=intent.account, complete=True).only("pk").first()
    assert newest is not None  # ensure_reconciled ran
    return {
        "baseline": known,
        "baseline_hash": hashlib.sha256(json.dumps(known).encode()).hexdigest(),
        "baseline_enumeration": newest,
    }


def _gate_inputs(
    intent: Intent, lane: Lane, fresh: FreshInputs, now: datetime, budget_won: int | None
) -> GateInputs:
    account = intent.account
    phase = market_phase(now)
    quote = fresh.quote
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    sent = Attempt.objects.filter(
        intent__account=account, action=OrderAction.ORDER, committed_at__gte=midnight
    ).aggregate(
        today=Count("pk"), minute=Count("pk", filter=Q(committed_at__gt=now - timedelta(minutes=1)))
    )
    open_lane = (
        Intent.objects.filter(
            account=account, instrument_id=intent.instrument_id, action=OrderAction.ORDER
        )
        .exclude(pk=intent.pk)
        .filter(state__in=_WORKING)
    )
    needed = reserve_for(intent, quote.upper_limit) if quote and intent.side == Side.BUY else 0
    return GateInputs(
        action=intent.action,
        origin=intent.origin,
        side=intent.side,
        quantity=intent.quantity,
        limit_price=intent.limit_price,
        kind=intent.instrument.kind,
        now=now.isoformat(),
        switch=switch_state(account),
        environment_ok=_environment_ok(account),
        market_open=phase == Phase.REGULAR,
        cancel_allowed_now=phase in (Phase.PRE_OPEN, Phase.REGULAR, Phase.CLOSING_AUCTION),
        instrument_tradable=intent.instrument.tradable,
        approval_ok=_approval_holds(intent),
        deadline=intent.deadline_at.astimezone(now.tzinfo).isoformat(),
        lane_free=not lane.attempts.filter(state__in=["SENDING", "UNKNOWN"]).exists(),
        account_paused=bool(account.paused_reason) and intent.side == Side.BUY,
        opposite_open=open_lane.exclude(side=intent.side).count(),
        duplicates=_duplicates(intent, now),
        sent_last_minute=sent["minute"],
        sent_today=sent["today"],
        quote_at=quote.at.isoformat() if quote else None,
        quote_last=quote.last if quote else None,
        upper_limit=quote.upper_limit if quote else None,
        lower_limit=quote.lower_limit if quote else None,
        halted=quote.halted if quote else None,
        vi=quote.vi if quote else None,
        warning=quote.warning if quote else "",
        sellable=fresh.sellable,
        open_sell_shares=_unseen_sell_shares(intent),
        orderable_won=fresh.orderable,
        orderable_at=fresh.orderable_at.isoformat() if fresh.orderable_at else None,
        cash_changed_at=_cash_changed_at(intent),
        reserved_won=_unseen_reservations(intent, fresh.orderable_at),
        needed_won=needed,
        budget_won=budget_won,
        budget_used_won=_budget_used(intent) if budget_won is not None else 0,
    )


_WORKING = [
    s.value
    for s in (
        IntentState.SENDING,
        IntentState.UNKNOWN,
        IntentState.ACKED,
        IntentState.PARTIAL,
        IntentState.CANCELING,
    )
]


def _environment_ok(account: Account) -> bool:
    try:
        base_url_of(account)
    except ConfigurationError:
        return False
    return account.is_active


def _approval_holds(intent: Intent) -> bool:
    """A run's order needs the approval of exactly its plan; a manual order up to the cap needs none."""
    approval = intent.approval
    if intent.origin != Intent.Origin.RUN or intent.action == OrderAction.CANCEL:
        return approval is None or approval.verdict == "APPROVE"
    return (
        approval is not None
        and approval.verdict == "APPROVE"
        and approval.plan_hash == intent.plan_hash
        and approval.account_id == intent.account_id
    )


def _duplicates(intent: Intent, now: datetime) -> int:
    """The same order of another parent within the last minute."""
    same = (
        Attempt.objects.filter(
            action=OrderAction.ORDER,
            committed_at__gt=now - timedelta(seconds=60),
            intent__account=intent.account,
            intent__instrument_id=intent.instrument_id,
            intent__side=intent.side,
            intent__quantity=intent.quantity,
            intent__limit_price=intent.limit_price,
        )
        .exclude(intent=intent)
        .exclude(state="NOT_SENT")
    )
    if intent.origin_id is not None:
        same = same.exclude(intent__origin=intent.origin, intent__origin_id=intent.origin_id)
    return same.count()


def _cash_changed_at(intent: Intent) -> str | None:
    """When a fill last moved the account's cash as far as we know: a figure read before it is old."""
    if intent.side != Side.BUY:
        return None
    newest = (
        Ledger.objects.filter(order__account=intent.account)
        .order_by("-pk")
        .values_list("posted_at", flat=True)
        .first()
    )
    return newest.isoformat() if newest is not None else None


def _unseen_sell_shares(intent: Intent) -> int:
    """Shares promised to open sells that the broker's sellable figure may not reflect yet."""
    if intent.side != Side.SELL:
        return 0
    unseen = (
        Reservation.objects.filter(
            intent__account=intent.account,
            intent__instrument_id=intent.instrument_id,
            intent__side=Side.SELL,
            closed_at=None,
        )
        .exclude(intent=intent)
        .exclude(intent__broker_order__listed=True)
    )
    return unseen.aggregate(total=Sum("shares"))["total"] or 0


def _unseen_reservations(intent: Intent, read_at: datetime | None) -> int:
    """Won promised to buys that the orderable figure cannot contain: not accepted before it was read."""
    if intent.side != Side.BUY or read_at is None:
        return 0
    unseen = (
        Reservation.objects.filter(
            intent__account=intent.account, intent__side=Side.BUY, closed_at=None
        )
        .exclude(intent=intent)
        .exclude(intent__broker_order__first_seen_at__lt=read_at)
    )
    return unseen.aggregate(total=Sum("won"))["total"] or 0


def _budget_used(intent: Intent) -> int:
    """Won that this run's buys hold or have spent since its cash was confirmed."""
    buys = Intent.objects.filter(
        origin=intent.origin,
        origin_id=intent.origin_id,
        account=intent.account,
        side=Side.BUY,
        action=OrderAction.ORDER,
    ).exclude(pk=intent.pk)
    held = Reservation.objects.filter(intent__in=buys, closed_at=None)
    spent = buys.filter(Q(reservation__closed_at__isnull=False))
    costs = BrokerOrder.objects.filter(owner__in=spent).aggregate(
        won=Sum("ledger__amount"), fee=Sum("ledger__fee")
    )
    return (
        (held.aggregate(total=Sum("won"))["total"] or 0) + (costs["won"] or 0) + (costs["fee"] or 0)
    )


def _store_check(
    intent: Intent,
    inputs: GateInputs,
    results: list[RuleResult],
    now: datetime,
    attempt: Attempt | None = None,
) -> None:
    """One row for one evaluation; with the attempt it allowed, when it allowed one."""
    stored = inputs.as_json()
    text = json.dumps(stored, sort_keys=True)
    RuleCheck.objects.create(
        intent=intent,
        attempt=attempt,
        rule_set_version=RULE_SET_VERSION,
        inputs=stored,
        inputs_hash=hashlib.sha256(text.encode()).hexdigest(),
        verdict="VETO" if attempt is None else "PASS",
        results=[{"rule": r.rule, "passed": r.passed, "numbers": r.numbers} for r in results],
        at=now,
    )


def _refuse(intent: Intent, refused: tuple[RuleResult, ...], now: datetime, by: str) -> SendOutcome:
    """Refusals that pass by themselves leave the intent as it is; the others end it."""
    names = [result.rule for result in refused]
    if set(names) <= WAITING_RULES:
        return SendOutcome(intent.state, retry=True, reasons=refused, note=",".join(names))
    move(intent, IntentState.VETOED, at=now, by=by, reason=",".join(names))
    audit(by, "order_vetoed", f"intent:{intent.pk}", {"rules": names})
    return SendOutcome(intent.state, reasons=refused, note=",".join(names))


def _reserve(intent: Intent, inputs: GateInputs, now: datetime) -> None:
    if intent.action == OrderAction.CANCEL:
        return
    buying = intent.side == Side.BUY
    promised = {
        "won": inputs.needed_won if buying else 0,
        "shares": 0 if buying else intent.quantity,
        "opened_at": now,
        "closed_at": None,
    }
    if not Reservation.objects.filter(intent=intent).update(**promised):
        Reservation.objects.create(intent=intent, **promised)


# --- the last look ---------------------------------------------------------------------------
def _too_late(intent: Intent, monotonic_deadline: float) -> bool:
    """Paused too long since T2, or stopped meanwhile: better not to send than to send late."""
    if time.monotonic() > monotonic_deadline - MARGIN_SECONDS:
        return True
    if intent.action == OrderAction.CANCEL:
        return False
    state = switch_state(intent.account)
    return state == "HALTED" or (state == "REDUCING" and intent.side == Side.BUY)


def _not_sent(attempt: Attempt, intent: Intent, by: str) -> SendOutcome:
    now = market_clock(intent.account).now()
    with transaction.atomic():
        move(attempt, AttemptState.NOT_SENT, at=now, by=by, reason="aborted before the send")
        move(intent, IntentState.AUTHORIZED, at=now, by=by, reason="aborted before the send")
        _release(intent, now)
        audit(by, "order_not_sent", f"intent:{intent.pk}", {"attempt": attempt.pk})
    return SendOutcome(intent.state, retry=True, note="aborted before the send")


def _release(intent: Intent, now: datetime) -> None:
    Reservation.objects.filter(intent=intent, closed_at=None).update(closed_at=now)


# --- T3 --------------------------------------------------------------------------------------
def _record(
    attempt: Attempt, intent: Intent, raw: RawReply, reply: Reply, by: str, token: str
) -> SendOutcome:
    verdict = classify_reply(raw.transport, reply)
    now = market_clock(intent.account).now()
    try:
        with transaction.atomic():
            outcome = _apply(attempt, intent, raw, reply, verdict, now, by)
            crashpoint("before_T3_commit")
    except (DatabaseError, StateConflict) as error:
        _spool(attempt, raw, reply)
        log.error("answer_not_recorded", attempt=attempt.pk, error=type(error).__name__)
        raise
    crashpoint("after_T3_commit")
    _after(attempt, intent, reply, verdict, token)
    return outcome


def _apply(
    attempt: Attempt,
    intent: Intent,
    raw: RawReply,
    reply: Reply,
    verdict: Classification,
    now: datetime,
    by: str,
) -> SendOutcome:
    if verdict.state is AttemptState.ACKED:
        order = _own_order(intent, reply, now)
        if order is None:
            verdict = Classification(AttemptState.UNKNOWN, why="the order number is not ours")
        else:
            move(
                attempt,
                AttemptState.ACKED,
                at=now,
                by=by,
                broker_order=order,
                **_answer(raw, reply, now),
            )
            move(intent, IntentState.ACKED, at=now, by=by)
            audit(by, "order_acked", f"intent:{intent.pk}", {"order": str(order)})
            return SendOutcome(intent.state)
    move(
        attempt,
        verdict.state,
        at=now,
        by=by,
        reason=verdict.why,
        soft=bool(verdict.code and verdict.code.soft),
        **_answer(raw, reply, now),
    )
    if verdict.state is AttemptState.NOT_SENT:
        move(intent, IntentState.AUTHORIZED, at=now, by=by, reason=verdict.why)
        _release(intent, now)
        return SendOutcome(intent.state, retry=True, note=raw.note)
    if verdict.state is AttemptState.UNKNOWN:
        move(intent, IntentState.UNKNOWN, at=now, by=by, reason=verdict.why)
        audit(by, "order_unknown", f"intent:{intent.pk}", {"why": verdict.why})
        return SendOutcome(intent.state, note=verdict.why)
    _release(intent, now)
    move(intent, IntentState.REJECTED, at=now, by=by, reason=f"{reply.msg_cd} {reply.message}")
    audit(by, "order_rejected", f"intent:{intent.pk}", {"msg_cd": reply.msg_cd})
    assert verdict.code is not None
    if verdict.code.soft and intent.attempts.filter(soft=True).count() <= SOFT_RESENDS:
        move(intent, IntentState.AUTHORIZED, at=now, by=by, reason=f"soft {reply.msg_cd}")
        return SendOutcome(intent.state, retry=True, note=reply.msg_cd)
    return SendOutcome(intent.state, note=reply.msg_cd)


def _answer(raw: RawReply, reply: Reply, now: datetime) -> dict[str, Any]:
    return {
        "answered_at": now if raw.transport == "answered" else None,
        "http_status": raw.status,
        "msg_cd": reply.msg_cd,
        "message": reply.message or raw.note,
        "reply_body": raw.body.decode("utf-8", "replace")[:20_000],
    }


def _own_order(intent: Intent, reply: Reply, now: datetime) -> BrokerOrder | None:
    """The broker's order under the number it answered with; None when that number is somebody else's."""
    order_no = reply.order_no.zfill(10)
    changing = intent.action == OrderAction.CANCEL
    known = BrokerOrder.objects.filter(
        account=intent.account, trade_date=now.date(), order_no=order_no
    ).first()
    if known is not None:
        fits = (
            known.owner_id is None
            and known.instrument_id == intent.instrument_id
            and known.side == intent.side
            and (changing or known.quantity == intent.quantity)
        )
        if not fits:
            return None
        BrokerOrder.objects.filter(pk=known.pk).update(
            owner=intent, source=BrokerOrder.Source.ACK, org_no=reply.org_no or known.org_no
        )
        known.refresh_from_db()
        return known
    target = intent.target_order
    return BrokerOrder.objects.create(
        account=intent.account,
        trade_date=now.date(),
        org_no=reply.org_no,
        order_no=order_no,
        original_order_no=target.order_no if target is not None else "",
        owner=intent,
        source=BrokerOrder.Source.ACK,
        instrument_id=intent.instrument_id,
        side=intent.side,
        quantity=intent.quantity,
        price=intent.limit_price,
        remaining_quantity=0 if changing else intent.quantity,
        is_final=changing,
        order_time=reply.order_time,
        first_seen_at=now,
        last_seen_at=now,
    )


def _after(
    attempt: Attempt, intent: Intent, reply: Reply, verdict: Classification, token: str
) -> None:
    """What follows an answer outside its transaction: tokens, pace, alerts, an automatic stop."""
    account = intent.account
    stop_when_too_much_goes_wrong(account)
    if attempt.state == AttemptState.UNKNOWN:
        alert(
            "order_unknown",
            severity=Alert.Severity.WARNING,
            account=account,
            intent_id=intent.pk,
            run_id=intent.origin_id if intent.origin == Intent.Origin.RUN else None,
            why=verdict.why,
            msg_cd=reply.msg_cd,
        )
        return
    if attempt.state != AttemptState.REJECTED:
        return
    if reply.msg_cd in HALTING_CODES:
        engage(account_scope(account), "HALTED", "system", f"broker says {reply.msg_cd}")
        alert("broker_refuses_account", severity="page", account=account, msg_cd=reply.msg_cd)
    if verdict.code is not None and verdict.code.token:
        try:
            broker_for(account).renew_token(token)
        except BrokerError as error:
            log.warning("token_not_renewed", error=str(error))
    elif verdict.code is not None and verdict.code.soft:
        broker_for(account).slow_down()


def _spool(attempt: Attempt, raw: RawReply, reply: Reply) -> None:
    """The database did not take the answer: keep it as a hint that still needs an inquiry."""
    keep_hint(
        attempt.nonce,
        {
            "attempt": attempt.pk,
            "transport": raw.transport,
            "status": raw.status,
            "msg_cd": reply.msg_cd,
            "order_no": reply.order_no,
        },
    )
