"""T3: the record of one answer. What is not proven is UNKNOWN and is left to `reconcile`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.db import DatabaseError, transaction

from trading.domain.errors import BrokerError, ConfigurationError, StateConflict
from trading.domain.orders import (
    HALTING_CODES,
    AttemptState,
    Classification,
    IntentState,
    Reply,
    classify_reply,
)
from trading.domain.ports import RawReply
from trading.domain.sending import SOFT_RESENDS, SendOutcome
from trading.models import Account, Alert, Attempt, BrokerOrder, Intent, OrderAction
from trading.services.alerts import alert
from trading.services.audit import audit
from trading.services.brokers import broker_for
from trading.services.clock import market_clock
from trading.services.crashpoints import crashpoint
from trading.services.disowning import NOT_OURS, tell_number_not_ours
from trading.services.guards import stop_when_too_much_goes_wrong
from trading.services.reconcile import enumerate_orders
from trading.services.reservations import release
from trading.services.spool import keep_hint
from trading.services.states import move
from trading.services.switches import account_scope, engage

__all__ = ["record_answer"]

log = structlog.get_logger(__name__)


def record_answer(
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
    log.info(
        "order_answered",
        intent_id=intent.pk,
        attempt_id=attempt.pk,
        run_id=intent.origin_id,
        order_no=reply.order_no,
        state=outcome.state,
    )
    _after(attempt, intent, reply, verdict, token, outcome.note)
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
        order = _own_order(attempt, intent, reply, now)
        if order is None:
            verdict = Classification(AttemptState.UNKNOWN, why=NOT_OURS)
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
            audit(by, "order_acked", f"intent:{intent.pk}", {"order": order.identity})
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
        release(intent, now)
        return SendOutcome(intent.state, retry=True, note=raw.note)
    if verdict.state is AttemptState.UNKNOWN:
        move(intent, IntentState.UNKNOWN, at=now, by=by, reason=verdict.why)
        audit(by, "order_unknown", f"intent:{intent.pk}", {"why": verdict.why})
        return SendOutcome(intent.state, note=verdict.why)
    release(intent, now)
    move(intent, IntentState.REJECTED, at=now, by=by, reason=f"{reply.msg_cd} {reply.message}")
    audit(by, "order_rejected", f"intent:{intent.pk}", {"msg_cd": reply.msg_cd})
    assert verdict.code is not None
    if verdict.code.soft and intent.attempts.filter(soft=True).count() <= SOFT_RESENDS:
        if verdict.code.enumerate_first:
            # `check_refusals` lets it go again once a list has shown that nothing came
            return SendOutcome(intent.state, retry=True, note=reply.msg_cd)
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


def _own_order(attempt: Attempt, intent: Intent, reply: Reply, now: datetime) -> BrokerOrder | None:
    """The broker's order under the number it answered with; None when that number is somebody else's, or
    was there before anything was sent."""
    order_no = reply.order_no.zfill(10)
    changing = intent.action == OrderAction.CANCEL
    known = BrokerOrder.objects.filter(
        account=intent.account, trade_date=now.date(), order_no=order_no
    ).first()
    if known is not None:
        fits = (
            known.owner_id is None
            and order_no not in attempt.baseline
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
    attempt: Attempt, intent: Intent, reply: Reply, verdict: Classification, token: str, why: str
) -> None:
    """What follows an answer outside its transaction: tokens, pace, alerts, an automatic stop. `why` is what
    the recorded state says of itself."""
    account = intent.account
    stop_when_too_much_goes_wrong(account)
    if attempt.state == AttemptState.UNKNOWN:
        alert(
            "order_unknown",
            severity=Alert.Severity.WARNING,
            account=account,
            intent_id=intent.pk,
            run_id=intent.origin_id if intent.origin == Intent.Origin.RUN else None,
            why=why,
            msg_cd=reply.msg_cd,
        )
        if why == NOT_OURS:
            tell_number_not_ours(intent, reply.order_no.zfill(10))
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
    if intent.action == OrderAction.ORDER and reply.msg_cd not in HALTING_CODES:
        _verify(account)


def _verify(account: Account) -> None:
    """One look at the list for the refusal; where it cannot be read the next look checks it."""
    try:
        enumerate_orders(account)
    except (BrokerError, ConfigurationError) as error:
        log.warning("refusal_not_checked", account=account.pk, error=str(error))


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
