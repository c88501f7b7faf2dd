"""Scheduled runs: a slot of a trading day fires once, whoever looks at the clock first.

Schedules follow the market's clock, which for a simulated account is the simulator's.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

import structlog
from django.db import IntegrityError, transaction

from rebalancing.models import Run, RunSchedule
from rebalancing.services.runs import run_open
from trading.domain.errors import ConfigurationError, RuleViolation, StateConflict
from trading.models import ScheduleFire
from trading.selectors.calendar import is_trading_day
from trading.services.alerts import alert
from trading.services.audit import audit
from trading.services.clock import market_clock

__all__ = ["GRACE", "due_slot", "fire_due_schedules"]

log = structlog.get_logger(__name__)
GRACE = timedelta(minutes=10)


def due_slot(at: time, now: datetime) -> tuple[str, bool] | None:
    """(slot, late) when the schedule's moment of this trading day has passed, else None."""
    if not is_trading_day(now.date()):
        return None
    moment = datetime.combine(now.date(), at, tzinfo=now.tzinfo)
    if now < moment:
        return None
    return f"{moment:%Y-%m-%dT%H:%M}", now > moment + GRACE


def fire_due_schedules() -> list[int]:
    """Open the runs whose slot has come; returns their ids. A slot that is too late is skipped with an
    audit row, never caught up on."""
    opened = []
    for schedule in RunSchedule.objects.filter(enabled=True).select_related("account"):
        try:
            now = market_clock(schedule.account).now()
        except ConfigurationError:
            continue
        slot = due_slot(schedule.at, now)
        if slot is not None and not _has_fired(schedule, slot[0]):
            run = _fire(schedule, slot[0], now, late=slot[1])
            if run is not None:
                opened.append(run.pk)
    return opened


def _has_fired(schedule: RunSchedule, slot: str) -> bool:
    return ScheduleFire.objects.filter(job=_job(schedule), slot=slot).exists()


def _job(schedule: RunSchedule) -> str:
    return f"rebalance:{schedule.pk}"


def _fire(schedule: RunSchedule, slot: str, now: datetime, *, late: bool) -> Run | None:
    """Claim the slot and open its run in one transaction: a crash between the two loses neither."""
    refusal: Exception | None = None
    try:
        with transaction.atomic():
            ScheduleFire.objects.create(job=_job(schedule), slot=slot, fired_at=now)
            if late:
                audit("schedule", "slot_skipped", f"schedule:{schedule.pk}", {"slot": slot})
                alert("slot_skipped", account=schedule.account, slot=slot)
                return None
            try:
                with transaction.atomic():
                    return run_open(
                        schedule.account,
                        requester=f"schedule:{schedule.pk}",
                        requester_kind=Run.Requester.SCHEDULE,
                        slot=slot,
                        planner=schedule.planner,
                    )
            except (RuleViolation, StateConflict) as error:
                refusal = error
    except IntegrityError:
        return None  # another scheduler has it
    log.warning("schedule_refused", schedule=schedule.pk, why=str(refusal))
    alert("schedule_refused", account=schedule.account, slot=slot, why=str(refusal)[:150])
    return None
