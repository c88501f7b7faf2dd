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
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from trading.domain.limits import RULE_SET_VERSION, GateInputs, RuleResult, evaluate_gate
from trading.domain.orders import WHITELIST_VERSION, AttemptState, IntentState
from trading.domain.ports import OrderRequest, PreparedPost
from trading.domain.sending import WAITING_RULES, SendOutcome
from trading.models import (
    Attempt,
    BrokerOrder,
    Enumeration,
    Intent,
    Lane,
    OrderAction,
    RuleCheck,
    Side,
)
from trading.services import epochs
from trading.services.account_lock import lock_account
from trading.services.answers import record_answer
from trading.services.audit import audit
from trading.services.brokers import broker_for
from trading.services.clock import market_clock
from trading.services.crashpoints import crashpoint
from trading.services.gate_inputs import FreshInputs, fresh_inputs, gate_inputs
from trading.services.reconcile import ensure_reconciled
from trading.services.reservations import release, reserve
from trading.services.states import born, move
from trading.services.switches import switch_state

__all__ = ["send"]

log = structlog.get_logger(__name__)

ATTEMPT_SECONDS = 20
MARGIN_SECONDS = 14


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
        return record_answer(attempt, intent, raw, reply, by, line.token)


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
            lock_account(intent.account_id)
            Lane.objects.select_for_update().get(pk=lane.pk)
            intent.refresh_from_db(fields=["state", "plan_hash", "deadline_at"])
            if intent.state != IntentState.AUTHORIZED:
                return SendOutcome(intent.state, note="moved meanwhile")
            now = market_clock(intent.account).now()
            inputs = gate_inputs(intent, lane, fresh, now, budget_won)
            results = evaluate_gate(inputs)
            refused = tuple(result for result in results if not result.passed)
            if refused:
                _store_check(intent, inputs, results, now)
                return _refuse(intent, refused, now, by)
            number = intent.attempts.count() + 1
            reserve(intent, inputs.needed_won, now, again=number > 1)
            attempt = Attempt.objects.create(
                intent=intent,
                lane=lane,
                number=number,
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
            born(attempt, (AttemptState.SENDING,), at=now, by=by)
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
        release(intent, now)
        audit(by, "order_not_sent", f"intent:{intent.pk}", {"attempt": attempt.pk})
    return SendOutcome(intent.state, retry=True, note="aborted before the send")
