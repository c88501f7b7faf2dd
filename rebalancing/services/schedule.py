"""Scheduled runs: a slot fires once, whoever looks at the clock first; a missed one is never silent.

Schedules follow the market's clock, which for a simulated account is the simulator's.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction

from rebalancing.domain.schedules import Kind, Slot, Timing, due_slots
from rebalancing.models import Run, RunSchedule
from rebalancing.services.flows import begin_to_count, flow_since
from rebalancing.services.runs import active_run, run_open
from trading.domain.errors import ConfigurationError, RuleViolation, StateConflict
from trading.domain.sessions import Calendar
from trading.models import Alert, ScheduleFire
from trading.selectors.calendar import known_calendar
from trading.services.alerts import alert
from trading.services.audit import audit
from trading.services.clock import market_clock

__all__ = ["fire_due_schedules"]

log = structlog.get_logger(__name__)
FRESH = timedelta(minutes=2)
"""A look at the account that is older says nothing about money that came or went."""
AGAIN = timedelta(minutes=15)
Outcome = ScheduleFire.Outcome


def fire_due_schedules() -> list[int]:
    """Open the runs whose slot has come; returns their ids.

    A slot that was missed is caught up where its schedule says so and the session still allows it;
    otherwise it is skipped with an audit row and an alert.
    """
    opened: list[int] = []
    schedules = RunSchedule.objects.filter(enabled=True, account__is_active=True)
    calendar = None
    for schedule in schedules.select_related("account", "baseline").defer("baseline__raw"):
        try:
            now = market_clock(schedule.account).now()
        except ConfigurationError:
            continue
        calendar = calendar or known_calendar()
        try:
            opened += _follow(schedule, now, calendar)
        except Exception:
            # the sweep also drives the runs that are under way: one schedule must not stop them
            log.exception("schedule_broken", schedule=schedule.pk)
            alert(
                "schedule_broken",
                account=schedule.account,
                repeat_after=AGAIN,
                slot=f"{schedule.at:%H:%M}",
            )
    return opened


def _follow(schedule: RunSchedule, now: datetime, calendar: Calendar) -> list[int]:
    _remember_start(schedule, now)
    if schedule.kind == Kind.CASH_FLOW:
        begin_to_count(schedule)
    fired = ScheduleFire.objects.filter(job=schedule.job).values_list("slot", flat=True)
    slots = due_slots(
        schedule.rule, now, calendar, since=schedule.since, fired=set(fired.order_by("-id")[:100])
    )
    missed = [slot for slot in slots if slot.timing is Timing.MISSED]
    if missed:
        _report(schedule, missed, now)
    runs = [_fire(schedule, slot, now) for slot in slots if slot not in missed]
    return [run.pk for run in runs if run is not None]


def _remember_start(schedule: RunSchedule, now: datetime) -> None:
    """A schedule counts from the day on which it was first seen, unless whoever made it said when. A
    clock that went back, which a simulator's may, begins anew."""
    if schedule.since is None or schedule.since > now:
        schedule.since = datetime.combine(now.date(), time.min, now.tzinfo)
        RunSchedule.objects.filter(pk=schedule.pk).update(since=schedule.since)


def _claim(schedule: RunSchedule, slot: Slot, now: datetime, outcome: str, **facts: Any) -> None:
    """One row per job and slot: the second scheduler's insert fails with IntegrityError."""
    ScheduleFire.objects.create(
        job=schedule.job,
        slot=slot.name,
        fired_at=now,
        account=schedule.account,
        outcome=outcome,
        facts={"moment": slot.moment.isoformat()} | facts,
    )


def _report(schedule: RunSchedule, missed: list[Slot], now: datetime) -> None:
    try:
        with transaction.atomic():
            for slot in missed:
                _claim(schedule, slot, now, Outcome.SKIPPED)
                audit("schedule", "slot_skipped", f"schedule:{schedule.pk}", {"slot": slot.name})
            alert(
                "slot_skipped",
                account=schedule.account,
                repeat_after=timedelta(0),  # claimed once: each time that it is missed is told
                slot=missed[-1].name,
                when=f"{missed[-1].moment:%Y-%m-%d %H:%M}",
                count=len(missed),
            )
    except IntegrityError:
        return  # another scheduler reports it


def _fire(schedule: RunSchedule, slot: Slot, now: datetime) -> Run | None:
    """Claim the slot and open its run in one transaction: a crash between the two loses neither.

    While another run of the account is under way the slot waits, as long as it may be late.
    """
    if active_run(schedule.account) is not None:
        return None
    flow = None
    facts: dict[str, object] = {}
    if schedule.kind == Kind.CASH_FLOW:
        flow = flow_since(schedule)
        if flow is None or flow.seen.taken_at < max(slot.moment, now - FRESH):
            return None  # the next look at the account will tell
        facts = {"flow": flow.won, "seen": flow.seen.pk}
    elif schedule.kind == Kind.PERIODIC:
        facts = {
            "period": schedule.period,
            "edge": schedule.edge,
            "inside_bands": schedule.inside_bands,
        }
    try:
        with transaction.atomic():
            if flow is not None and abs(flow.won) < schedule.min_flow_won:
                _claim(schedule, slot, now, Outcome.QUIET, **facts)
                return None
            return _open(schedule, slot, now, facts)
    except IntegrityError:
        return None  # another scheduler has it


def _open(schedule: RunSchedule, slot: Slot, now: datetime, facts: dict[str, object]) -> Run | None:
    _claim(schedule, slot, now, Outcome.OPENED, **facts)
    if slot.timing is Timing.CAUGHT_UP:
        when = f"{slot.moment:%Y-%m-%d %H:%M}"
        audit("schedule", "slot_caught_up", f"schedule:{schedule.pk}", {"slot": slot.name})
        alert("slot_caught_up", severity=Alert.Severity.INFO, account=schedule.account, when=when)
    try:
        with transaction.atomic():
            run = run_open(
                schedule.account,
                requester=f"schedule:{schedule.pk}",
                requester_kind=Run.Requester.SCHEDULE,
                set_by=schedule.changed_by or None,
                slot=_slot_of_run(schedule, slot),
                planner=schedule.planner,
                trigger_kind=schedule.kind,
                trigger_facts=facts,
            )
    except (RuleViolation, StateConflict) as error:
        _refused(schedule, slot, error)
        return None
    _note(schedule, slot, Outcome.OPENED, run=run.pk)
    return run


def _slot_of_run(schedule: RunSchedule, slot: Slot) -> str:
    """Two schedules of one account may share the name of a slot; their runs may not."""
    return slot.name if schedule.kind == Kind.DRIFT else f"{schedule.job}:{slot.name}"


def _note(schedule: RunSchedule, slot: Slot, outcome: str, **facts: Any) -> None:
    row = ScheduleFire.objects.get(job=schedule.job, slot=slot.name)
    row.outcome, row.facts = outcome, row.facts | facts
    row.save(update_fields=["outcome", "facts"])


def _refused(schedule: RunSchedule, slot: Slot, error: RuleViolation | StateConflict) -> None:
    log.warning("schedule_refused", schedule=schedule.pk, why=str(error))
    _note(schedule, slot, Outcome.REFUSED, why=str(error)[:150])
    alert("schedule_refused", account=schedule.account, slot=slot.name, why=str(error)[:150])
