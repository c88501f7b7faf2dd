"""Which days trade and when: the built-in calendar, narrowed by the broker's word, corrected by a person's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.db.models import Count, Max, Q

from trading.domain.krx_closures import LAST_YEAR
from trading.domain.sessions import KRX, Calendar, Hours, SessionHours
from trading.models import MarketDay
from trading.models.prepared import Prepared

__all__ = [
    "AFTER_CLOSE",
    "CalendarState",
    "calendar_state",
    "hours_on",
    "is_trading_day",
    "known_calendar",
    "session_over",
]

AFTER_CLOSE = timedelta(minutes=1)
"""So long after the close its last fills are still written."""
Row = tuple[date, bool | None, str]
_HOURS = frozenset(Hours)
_WEEKEND = (5, 6)
"""Nothing opens a Saturday or a Sunday, so nobody need be asked."""


@dataclass(frozen=True, slots=True)
class CalendarState:
    """Until the end of which year days are known, when the broker spoke last, and how many days from
    today a person has corrected."""

    last_year: int
    read_at: datetime | None
    corrected: int


def calendar_state(today: date) -> CalendarState:
    found = MarketDay.objects.aggregate(
        read_at=Max("read_at", filter=Q(is_open__isnull=False)),
        corrected=Count("pk", filter=Q(day__gte=today) & ~Q(override="")),
    )
    return CalendarState(LAST_YEAR, found["read_at"], found["corrected"])


def known_calendar() -> Calendar:
    """The calendar as it is known now. Read anew by every decision: an override counts at once."""
    return _calendar(tuple(_SAID()))


_SAID = Prepared(
    lambda _value: (
        MarketDay.objects.filter(Q(is_open=False) | ~Q(override=""))
        .order_by("day")
        .values_list("day", "is_open", "override")
    )
)


@lru_cache(maxsize=8)
def _calendar(rows: tuple[Row, ...]) -> Calendar:
    if not rows:
        return KRX
    return Calendar(
        overrides={
            day: False for day, is_open, word in rows if is_open is False or word == "closed"
        },
        opened=frozenset(
            day
            for day, is_open, word in rows
            if word == "open" and is_open and day.weekday() not in _WEEKEND
        ),
        hours={day: Hours(word) for day, _is_open, word in rows if word in _HOURS},
    )


def is_trading_day(day: date) -> bool:
    """Open only when the calendar, the broker where it answered, and every override say so.

    A day outside the calendar is closed: trading on an unknown day is the worse mistake.
    """
    try:
        return day.weekday() not in _WEEKEND and known_calendar().is_session(day)
    except ValueError:
        return False


def hours_on(day: date) -> SessionHours:
    """The boundaries of the session on `day`. Raises ValueError when it does not trade."""
    if day.weekday() in _WEEKEND:
        raise ValueError(f"{day} is not a session")
    return known_calendar().session_hours(day)


def session_over(now: datetime) -> bool:
    """Day orders do not outlive the close, whatever the list still shows as remaining."""
    try:
        return now >= hours_on(now.date()).close + AFTER_CLOSE
    except ValueError:
        return False
