"""The only way out of not knowing: read the broker's whole order list and compare.

Fills are booked from here and from nowhere else. A row may add knowledge; a missing row proves
something only in a complete list, read more than once.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from trading.domain.errors import BrokerUnavailable, StateConflict
from trading.domain.orders import AttemptState, IntentState
from trading.domain.ports import OrderList, OrderRow
from trading.domain.reconciliation import candidates, keys_of
from trading.models import (
    Account,
    Alert,
    Attempt,
    BrokerOrder,
    Decision,
    Enumeration,
    Intent,
    Lane,
    OrderAction,
    ReconciledEpoch,
    Reservation,
)
from trading.selectors.calendar import hours_on, known_calendar
from trading.selectors.sought import sought_of
from trading.selectors.unclaimed import row_as_json
from trading.services import epochs
from trading.services.alerts import alert
from trading.services.audit import audit
from trading.services.booking import book_rows, follow_final, see_order
from trading.services.brokers import broker_for
from trading.services.clock import SEOUL, market_clock
from trading.services.guards import stop_when_the_clock_is_off
from trading.services.refusals import check_refusals, is_unchecked
from trading.services.spool import take_hint
from trading.services.states import move
from trading.services.whole_lists import tell_untrue_list, whole_or_not

__all__ = [
    "ABSENT_AFTER",
    "decide_unknown",
    "ensure_reconciled",
    "enumerate_orders",
    "reconcile_account",
]

log = structlog.get_logger(__name__)

ABSENT_AFTER = timedelta(seconds=180)
CHECK_EVERY = timedelta(seconds=20)
CHECKS_NEEDED = 3
AFTER_CLOSE = timedelta(minutes=1)
SYSTEM = "system"


def ensure_reconciled(account: Account) -> None:
    """Before this process sends anything for `account` today it must have read its whole order list.

    Raises BrokerUnavailable when the list cannot be read to its end.
    """
    today = market_clock(account).now().date()
    epoch = epochs.current_epoch()
    if ReconciledEpoch.objects.filter(epoch=epoch, account=account, trade_date=today).exists():
        return
    if not reconcile_account(account).complete:
        raise BrokerUnavailable("the order list could not be read to its end")


def reconcile_account(account: Account) -> Enumeration:
    """Read the order list, book what is new, and try to resolve what is unknown.

    A complete reading lets this process send for the account for the rest of the day.
    """
    found, listing = _enumerate(account)
    if found.complete:
        _mark_reconciled(account, found)
    if _unanswered(account).exists():
        second, again = _enumerate(account)
        if found.complete and second.complete and keys_of(listing.rows) == keys_of(again.rows):
            _resolve(account, again.rows)
        return second
    return found


def _mark_reconciled(account: Account, found: Enumeration) -> None:
    row = {"epoch_id": found.epoch_id, "account": account, "trade_date": found.trade_date}
    if not ReconciledEpoch.objects.filter(**row).exists():
        ReconciledEpoch.objects.bulk_create(
            [ReconciledEpoch(**row, at=found.ended_at)], ignore_conflicts=True
        )


def enumerate_orders(account: Account) -> Enumeration:
    """One pass over today's orders, recorded and booked."""
    return _enumerate(account)[0]


