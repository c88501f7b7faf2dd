"""The US exchanges' calendar: which days trade and when, decided in New York and told in Seoul time.

A session has the date of New York. A date outside the table raises ValueError.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from trading.domain.sessions import SEOUL

__all__ = [
    "CLOSED",
    "FIRST_YEAR",
    "HALF_DAYS",
    "LAST_YEAR",
    "NEW_YORK",
    "US",
    "UsCalendar",
    "UsHours",
]

NEW_YORK = ZoneInfo("America/New_York")
FIRST_YEAR, LAST_YEAR = 2011, 2030
ENTRY, OPEN, CLOSE, EARLY_CLOSE = time(4), time(9, 30), time(16), time(13)

_CLOSED = {
    2011: "0117 0221 0422 0530 0704 0905 1124 1226",
    2012: "0102 0116 0220 0406 0528 0704 0903 1029 1030 1122 1225",
    2013: "0101 0121 0218 0329 0527 0704 0902 1128 1225",
    2014: "0101 0120 0217 0418 0526 0704 0901 1127 1225",
    2015: "0101 0119 0216 0403 0525 0703 0907 1126 1225",
    2016: "0101 0118 0215 0325 0530 0704 0905 1124 1226",
    2017: "0102 0116 0220 0414 0529 0704 0904 1123 1225",
    2018: "0101 0115 0219 0330 0528 0704 0903 1122 1205 1225",
    2019: "0101 0121 0218 0419 0527 0704 0902 1128 1225",
    2020: "0101 0120 0217 0410 0525 0703 0907 1126 1225",
    2021: "0101 0118 0215 0402 0531 0705 0906 1125 1224",
    2022: "0117 0221 0415 0530 0620 0704 0905 1124 1226",
    2023: "0102 0116 0220 0407 0529 0619 0704 0904 1123 1225",
    2024: "0101 0115 0219 0329 0527 0619 0704 0902 1128 1225",
    2025: "0101 0109 0120 0217 0418 0526 0619 0704 0901 1127 1225",
    2026: "0101 0119 0216 0403 0525 0619 0703 0907 1126 1225",
    2027: "0101 0118 0215 0326 0531 0618 0705 0906 1125 1224",
    2028: "0117 0221 0414 0529 0619 0704 0904 1123 1225",
    2029: "0101 0115 0219 0330 0528 0619 0704 0903 1122 1225",
    2030: "0101 0121 0218 0419 0527 0619 0704 0902 1128 1225",
}
_HALF_DAYS = {
    2011: "1125",
    2012: "0703 1123 1224",
    2013: "0703 1129 1224",
    2014: "0703 1128 1224",
    2015: "1127 1224",
    2016: "1125",
    2017: "0703 1124",
    2018: "0703 1123 1224",
    2019: "0703 1129 1224",
    2020: "1127 1224",
    2021: "1126",
    2022: "1125",
    2023: "0703 1124",
    2024: "0703 1129 1224",
    2025: "0703 1128 1224",
    2026: "1127 1224",
    2027: "1126",
    2028: "0703 1124",
    2029: "0703 1123 1224",
    2030: "0703 1129 1224",
}


def _days(table: Mapping[int, str]) -> frozenset[date]:
    return frozenset(
        date(year, int(text[:2]), int(text[2:]))
        for year, row in table.items()
        for text in row.split()
    )


CLOSED = _days(_CLOSED)
"""Weekdays without a session."""
HALF_DAYS = _days(_HALF_DAYS)
"""Sessions that end at 13:00 in New York."""


@dataclass(frozen=True, slots=True)
class UsHours:
    """One session in Seoul time: `entry` is when orders for it may come in, 04:00 in New York."""

    day: date
    entry: datetime
    open: datetime
    close: datetime

    @property
    def seconds(self) -> int:
        return int((self.close - self.open).total_seconds())

    def tick(self, moment: datetime) -> int:
        """Seconds into the session, clipped to it."""
        return min(max(int((moment - self.open).total_seconds()), 0), self.seconds - 1)


@cache
def _sessions() -> tuple[date, ...]:
    day, found = date(FIRST_YEAR, 1, 1), []
    while day.year <= LAST_YEAR:
        if day.weekday() < 5 and day not in CLOSED:
            found.append(day)
        day += timedelta(days=1)
    return tuple(found)


@cache
def _session_set() -> frozenset[date]:
    return frozenset(_sessions())


@lru_cache(maxsize=4_096)
def _hours(day: date) -> UsHours:
    def at(clock: time) -> datetime:
        return datetime.combine(day, clock, NEW_YORK).astimezone(SEOUL)

    return UsHours(day, at(ENTRY), at(OPEN), at(EARLY_CLOSE if day in HALF_DAYS else CLOSE))


@dataclass(frozen=True)
class UsCalendar:
    """The table of sessions."""

    def is_session(self, day: date) -> bool:
        return _known(day) in _session_set()

    def next_session(self, day: date, n: int = 1) -> date:
        """The n-th session strictly after `day`."""
        return _at(bisect_right(_sessions(), _known(day)) + n - 1, day)

    def previous_session(self, day: date, n: int = 1) -> date:
        """The n-th session strictly before `day`."""
        return _at(bisect_left(_sessions(), _known(day)) - n, day)

    def hours(self, day: date) -> UsHours:
        """The session on `day`. Raises ValueError when it does not trade."""
        if not self.is_session(day):
            raise ValueError(f"{day} is not a US session")
        return _hours(day)

    def local(self, moment: datetime) -> datetime:
        """The same moment in New York."""
        return moment.astimezone(NEW_YORK)

    def begun(self, moment: datetime) -> date:
        """The latest session that orders could be entered for by `moment`."""
        day = self.local(moment).date()
        if self.is_session(day) and moment >= _hours(day).entry:
            return day
        return self.previous_session(day)

    def settlement(self, day: date) -> date:
        """The day a trade's dollars and shares change hands in New York: the next session."""
        return self.next_session(day)

    @property
    def first(self) -> date:
        return _sessions()[0]


def _known(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"the US calendar covers {FIRST_YEAR}–{LAST_YEAR}, not {day}")
    return day


def _at(position: int, asked: date) -> date:
    if not 0 <= position < len(_sessions()):
        raise ValueError(f"the US calendar ends before the answer for {asked}")
    return _sessions()[position]


US = UsCalendar()
