"""The calendar agrees with both public libraries and knows every odd day."""

from __future__ import annotations

from datetime import date, datetime

import exchange_calendars
import holidays
import pytest

from trading.domain.krx_closures import CLOSURES
from trading.domain.sessions import (
    KRX,
    SEOUL,
    Calendar,
    Phase,
    is_session,
    next_session,
    phase_at,
    previous_session,
    session_hours,
    sessions_between,
    settlement_date,
)


@pytest.fixture(scope="module")
def xkrx() -> exchange_calendars.ExchangeCalendar:
    return exchange_calendars.get_calendar("XKRX", start="2015-01-01", end="2030-12-31")


def weekdays() -> list[date]:
    first, last = date(2015, 1, 1).toordinal(), date(2030, 12, 31).toordinal()
    days = (date.fromordinal(n) for n in range(first, last + 1))
    return [day for day in days if day.weekday() < 5]


def test_the_table_closes_what_either_library_closes(
    xkrx: exchange_calendars.ExchangeCalendar,
) -> None:
    sessions = {stamp.date() for stamp in xkrx.sessions}
    closed = holidays.financial_holidays("XKRX", years=range(2015, 2031))
    expected = {day for day in weekdays() if day not in sessions or day in closed}
    assert expected == CLOSURES


def test_hours_agree_with_the_library_where_it_knows_exam_days(
    xkrx: exchange_calendars.ExchangeCalendar,
) -> None:
    wrong = []
    for day in sessions_between(date(2015, 1, 1), date(2020, 12, 31)):
        hours = session_hours(day)
        opens = xkrx.session_open(str(day)).tz_convert("Asia/Seoul").to_pydatetime()
        closes = xkrx.session_close(str(day)).tz_convert("Asia/Seoul").to_pydatetime()
        if (hours.open, hours.close) != (opens, closes):
            wrong.append((day, opens, closes))
    assert wrong == []


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ("2026-11-20", "09:00", "15:30"),
        ("2026-01-02", "10:00", "15:30"),
        ("2023-11-16", "10:00", "16:30"),
        ("2024-11-14", "10:00", "16:30"),
        ("2025-11-13", "10:00", "16:30"),
        ("2026-11-19", "10:00", "16:30"),
        ("2016-07-29", "09:00", "15:00"),
    ],
)
def test_session_hours(day: str, opens: str, closes: str) -> None:
    hours = session_hours(date.fromisoformat(day))
    assert (f"{hours.open:%H:%M}", f"{hours.close:%H:%M}") == (opens, closes)


@pytest.mark.parametrize(
    ("moment", "phase"),
    [
        ("2026-11-20T08:29:59", Phase.CLOSED),
        ("2026-11-20T08:30", Phase.PRE_OPEN),
        ("2026-11-20T09:00", Phase.REGULAR),
        ("2026-11-20T15:20", Phase.CLOSING_AUCTION),
        ("2026-11-20T15:30", Phase.CLOSED),
        ("2026-11-20T15:40", Phase.AFTER_CLOSE),
        ("2026-11-20T16:00", Phase.AFTER_MARKET),
        ("2026-11-20T20:00", Phase.CLOSED),
        ("2026-09-11T16:00", Phase.AFTER_SINGLE),
        ("2026-09-11T18:00", Phase.CLOSED),
        ("2026-11-19T09:30", Phase.PRE_OPEN),
        ("2026-11-19T16:25", Phase.CLOSING_AUCTION),
        ("2026-01-02T09:45", Phase.PRE_OPEN),
        ("2026-11-21T10:00", Phase.CLOSED),
        ("2026-06-03T10:00", Phase.CLOSED),
        ("2026-07-17T10:00", Phase.CLOSED),
    ],
)
def test_phases(moment: str, phase: Phase) -> None:
    assert phase_at(datetime.fromisoformat(moment).replace(tzinfo=SEOUL)) is phase


def test_walking_sessions_over_a_long_weekend() -> None:
    friday = date(2026, 10, 2)
    assert next_session(friday) == date(2026, 10, 6)
    assert next_session(friday, 2) == date(2026, 10, 7)
    assert previous_session(date(2026, 10, 6)) == friday
    assert settlement_date(friday) == date(2026, 10, 7)


def test_the_broker_can_close_a_day_but_never_open_one() -> None:
    surprise, holiday = date(2026, 11, 23), date(2026, 12, 25)
    told = Calendar(overrides={surprise: False, holiday: True})
    assert KRX.is_session(surprise)
    assert not told.is_session(surprise)
    assert not told.is_session(holiday)
    assert told.next_session(date(2026, 11, 20)) == date(2026, 11, 24)


def test_a_date_outside_the_table_is_an_error_not_an_answer() -> None:
    for day in (date(2014, 12, 31), date(2031, 1, 2)):
        with pytest.raises(ValueError, match="covers"):
            is_session(day)
    with pytest.raises(ValueError, match="ends before"):
        next_session(date(2030, 12, 30), 5)
    with pytest.raises(ValueError, match="not a session"):
        settlement_date(date(2026, 11, 21))
    with pytest.raises(ValueError, match="time zone"):
        phase_at(datetime(2026, 11, 20, 10))
