"""When an account is looked at next without anybody asking, and what for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from rebalancing.domain.schedules import upcoming
from rebalancing.models import RunSchedule
from trading.domain.sessions import Calendar
from trading.models import Account

__all__ = ["Upcoming", "next_moments", "next_schedule", "soonest_of", "waits_for"]


@dataclass(frozen=True, slots=True)
class Upcoming:
    schedule: RunSchedule
    at: datetime

    @property
    def what(self) -> str:
        return waits_for(self.schedule)


def waits_for(schedule: RunSchedule) -> str:
    """What a schedule waits for, in a few words."""
    return schedule.waits_for


def next_moments(
    schedule: RunSchedule, now: datetime | None, calendar: Calendar, count: int
) -> list[datetime]:
    """The next `count` moments at which the schedule acts; none while it is off or its clock is silent."""
    if not schedule.enabled or now is None:
        return []
    return upcoming(schedule.rule, now, calendar, count)


def next_schedule(account: Account, now: datetime, calendar: Calendar) -> Upcoming | None:
    """The first moment after `now` at which an enabled schedule acts; None when there is none."""
    rows = RunSchedule.objects.filter(account=account, enabled=True).order_by("at", "pk")
    return soonest_of(rows, {account.pk: now}, calendar)


def soonest_of(
    schedules: Iterable[RunSchedule], clocks: Mapping[int, datetime | None], calendar: Calendar
) -> Upcoming | None:
    """The first to act of several accounts' schedules; `clocks` says what time it is for each account."""
    found = []
    for schedule in schedules:
        now = clocks.get(schedule.account_id)
        moments = upcoming(schedule.rule, now, calendar, count=1) if now else ()
        found += [Upcoming(schedule, moment) for moment in moments]
    return min(found, key=lambda each: each.at, default=None)
