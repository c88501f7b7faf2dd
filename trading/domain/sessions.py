"""KRX's calendar: which days trade, from when to when, and what phase a moment is in.

A date outside the table raises ValueError: the calendar does not know, and callers treat unknown as
closed. All times are Asia/Seoul.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from trading.domain.krx_closures import CLOSURES, FIRST_YEAR, LAST_YEAR

__all__ = [
    "KRX",
    "LAST_START",
    "SEOUL",
    "Calendar",
    "Hours",
    "Phase",
    "SessionHours",
    "is_session",
    "month_ends",
    "next_session",
    "phase_at",
    "previous_session",
    "quarter_ends",
    "session_hours",
    "sessions_between",
    "settlement_date",
]

SEOUL = ZoneInfo("Asia/Seoul")

SETTLEMENT_SESSIONS = 2
LAST_START = timedelta(minutes=20)
"""A run starts no later than this before the close: 15:10 on ordinary days."""
LONGER_DAY_SINCE = date(2016, 8, 1)
"""Until then the regular session ended at 15:00."""
AFTER_MARKET_SINCE = date(2026, 9, 14)
"""From then a continuous market 16:00–20:00 replaces the single-price auctions 16:00–18:00."""

EXAM_DAYS = frozenset(
    {
        date(2015, 11, 12),
        date(2016, 11, 17),
        date(2017, 11, 16),
        date(2017, 11, 23),
        date(2018, 11, 15),
        date(2019, 11, 14),
        date(2020, 12, 3),
        date(2021, 11, 18),
        date(2022, 11, 17),
        date(2023, 11, 16),
        date(2024, 11, 14),
        date(2025, 11, 13),
        date(2026, 11, 19),
        date(2027, 11, 18),
    }
)
"""College entrance exam: the whole day starts and ends an hour later. 2017 was postponed by a week
after the hours of the first date had been announced, so both days traded late."""


class Phase(StrEnum):
    """What KRX does at a moment."""

    CLOSED = "closed"
    PRE_OPEN = "pre_open"
    REGULAR = "regular"
    CLOSING_AUCTION = "closing_auction"
    AFTER_CLOSE = "after_close"
    AFTER_SINGLE = "after_single"
    AFTER_MARKET = "after_market"


class Hours(StrEnum):
    """What a day's hours are when a person says that they differ from the table's."""

    NORMAL = "normal"
    LATE_DAY = "late_day"
    """Opens and closes an hour later, as on the day of the entrance exam."""
    LATE_OPEN = "late_open"
    """Opens an hour later and closes as usual, as on the first session of a year."""


@dataclass(frozen=True, slots=True)
class SessionHours:
    """One session's boundaries, aware Seoul times; each phase includes its start, not its end."""

    preopen: datetime
    open: datetime
    closing_auction: datetime
    close: datetime
    after_close: datetime
    after_close_end: datetime
    after_market_end: datetime

    @property
    def day(self) -> date:
        return self.open.date()


@lru_cache(maxsize=4_096)
def _hours_of(day: date, kind: Hours) -> SessionHours:
    late = kind is not Hours.NORMAL
    normal_close = time(15, 30) if day >= LONGER_DAY_SINCE else time(15)
    opens = datetime.combine(day, time(10) if late else time(9), SEOUL)
    closes = datetime.combine(day, normal_close, SEOUL)
    closes += timedelta(hours=1 if kind is Hours.LATE_DAY else 0)
    after_end = time(20) if day >= AFTER_MARKET_SINCE else time(18)
    return SessionHours(
        preopen=opens - timedelta(minutes=30),
        open=opens,
        closing_auction=closes - timedelta(minutes=10),
        close=closes,
        after_close=closes + timedelta(minutes=10),
        after_close_end=closes + timedelta(minutes=30),
        after_market_end=datetime.combine(day, after_end, SEOUL),
    )


