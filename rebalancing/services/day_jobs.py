"""The jobs of the trading day, once for each account by the market's clock, and told when missed.

A job that fails is tried again until its day is over: its row says `started` until it is done, so a crash
in the middle is not taken for success.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from portfolio.models import TargetDecision
from rebalancing.domain.day_jobs import (
    CLOSE,
    JOBS,
    Job,
    JobSlot,
    JobTiming,
    job_slot,
    missed_before,
)
from rebalancing.domain.schedules import moment_on
from rebalancing.models import Run, RunSchedule
from rebalancing.selectors.drift import drift_of
from rebalancing.services.targets import current_config, current_target
from trading.domain.errors import BrokerError, ConfigurationError, InputError
from trading.domain.sessions import Calendar
from trading.models import Account, Alert, ScheduleFire, Snapshot
from trading.selectors.calendar import known_calendar
from trading.selectors.snapshots import latest_snapshot
from trading.services.alerts import alert
from trading.services.audit import audit
from trading.services.clock import market_clock
from trading.services.reconcile import reconcile_account
from trading.services.snapshots import take_snapshot

__all__ = ["closing_snapshots", "run_day_jobs"]

log = structlog.get_logger(__name__)
AGAIN = timedelta(minutes=2)
"""A job that began and did not end is begun again after this."""
FRESH = timedelta(minutes=2)
Outcome = ScheduleFire.Outcome


class _NotYetError(Exception):
    """What the job needs is not there yet; it is tried again."""


def closing_snapshots(account: Account) -> list[int]:
    """The looks at the close, one a day, that are kept for good."""
    rows = ScheduleFire.objects.filter(job=CLOSE.name_for(account.pk), outcome=Outcome.DONE)
    return [facts["snapshot"] for facts in rows.values_list("facts", flat=True) if facts]


def run_day_jobs() -> list[str]:
    """Do what is due; returns the names of the jobs that were done now."""
    done = []
    for account in Account.objects.filter(is_active=True):
        try:
            now = market_clock(account).now()
        except ConfigurationError:
            continue
        calendar = known_calendar()
        for job in JOBS:
            try:
                _tell_missed(account, job, now, calendar)
                slot = job_slot(job, now, calendar)
                if slot is not None and _do(account, job, slot, now, calendar):
                    done.append(job.name_for(account.pk))
            except Exception:  # the other accounts have their day too
                log.exception("day_job_broken", job=job.name_for(account.pk))
    return done


# --- what was missed -------------------------------------------------------------------------
def _tell_missed(account: Account, job: Job, now: datetime, calendar: Calendar) -> None:
    """A simulated market stands still while nobody runs it: there nothing of yesterday is missing."""
    if account.environment == Account.Environment.SIM:
        return
    slot = missed_before(job, now, calendar)
    if slot is not None:
        _skip(account, job, slot, now)


def _skip(account: Account, job: Job, slot: JobSlot, now: datetime) -> None:
    """Close a slot that can no longer be done. A job that never ran here has missed nothing."""
    with transaction.atomic():
        name = job.name_for(account.pk)
        known = ScheduleFire.objects.filter(job=name).exists()
        row, made = _row(account, job, slot, now, Outcome.SKIPPED)
        if not made and not _end(row, Outcome.SKIPPED, was=Outcome.STARTED):
            return
        if known:
            audit(
                "schedule",
                "day_job_missed",
                f"account:{account.pk}",
                {"job": name, "slot": slot.name},
            )
            when = f"{slot.moment:%Y-%m-%d %H:%M}"
            code = "check_missed" if job.code == "check" else "close_missed"
            # closed once: each day that is missed is told
            alert(code, account=account, repeat_after=timedelta(0), when=when)


# --- what is due -----------------------------------------------------------------------------
def _do(account: Account, job: Job, slot: JobSlot, now: datetime, calendar: Calendar) -> bool:
    if slot.timing is JobTiming.MISSED:
        _skip(account, job, slot, now)
        return False
    row, made = _row(account, job, slot, now, Outcome.STARTED)
    if not made and not _take_over(row, now):
        return False
    try:
        outcome, facts = _WORK[job.code](account, now, calendar)
    except (BrokerError, ConfigurationError, InputError, _NotYetError) as error:
        log.warning("day_job_waits", job=row.job, error=str(error))
        return False
    return _end(row, outcome, **facts)


def _row(
    account: Account, job: Job, slot: JobSlot, now: datetime, outcome: str
) -> tuple[ScheduleFire, bool]:
    return ScheduleFire.objects.get_or_create(
        job=job.name_for(account.pk),
        slot=slot.name,
        defaults={"fired_at": now, "account": account, "outcome": outcome},
    )


def _take_over(row: ScheduleFire, now: datetime) -> bool:
    left = ScheduleFire.objects.filter(pk=row.pk, outcome=Outcome.STARTED, fired_at__lt=now - AGAIN)
    return bool(left.update(fired_at=now))


def _end(row: ScheduleFire, outcome: str, was: str = Outcome.STARTED, **facts: Any) -> bool:
    """Only one of two workers ends a slot."""
    mine = ScheduleFire.objects.filter(pk=row.pk, outcome=was)
    return bool(mine.update(outcome=outcome, facts=facts))


Work = Callable[[Account, datetime, Calendar], tuple[str, dict[str, Any]]]


def _check(account: Account, now: datetime, calendar: Calendar) -> tuple[str, dict[str, Any]]:
    """Say so when a threshold is exceeded and nothing is going to act on it today."""
    target, newest = current_target(account), latest_snapshot(account)
    if target is None:
        return Outcome.QUIET, {"exceeded": 0}
    if Run.objects.filter(account=account, terminal_at=None).exists():
        return Outcome.QUIET, {"running": True}
    if newest is None or now - newest.taken_at > FRESH:
        raise _NotYetError("no fresh look at the account")
    exceeded = _exceeded(newest, target)
    if not exceeded or _acts_today(account, now, calendar):
        return Outcome.QUIET, {"exceeded": exceeded}
    alert("drift_waits", account=account, severity=Alert.Severity.INFO, count=exceeded)
    return Outcome.DONE, {"exceeded": exceeded}


def _exceeded(snapshot: Snapshot, target: TargetDecision) -> int:
    """How many classes and names have reached their threshold."""
    if snapshot.equity <= 0:
        return 0
    return len(drift_of(snapshot, target, current_config()).triggers)


def _acts_today(account: Account, now: datetime, calendar: Calendar) -> bool:
    """Whether a schedule looks at the drift today; one that waits for money does not."""
    rules = [
        schedule.rule
        for schedule in RunSchedule.objects.filter(account=account, enabled=True)
        if schedule.kind != "cash_flow"
    ]
    return any(moment_on(rule, now.date(), calendar) is not None for rule in rules)


def _close(account: Account, now: datetime, calendar: Calendar) -> tuple[str, dict[str, Any]]:
    """The day's whole order list once more, and the account as it stands at the close."""
    found = reconcile_account(account)
    if not found.complete:
        raise _NotYetError("the order list is incomplete")
    target = current_target(account)
    sub = target.snapshot["sub"] if target else {}
    snapshot = take_snapshot(account, [t for tickers in sub.values() for t in tickers])
    return Outcome.DONE, {"snapshot": snapshot.pk, "equity": snapshot.equity, "orders": found.rows}


_WORK: Mapping[str, Work] = {"check": _check, "close": _close}