def _enumerate(account: Account) -> tuple[Enumeration, OrderList]:
    clock = market_clock(account)
    started = clock.now()
    day = started.date()
    first = _first_open_day(account, started)
    broker = broker_for(account)
    listing = whole_or_not(account, broker.orders(first, day), day)
    skew = broker.clock_skew()
    ended = clock.now()
    text = "\n".join(sorted(map(repr, listing.rows)))
    with transaction.atomic():
        record = Enumeration.objects.create(
            account=account,
            trade_date=day,
            scope="ALL" if account.wire == "real" else "KRX",
            pages=listing.pages,
            complete=listing.complete,
            problem=listing.problem,
            rows=len(listing.rows),
            rows_hash=hashlib.sha256(text.encode()).hexdigest(),
            started_at=started,
            ended_at=ended,
            epoch=epochs.current_epoch(),
        )
        unclaimed = book_rows(account, listing.rows, ended, session_over=_session_over(ended))
        if unclaimed:
            record.unclaimed = [row_as_json(row) for row in unclaimed]
            record.save(update_fields=["unclaimed"])
        check_refusals(account, listing.rows, first, started, ended, complete=listing.complete)
    if listing.complete:
        stop_when_the_clock_is_off(account, skew)
        _close_yesterday(account, ended)
    else:
        log.warning("order_list_incomplete", problem=listing.problem)
        tell_untrue_list(account, listing)
    return record, listing


def _first_open_day(account: Account, now: datetime) -> date:
    """The list must reach back to the oldest order that is not over: yesterday's last fills, an answer
    that never came, a refusal that nobody checked and an order declared absent are only found on their
    own day."""
    today = now.date()
    orders = BrokerOrder.objects.filter(account=account, is_final=False)
    first = orders.order_by("trade_date").values_list("trade_date", flat=True).first()
    if first is None:
        first = _oldest_unfilled(account, since=_settled_before(account, today))
    days = [today, *([first] if first else [])]
    unanswered = Q(state__in=["SENDING", "UNKNOWN"])
    watched = Q(state=AttemptState.ABSENT, lane__late_watch_until__gt=now)
    waiting = Attempt.objects.filter(
        unanswered | is_unchecked(now) | watched, intent__account=account
    )
    oldest = waiting.order_by("committed_at").values_list("committed_at", flat=True).first()
    if oldest is not None:
        days.append(oldest.astimezone(SEOUL).date())
    return min(days)


def _settled_before(account: Account, today: date) -> date:
    """A late fill stays bookable until its day was read once more on a later day: usually the session before
    today, after a longer absence the day of the last complete reading."""
    last = Enumeration.objects.filter(account=account, complete=True).only("trade_date").first()
    before = _session_before(today)
    return before if last is None else min(before, last.trade_date)


def _oldest_unfilled(account: Account, since: date) -> date | None:
    """The day of the oldest order of ours that never filled whole."""
    unfilled = BrokerOrder.objects.filter(
        account=account, trade_date__gte=since, filled_quantity__lt=F("quantity")
    ).exclude(owner=None)
    return unfilled.order_by("trade_date").values_list("trade_date", flat=True).first()


def _session_before(day: date) -> date:
    try:
        return known_calendar().previous_session(day)
    except ValueError:
        return day


# --- ends of days ----------------------------------------------------------------------------
def _session_over(now: datetime) -> bool:
    """Day orders do not outlive the close, whatever the list still shows as remaining."""
    try:
        return now >= hours_on(now.date()).close + AFTER_CLOSE
    except ValueError:
        return False


def _close_yesterday(account: Account, now: datetime) -> None:
    """Orders of an earlier day are final; what was not filled has expired."""
    old = BrokerOrder.objects.filter(account=account, trade_date__lt=now.date(), is_final=False)
    if not (keys := list(old.values_list("pk", flat=True))):
        return
    orders = BrokerOrder.objects.filter(pk__in=keys)
    for order in orders.select_related("owner__sleeve", "instrument", "account"):
        with transaction.atomic():
            follow_final(order, now)


# --- what is unknown -------------------------------------------------------------------------
def _unanswered(account: Account):  # type: ignore[no-untyped-def]
    return Attempt.objects.filter(intent__account=account, state__in=["SENDING", "UNKNOWN"])


