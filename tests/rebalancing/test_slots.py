"""When a schedule acts, on the exchange's calendar alone: edges of periods, odd hours, what was missed."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from rebalancing.domain.day_jobs import (
    CHECK,
    CLOSE,
    JobTiming,
    job_slot,
    missed_before,
    next_moment,
)
from rebalancing.domain.schedules import (
    Edge,
    Kind,
    Period,
    Rule,
    due_slots,
    moment_on,
    refusals_of,
    upcoming,
)
from trading.domain.sessions import KRX, SEOUL, Calendar, Hours

AT = time(9, 40)
DRIFT = Rule(AT)
LATE = Rule(AT, catch_up=True)


def periodic(period: str, edge: str, **more: bool) -> Rule:
    return Rule(AT, Kind.PERIODIC, Period(period), Edge(edge), **more)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


def days(rule: Rule, year: int, calendar: Calendar = KRX) -> list[str]:
    found = upcoming(rule, at(f"{year - 1}-12-31 12:00"), calendar, count=12)
    return [f"{moment:%m-%d}" for moment in found if moment.year == year]


def slots(
    rule: Rule,
    now: str,
    *,
    since: str = "2026-01-02 00:00",
    fired: tuple[str, ...] = (),
    calendar: Calendar = KRX,
) -> list[tuple[str, str]]:
    found = due_slots(rule, at(now), calendar, since=at(since), fired=fired)
    return [(slot.name, str(slot.timing)) for slot in found]


@pytest.mark.parametrize(
    ("period", "edge", "year", "expected"),
    [
        # 31 January 2026 is a Saturday, 31 May a Sunday, 31 December a closing of the exchange
        ("month", "last", 2026,
         "01-30 02-27 03-31 04-30 05-29 06-30 07-31 08-31 09-30 10-30 11-30 12-30"),
        ("month", "first", 2026,
         "01-02 02-02 03-03 04-01 05-04 06-01 07-01 08-03 09-01 10-01 11-02 12-01"),
        ("quarter", "last", 2026, "03-31 06-30 09-30 12-30"),
        ("quarter", "first", 2026, "01-02 04-01 07-01 10-01"),
        # a leap day that trades, and a year that begins on a Saturday with 29 December closed
        ("month", "last", 2028,
         "01-31 02-29 03-31 04-28 05-31 06-30 07-31 08-31 09-29 10-31 11-30 12-28"),
        ("quarter", "first", 2028, "01-03 04-03 07-03 10-06"),
    ],
)  # fmt: skip
def test_a_period_begins_and_ends_on_its_sessions(
    period: str, edge: str, year: int, expected: str
) -> None:
    assert days(periodic(period, edge), year) == expected.split()


def test_the_last_day_that_is_known_is_not_the_end_of_the_month() -> None:
    ends = periodic("month", "last")
    assert moment_on(ends, date(2026, 3, 30), KRX) is None
    assert moment_on(ends, date(2030, 12, 30), KRX) is None  # where the calendar itself ends
    assert slots(ends, "2026-03-30 09:40", fired=("2026-02:last",)) == []


def test_an_override_moves_the_last_session_only_when_it_is_known_in_time() -> None:
    ends, told = periodic("month", "last", catch_up=True), Calendar({date(2026, 3, 31): False})
    before = ("2026-02:last",)
    assert slots(ends, "2026-03-30 09:40", fired=before, calendar=told) == [
        ("2026-03:last", "on_time")
    ]
    # told only on the 31st: the 30th has passed, and the next session makes up for it
    assert slots(ends, "2026-03-30 09:40", fired=before) == []
    assert slots(ends, "2026-03-31 09:40", fired=before, calendar=told) == []
    assert slots(ends, "2026-04-01 09:40", fired=before, calendar=told) == [
        ("2026-03:last", "caught_up")
    ]


def test_a_period_has_one_slot_however_its_last_day_moves() -> None:
    ends = periodic("month", "last")
    (fired,) = slots(
        ends,
        "2026-03-30 09:41",
        fired=("2026-02:last",),
        calendar=Calendar({date(2026, 3, 31): False}),
    )
    assert slots(ends, "2026-03-31 09:41", fired=(fired[0],)) == []


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        ("2026-11-18", "09:40", "09:40"),
        ("2026-11-19", "09:40", "10:40"),  # the entrance exam: 10:00 to 16:30
        ("2026-11-19", "15:05", "16:05"),
        ("2026-11-19", "15:40", "16:40"),
        ("2027-01-04", "09:40", "10:40"),  # the year's first session: 10:00 to 15:30
        ("2027-01-04", "10:30", "10:30"),
        ("2027-01-04", "15:40", "15:40"),
    ],
)
def test_a_late_day_moves_a_schedule_with_its_hours(day: str, clock: str, expected: str) -> None:
    moment = moment_on(Rule(time.fromisoformat(clock)), date.fromisoformat(day), KRX)
    assert moment is not None and f"{moment:%H:%M}" == expected
    assert f"{moment:%Y-%m-%d}" == day


def test_hours_a_person_corrected_move_it_too_and_the_slot_keeps_its_name() -> None:
    day = date(2026, 11, 20)
    late = Calendar(hours={day: Hours.LATE_DAY})
    assert slots(DRIFT, "2026-11-20 09:41")[-1] == ("2026-11-20T09:40", "on_time")
    assert slots(DRIFT, "2026-11-20 10:41", fired=("2026-11-20T09:40",), calendar=late) == []
    assert slots(DRIFT, "2026-11-20 09:41", fired=("2026-11-19T09:40",), calendar=late) == []


@pytest.mark.parametrize(
    ("rule", "now", "expected"),
    [
        (DRIFT, "2026-11-20 09:39:59", None),
        (DRIFT, "2026-11-20 09:40:00", "on_time"),
        (DRIFT, "2026-11-20 09:50:00", "on_time"),
        (DRIFT, "2026-11-20 09:50:01", "missed"),
        (LATE, "2026-11-20 13:00:00", "caught_up"),
        (LATE, "2026-11-20 15:10:00", "caught_up"),
        (LATE, "2026-11-20 15:10:01", "missed"),
        (LATE, "2026-11-21 09:40:00", "missed"),
        (LATE, "2026-11-23 08:00:00", "missed"),
    ],
)
def test_a_slot_is_on_time_caught_up_or_missed(rule: Rule, now: str, expected: str | None) -> None:
    found = slots(rule, now, fired=("2026-11-19T09:40",))
    assert found == ([("2026-11-20T09:40", expected)] if expected else [])


@pytest.mark.parametrize(
    ("now", "caught", "skipped"),
    [
        ("2026-03-31 15:00", "caught_up", "missed"),
        ("2026-03-31 20:00", None, "missed"),
        ("2026-04-01 08:59", None, "missed"),
        ("2026-04-01 09:00", "caught_up", "missed"),
        ("2026-04-01 15:11", "missed", "missed"),
        ("2026-04-15 10:00", "missed", "missed"),
    ],
)
def test_a_month_end_that_was_slept_through_is_made_up_on_the_next_session_or_told(
    now: str, caught: str | None, skipped: str
) -> None:
    for catch_up, expected in ((True, caught), (False, skipped)):
        rule = periodic("month", "last", catch_up=catch_up)
        found = slots(rule, now, fired=("2026-02:last",))
        assert found == ([("2026-03:last", expected)] if expected else [])


def test_every_session_that_was_slept_through_is_named_and_none_older_than_the_schedule() -> None:
    names = [name for name, _ in slots(DRIFT, "2026-11-20 08:00", since="2026-11-16 12:00")]
    assert names == [f"2026-11-{day}T09:40" for day in (17, 18, 19)]
    assert len(slots(DRIFT, "2026-11-20 08:00")) == 10
    assert slots(periodic("month", "last"), "2026-04-02 10:00", since="2026-04-01 00:00") == []


def test_without_a_beginning_only_today_counts() -> None:
    found = due_slots(DRIFT, at("2026-11-20 13:00"), KRX, since=None, fired=())
    assert [slot.name for slot in found] == ["2026-11-20T09:40"]


@pytest.mark.parametrize("now", ["2026-11-21 10:00", "2026-06-03 10:00", "2031-01-02 10:00"])
def test_nothing_comes_due_on_a_day_without_a_session(now: str) -> None:
    assert slots(DRIFT, now, since=now[:10] + " 00:00") == []


@pytest.mark.parametrize(
    ("clock", "kind", "minimum", "bands", "grounds"),
    [
        ("09:00", "drift", 0, False, []),
        ("15:09", "periodic", 0, True, []),
        ("08:59", "drift", 0, False, ["schedule_outside_session"]),
        ("15:10", "drift", 0, False, ["schedule_outside_session"]),
        ("09:40:30", "drift", 0, False, ["schedule_whole_minutes"]),
        ("09:40", "cash_flow", 0, False, ["schedule_needs_minimum"]),
        ("09:40", "drift", 0, True, ["schedule_bands_only_periodic"]),
        ("16:00", "cash_flow", 0, False, ["schedule_outside_session", "schedule_needs_minimum"]),
    ],
)
def test_an_impossible_schedule_has_its_grounds(
    clock: str, kind: str, minimum: int, bands: bool, grounds: list[str]
) -> None:
    rule = Rule(time.fromisoformat(clock), Kind(kind))
    found = refusals_of(rule, min_flow=minimum, inside_bands=bands)
    assert [reason.code for reason in found] == grounds


@pytest.mark.parametrize(
    ("now", "check", "close"),
    [
        ("2026-11-20 09:39", None, None),
        ("2026-11-20 09:40", "due", None),
        ("2026-11-20 15:10", "due", None),
        ("2026-11-20 15:11", "missed", None),
        ("2026-11-20 15:40", "missed", "due"),
        ("2026-11-20 23:59", "missed", "due"),
        ("2026-11-21 10:00", None, None),
        ("2026-11-19 10:39", None, None),
        ("2026-11-19 16:09", "due", None),
        ("2026-11-19 16:40", "missed", "due"),
    ],
)
def test_the_jobs_of_the_day_have_their_hours(
    now: str, check: JobTiming | None, close: JobTiming | None
) -> None:
    for job, expected in ((CHECK, check), (CLOSE, close)):
        found = job_slot(job, at(now), KRX)
        assert (found.timing if found else None) == expected


def test_a_job_names_its_last_session_and_its_next() -> None:
    before = missed_before(CLOSE, at("2026-11-23 08:00"), KRX)
    assert before is not None and before.name == "2026-11-20T15:40"
    comes = next_moment(CLOSE, at("2026-11-18 15:40"), KRX)
    assert comes is not None and f"{comes:%m-%d %H:%M}" == "11-19 16:40"
