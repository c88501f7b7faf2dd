"""What is done once on every trading day for every account, and until when it may still be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from rebalancing.domain.schedules import shifted
from trading.domain.sessions import LAST_START, Calendar

__all__ = [
    "CHECK",
    "CLOSE",
    "JOBS",
    "Job",
    "JobSlot",
    "JobTiming",
    "job_slot",
    "missed_before",
    "next_moment",
]


@dataclass(frozen=True, slots=True)
class Job:
    """A job and its time on an ordinary session; an `all_day` one may be late until midnight."""

    code: str
    at: time
    all_day: bool = False

    def name_for(self, account_id: int) -> str:
        """How fires name this job of one account."""
        return f"{self.code}:{account_id}"


CHECK = Job("check", time(9, 40))
CLOSE = Job("close", time(15, 40), all_day=True)
JOBS = (CHECK, CLOSE)


class JobTiming(StrEnum):
    DUE = "due"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class JobSlot:
    """The slot of one session: its name, its moment, and whether it can still be done."""

    name: str
    moment: datetime
    timing: JobTiming


def job_slot(job: Job, now: datetime, calendar: Calendar) -> JobSlot | None:
    """Today's slot when its time has come; None before it and on a day that does not trade."""
    day = now.date()
    try:
        if not calendar.is_session(day):
            return None
        moment = shifted(job.at, day, calendar)
        until = calendar.session_hours(day).close - LAST_START
    except ValueError:
        return None
    if now < moment:
        return None
    late = not job.all_day and now > until
    return JobSlot(_name(job, day), moment, JobTiming.MISSED if late else JobTiming.DUE)


def missed_before(job: Job, now: datetime, calendar: Calendar) -> JobSlot | None:
    """The slot of the session before today: by now it was done, or it was missed."""
    try:
        day = calendar.previous_session(now.date())
        return JobSlot(_name(job, day), shifted(job.at, day, calendar), JobTiming.MISSED)
    except ValueError:
        return None


def next_moment(job: Job, now: datetime, calendar: Calendar) -> datetime | None:
    """When the job comes next, as the calendar is known now."""
    day = now.date() - timedelta(days=1)
    for _ in range(3):
        try:
            day = calendar.next_session(day)
            moment = shifted(job.at, day, calendar)
        except ValueError:
            return None
        if moment > now:
            return moment
    return None


def _name(job: Job, day: date) -> str:
    return f"{day.isoformat()}T{job.at:%H:%M}"