def _resolve(account: Account, rows: tuple[OrderRow, ...]) -> None:
    """Two complete, equal passes are in hand: adopt what is unambiguous."""
    attempts = _unanswered(account).select_related(
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
        Account.objects.select_for_update().get(pk=intent.account_id)
        if attempt.state == AttemptState.SENDING:
            move(attempt, AttemptState.UNKNOWN, at=now, by=SYSTEM, reason="no answer recorded")
            move(intent, IntentState.UNKNOWN, at=now, by=SYSTEM, reason="no answer recorded")
            _page_unknown(intent, "no answer recorded")
        found = candidates(rows, sought_of(attempt))
        if len(found) == 1:
            _adopt(attempt, intent, found[0], now, SYSTEM)
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


def _adopt(attempt: Attempt, intent: Intent, row: OrderRow, now: datetime, by: str) -> None:
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
            "quantity": row.quantity,
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
            raise StateConflict("order_has_owner", order=str(order))
    move(attempt, AttemptState.ACKED, at=now, by=by, reason="adopted", broker_order=order)
    move(intent, IntentState.ACKED, at=now, by=by, reason="adopted")
    audit(
        by,
        "order_adopted",
        f"intent:{intent.pk}",
        {"order": str(order), "spooled_answer": take_hint(attempt.nonce)},
    )
    Alert.objects.filter(
        code__in=["order_unknown", "unknown_absent"], intent_id=intent.pk, acknowledged_at=None
    ).update(acknowledged_at=timezone.now(), acknowledged_by=SYSTEM)
    order.owner = intent
    see_order(order, row, now, session_over=_session_over(now))


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
        _declare_absent(attempt, intent, now, "rule:target_final")
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


# --- what a person decides -------------------------------------------------------------------
def decide_unknown(attempt_id: int, verdict: str, by: str, order_no: str = "") -> Attempt:
    """A person's word on an UNKNOWN attempt: adopt `order_no`, declare it absent, or leave it.

    Raises StateConflict when the evidence of this very moment does not allow it.
    """
    attempt = Attempt.objects.select_related(
        "intent__account", "intent__instrument", "intent__target_order", "lane"
    ).get(pk=attempt_id)
    if attempt.state != AttemptState.UNKNOWN:
        raise StateConflict("not_unknown", attempt=attempt.pk, state=attempt.state)
    intent = attempt.intent
    record, listing = _enumerate(intent.account)
    found = candidates(listing.rows, sought_of(attempt))
    now = market_clock(intent.account).now()
    evidence = {"enumeration": record.pk, "candidates": [row.order_no for row in found]}
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=intent.account_id)
        if verdict == Decision.Verdict.ADOPT:
            chosen = [row for row in found if row.order_no == order_no.zfill(10)]
            if not chosen:
                raise StateConflict("no_such_candidate", order_no=order_no)
            _decision(attempt, verdict, by, now, evidence, chosen[0].order_no)
            _adopt(attempt, intent, chosen[0], now, by)
        elif verdict == Decision.Verdict.ABSENT:
            _require_absence(attempt, record, found)
            _declare_absent(attempt, intent, now, by, evidence)
        else:
            _decision(attempt, Decision.Verdict.LEAVE, by, now, evidence)
    attempt.refresh_from_db()
    return attempt


def _require_absence(attempt: Attempt, record: Enumeration, found: list[OrderRow]) -> None:
    if not record.complete:
        raise StateConflict("list_incomplete", problem=record.problem)
    if found:
        raise StateConflict("candidate_exists", orders=[row.order_no for row in found])
    if not attempt.absent_presumed:
        raise StateConflict("too_early", checks=attempt.absence_checks)
    if (
        attempt.answered_at is None
        and not attempt.message
        and not epochs.has_ended(attempt.epoch_id)
    ):
        raise StateConflict("sender_alive", attempt=attempt.pk)


def _declare_absent(
    attempt: Attempt,
    intent: Intent,
    now: datetime,
    by: str,
    evidence: dict[str, object] | None = None,
) -> None:
    _decision(attempt, Decision.Verdict.ABSENT, by, now, evidence or {})
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


def _decision(
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
