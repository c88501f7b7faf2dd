"""When an account is looked at next without anybody asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rebalancing.models import RunSchedule
from trading.models import Account

__all__ = ["Upcoming", "next_schedule"]

_DAYS_AHEAD = 12


@dataclass(frozen=True, slots=True)
class Upcoming:
    schedule: RunSchedule
    at: datetime


def next_schedule(
    account: Account, now: datetime, is_open: Callable[[date], bool]
) -> Upcoming | None:
    """The first enabled moment after `now` on a day that `is_open`; None when nothing is enabled."""
    schedules = list(RunSchedule.objects.filter(account=account, enabled=True).order_by("at"))
    if not schedules:
        return None
    for ahead in range(_DAYS_AHEAD):
        day = now.date() + timedelta(days=ahead)
        moments = [
            (datetime.combine(day, schedule.at, tzinfo=now.tzinfo), schedule)
            for schedule in schedules
        ]
        later = [(at, schedule) for at, schedule in moments if at > now]
        if later and is_open(day):
            at, schedule = later[0]
            return Upcoming(schedule, at)
    return None