@dataclass(frozen=True)
class Calendar:
    """The table, corrected by `overrides` (True open, False closed): the broker's own answers.

    An override can only close a day that the table opens: closed wins, because trading on a day
    that one source calls closed is the costlier mistake. `opened` are days on which the table is
    known to be wrong; `hours` are days whose hours differ from the table's.
    """

    overrides: Mapping[date, bool] = field(default_factory=dict)
    opened: frozenset[date] = frozenset()
    hours: Mapping[date, Hours] = field(default_factory=dict)

    @cached_property
    def _sessions(self) -> tuple[date, ...]:
        day, days = date(FIRST_YEAR, 1, 1), []
        while day.year <= LAST_YEAR:
            usual = day.weekday() < 5 and day not in CLOSURES
            if (usual or day in self.opened) and self.overrides.get(day, True):
                days.append(day)
            day += timedelta(days=1)
        return tuple(days)

    @cached_property
    def _session_set(self) -> frozenset[date]:
        return frozenset(self._sessions)

    @cached_property
    def _firsts(self) -> frozenset[date]:
        """The first session of every year."""
        return frozenset({day.year: day for day in reversed(self._sessions)}.values())

    @cached_property
    def _hours_met(self) -> dict[date, SessionHours]:
        """Sessions asked for before: at most as many as the table has days."""
        return {}

    def _known(self, day: date) -> date:
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValueError(f"the calendar covers {FIRST_YEAR}–{LAST_YEAR}, not {day}")
        return day

    def _at(self, position: int, asked: date) -> date:
        if not 0 <= position < len(self._sessions):
            raise ValueError(f"the calendar ends before the answer for {asked}")
        return self._sessions[position]

    def is_session(self, day: date) -> bool:
        """True when KRX trades on `day`. Raises ValueError outside the table."""
        return self._known(day) in self._session_set

    def next_session(self, day: date, n: int = 1) -> date:
        """The n-th session strictly after `day`."""
        return self._at(bisect_right(self._sessions, self._known(day)) + n - 1, day)

    def previous_session(self, day: date, n: int = 1) -> date:
        """The n-th session strictly before `day`."""
        return self._at(bisect_left(self._sessions, self._known(day)) - n, day)

    def settlement_date(self, trade_date: date) -> date:
        """The day a trade's cash and shares change hands: T+2 sessions. ValueError if closed."""
        if not self.is_session(trade_date):
            raise ValueError(f"{trade_date} is not a session")
        return self.next_session(trade_date, SETTLEMENT_SESSIONS)

    def sessions_between(self, first: date, last: date) -> tuple[date, ...]:
        """Every session from `first` to `last`, both included."""
        low = bisect_left(self._sessions, self._known(first))
        return self._sessions[low : bisect_right(self._sessions, self._known(last))]

    def month_ends(self, year: int) -> tuple[date, ...]:
        """The last session of each month of `year`."""
        days = self.sessions_between(date(year, 1, 1), date(year, 12, 31))
        return tuple({day.month: day for day in days}.values())

    def quarter_ends(self, year: int) -> tuple[date, ...]:
        """The last session of March, June, September and December of `year`."""
        return tuple(day for day in self.month_ends(year) if day.month % 3 == 0)

    def session_hours(self, day: date) -> SessionHours:
        """The boundaries of the session on `day`. Raises ValueError when it does not trade."""
        known = self._hours_met.get(day)
        if known is None:
            if not self.is_session(day):
                raise ValueError(f"{day} is not a session")
            known = _hours_of(day, self.hours.get(day) or self._usual(day))
            self._hours_met[day] = known
        return known

    def _usual(self, day: date) -> Hours:
        if day in EXAM_DAYS:
            return Hours.LATE_DAY
        return Hours.LATE_OPEN if day in self._firsts else Hours.NORMAL

    def phase_at(self, moment: datetime) -> Phase:
        """What KRX does at `moment` (aware). Gaps between phases count as closed."""
        if moment.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        local = moment.astimezone(SEOUL)
        if not self.is_session(local.date()):
            return Phase.CLOSED
        hours = self.session_hours(local.date())
        late = Phase.AFTER_MARKET if local.date() >= AFTER_MARKET_SINCE else Phase.AFTER_SINGLE
        bounds = (
            (hours.preopen, hours.open, Phase.PRE_OPEN),
            (hours.open, hours.closing_auction, Phase.REGULAR),
            (hours.closing_auction, hours.close, Phase.CLOSING_AUCTION),
            (hours.after_close, hours.after_close_end, Phase.AFTER_CLOSE),
            (hours.after_close_end, hours.after_market_end, late),
        )
        return next((p for start, end, p in bounds if start <= local < end), Phase.CLOSED)


KRX = Calendar()
"""The checked-in table without overrides."""

is_session = KRX.is_session
next_session = KRX.next_session
previous_session = KRX.previous_session
settlement_date = KRX.settlement_date
sessions_between = KRX.sessions_between
month_ends = KRX.month_ends
quarter_ends = KRX.quarter_ends
session_hours = KRX.session_hours
phase_at = KRX.phase_at
