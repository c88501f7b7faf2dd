"""Orders without an answer: adopted when exactly one row fits, counted absent look by look, left to a person.

Under the account's row lock. What a list does not show proves something only after a while and more than once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from trading.domain.errors import StateConflict
from trading.domain.orders import AttemptState, IntentState
from trading.domain.ports import OrderRow
from trading.domain.reconciliation import candidates
from trading.models import (
    Account,
    Alert,
    Attempt,
    BrokerOrder,
    Decision,
    Intent,
    Lane,
    OrderAction,
    Reservation,
)
from trading.models.prepared import Prepared
from trading.selectors.calendar import AFTER_CLOSE, hours_on, known_calendar, session_over
from trading.selectors.sought import sought_of
from trading.services import epochs
from trading.services.account_lock import lock_account
from trading.services.alerts import alert
from trading.services.audit import audit
from trading.services.booking import see_order
from trading.services.clock import market_clock
from trading.services.spool import take_hint
from trading.services.states import move

__all__ = [
    "ABSENT_AFTER",
    "CHECKS_NEEDED",
    "adopt",
    "declare_absent",
    "record_decision",
    "resolve",
    "unanswered",
]

ABSENT_AFTER = timedelta(seconds=180)
CHECK_EVERY = timedelta(seconds=20)
CHECKS_NEEDED = 3
SYSTEM = "system"


def unanswered(account: Account) -> QuerySet[Attempt]:
    """Attempts of the account that are on their way or unknown."""
    return Attempt.objects.filter(intent__account=account, state__in=["SENDING", "UNKNOWN"])


def is_unanswered(account: Account) -> bool:
    """Whether there is any."""
    return bool(_ANY_UNANSWERED(account=account.pk))


_ANY_UNANSWERED = Prepared(
    lambda value: Attempt.objects.filter(
        intent__account=value.account, state__in=["SENDING", "UNKNOWN"]
    ).values_list("pk", flat=True)[:1],
    account=int,
)


def resolve(account: Account, rows: tuple[OrderRow, ...]) -> None:
    """Two complete, equal passes are in hand: adopt what is unambiguous."""
    attempts = unanswered(account).select_related(
        "intent__account", "intent__instrument", "intent__target_order", "lane"
    )
    for attempt in attempts:
        if attempt.state == AttemptState.SENDING and not _overdue(attempt):
            continue
        _settle(attempt, rows)


def _overdue(attempt: Attempt) -> bool:
    """The sender died, or its deadline passed long enough ago that its frame cannot still post."""
    return timezone.now() > attempt.wall_deadline_at or epochs.has_ended(attempt.epoch_id)


def _settle(attempt: Attempt, rows: tuple[OrderRow, ...]) -> None:
    intent = attempt.intent
    now = market_clock(intent.account).now()
    with transaction.atomic():
        lock_account(intent.account_id)
        if attempt.state == AttemptState.SENDING:
            move(attempt, AttemptState.UNKNOWN, at=now, by=SYSTEM, reason="no answer recorded")
            move(intent, IntentState.UNKNOWN, at=now, by=SYSTEM, reason="no answer recorded")
            _page_unknown(intent, "no answer recorded")
        found = candidates(rows, sought_of(attempt))
        if len(found) == 1:
            adopt(attempt, intent, found[0], now, SYSTEM)
            return
        if len(found) > 1:
            alert(
                "unknown_ambiguous",
                severity=Alert.Severity.PAGE,
                account=intent.account,
                intent_id=intent.pk,
                orders=[row.order_no for row in found],
            )
            return
        _count_absence(attempt, intent, now)


def adopt(attempt: Attempt, intent: Intent, row: OrderRow, now: datetime, by: str) -> None:
    order, made = BrokerOrder.objects.get_or_create(
        account=intent.account,
        trade_date=row.trade_date,
        order_no=row.order_no,
        defaults={
            "org_no": row.org_no,
            "original_order_no": row.original_order_no,
            "owner": intent,
            "source": BrokerOrder.Source.ADOPTED,
            "instrument_id": row.ticker,
            "side": row.side,
            "quantity": intent.quantity,  # as it was sent: what the broker made of it is told when it is seen
            "price": row.price,
            "remaining_quantity": row.remaining_quantity,
            "order_time": row.order_time,
            "first_seen_at": now,
            "last_seen_at": now,
        },
    )
    if not made:
        BrokerOrder.objects.filter(pk=order.pk, owner=None).update(
            owner=intent, source=BrokerOrder.Source.ADOPTED
        )
        order.refresh_from_db()
        if order.owner_id != intent.pk:
            raise StateConflict("order_has_owner", order=order.identity)
    move(attempt, AttemptState.ACKED, at=now, by=by, reason="adopted", broker_order=order)
    move(intent, IntentState.ACKED, at=now, by=by, reason="adopted")
    audit(
        by,
        "order_adopted",
        f"intent:{intent.pk}",
        {"order": order.identity, "spooled_answer": take_hint(attempt.nonce)},
    )
    Alert.objects.filter(
        code__in=["order_unknown", "unknown_absent"], intent_id=intent.pk, acknowledged_at=None
    ).update(acknowledged_at=timezone.now(), acknowledged_by=SYSTEM)
    order.owner = intent
    see_order(order, row, now, session_over=session_over(now))


def _count_absence(attempt: Attempt, intent: Intent, now: datetime) -> None:
    """Not listed. Before the absence window that is no evidence at all; after it, three looks apart."""
    if now < attempt.deadline_at + ABSENT_AFTER:
        return
    if attempt.last_checked_at and now - attempt.last_checked_at < CHECK_EVERY:
        return
    checks = attempt.absence_checks + 1
    presumed = checks >= CHECKS_NEEDED
    Attempt.objects.filter(pk=attempt.pk).update(
        absence_checks=checks, last_checked_at=now, absent_presumed=presumed
    )
    if not presumed:
        return
    if attempt.action == OrderAction.CANCEL and intent.target_order.is_final:  # type: ignore[union-attr]
        # The target is final whether or not the cancel arrived: nothing can follow from it.
        declare_absent(attempt, intent, now, "rule:target_final")
        return
    alert(
        "unknown_absent",
        severity=Alert.Severity.PAGE,
        account=intent.account,
        intent_id=intent.pk,
        checks=checks,
    )


def _page_unknown(intent: Intent, why: str) -> None:
    alert(
        "order_unknown",
        account=intent.account,
        intent_id=intent.pk,
        run_id=intent.origin_id if intent.origin == Intent.Origin.RUN else None,
        why=why,
    )


def declare_absent(
    attempt: Attempt,
    intent: Intent,
    now: datetime,
    by: str,
    evidence: dict[str, object] | None = None,
) -> None:
    record_decision(attempt, Decision.Verdict.ABSENT, by, now, evidence or {})
    move(attempt, AttemptState.ABSENT, at=now, by=by, reason="declared absent")
    move(intent, IntentState.ABANDONED, at=now, by=by, reason="declared absent")
    Reservation.objects.filter(intent=intent, closed_at=None).update(closed_at=now)
    Lane.objects.filter(pk=attempt.lane_id).update(late_watch_until=_end_of_next_session(now))
    audit(by, "order_declared_absent", f"intent:{intent.pk}", {"attempt": attempt.pk})


def _end_of_next_session(now: datetime) -> datetime:
    """Until then the lane is watched for the order that was declared absent; over a weekend that is Monday."""
    try:
        return hours_on(known_calendar().next_session(now.date())).close + AFTER_CLOSE
    except ValueError:
        return now + timedelta(days=7)  # beyond the table of sessions: longer than any closure


def record_decision(
    attempt: Attempt,
    verdict: str,
    by: str,
    now: datetime,
    evidence: dict[str, object],
    order_no: str = "",
) -> None:
    Decision.objects.create(
        intent=attempt.intent,
        attempt=attempt,
        verdict=verdict,
        by=by,
        at=now,
        order_no=order_no,
        evidence=evidence,
    )
