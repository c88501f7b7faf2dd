"""When the workers are woken, in the reader's words; and a timetable that never comes is refused."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from config.crontabs import ever_due, is_readable
from rebalancing.services.wakeups import SWEEP, make_wakeups
from tests.desk.conftest import DeskWorld
from trading.models import AuditEntry

BASE = "/admin/django_celery_beat/"
FOREIGN = {
    "AI",
    "Jeoul",
    "Asia",
    "Seoul",
    "Celery",
    "MP",
    "Sub",
    "API",
    "English",
    "en",
    "ko",
    "esc",
}
ENGLISH = re.compile(r"[A-Za-z]{2,}")
HANGUL = re.compile(r"[가-힣]+")
CLEANUP = "celery.backend_cleanup"


def rows() -> None:
    make_wakeups()
    nightly = CrontabSchedule.objects.create(minute="0", hour="4")
    PeriodicTask.objects.create(name=CLEANUP, task=CLEANUP, crontab=nightly)
    IntervalSchedule.objects.create(every=1, period="minutes")


def pages() -> list[str]:
    sweep, cleanup = (PeriodicTask.objects.get(task=task).pk for task in (SWEEP, CLEANUP))
    interval, crontab = (
        kind.objects.latest("pk").pk for kind in (IntervalSchedule, CrontabSchedule)
    )
    return [
        f"{BASE}periodictask/",
        f"{BASE}periodictask/{sweep}/change/",
        f"{BASE}periodictask/{cleanup}/change/",
        f"{BASE}intervalschedule/",
        f"{BASE}intervalschedule/add/",
        f"{BASE}intervalschedule/{interval}/change/",
        f"{BASE}crontabschedule/",
        f"{BASE}crontabschedule/add/",
        f"{BASE}crontabschedule/{crontab}/change/",
    ]


class Reader(HTMLParser):
    """What a person reads: no code, no icon's name, no names of time zones or languages to pick from."""

    HIDDEN = ("script", "style", "svg", "option")

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.within = 0
        self.icon = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.within += tag in self.HIDDEN
        self.icon = "material-symbols" in (given.get("class") or "")
        self.text += [given.get(name) or "" for name in ("title", "aria-label", "placeholder")]

    def handle_endtag(self, tag: str) -> None:
        self.within -= tag in self.HIDDEN
        self.icon = False

    def handle_data(self, data: str) -> None:
        if not self.within and not self.icon:
            self.text.append(data)


def read(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    reader = Reader()
    reader.feed(answer.content.decode())
    return " ".join(reader.text)


def test_on_korean_pages_everything_is_korean(staff: Client, targeted: DeskWorld) -> None:
    rows()
    people = set(targeted.people)
    for path in pages():
        found = set(ENGLISH.findall(read(staff, path))) - FOREIGN - people
        assert found == set(), path


def test_on_english_pages_everything_is_english(staff: Client, targeted: DeskWorld) -> None:
    rows()
    staff.cookies["django_language"] = "en"
    for path in pages():
        text = read(staff, path).replace("한국어", "")
        assert not HANGUL.search(text), (path, HANGUL.findall(text)[:5])
        assert "Cron" not in text and "cron" not in text, path


def test_the_row_that_beat_makes_by_itself_is_not_taken_for_one_of_ours(staff: Client) -> None:
    rows()
    text = read(staff, f"{BASE}periodictask/")
    assert CLEANUP not in text and "Celery의 결과 정리 (쓰지 않음)" in text
    assert "리밸런싱 확인" in text
    row = PeriodicTask.objects.get(task=CLEANUP)
    assert "아무 일도 없습니다" in read(staff, f"{BASE}periodictask/{row.pk}/change/")


@pytest.mark.parametrize(
    ("day", "month", "due"),
    [
        ("31", "2", False),
        ("30", "2", False),
        ("30,31", "2", False),
        ("31", "4", False),
        ("31", "4,6,9,11", False),
        ("31", "2-2", False),
        ("29", "2", True),
        ("29-31", "2", True),
        ("31", "*/3", True),
        ("31", "4,5", True),
        ("30", "4", True),
        ("31", "*", True),
        ("*", "2", True),
        ("1", "*", True),
    ],
)
def test_a_day_that_no_year_has_is_refused(staff: Client, day: str, month: str, due: bool) -> None:
    assert ever_due(day, month) is due
    answer = staff.post(f"{BASE}crontabschedule/add/", timetable(day=day, month=month))
    assert CrontabSchedule.objects.exists() is due
    if not due:
        assert "어느 해에도 없어" in answer.content.decode()


def timetable(
    *, day: str = "*", month: str = "*", weekday: str = "*", hour: str = "9"
) -> dict[str, str]:
    return {
        "minute": "0",
        "hour": hour,
        "day_of_week": weekday,
        "day_of_month": day,
        "month_of_year": month,
        "timezone": "Asia/Seoul",
    }


@pytest.mark.parametrize(
    ("typed", "readable"),
    [
        ({"weekday": "7"}, False),
        ({"weekday": "0"}, True),
        ({"weekday": "1-5"}, True),
        ({"hour": "25"}, False),
        ({"hour": "9-15"}, True),
        ({"day": "often"}, False),
        ({"day": "0"}, False),
    ],
)
def test_what_beat_could_not_read_is_refused_in_words(
    staff: Client, typed: dict[str, str], readable: bool
) -> None:
    """The package itself takes 7 for Sunday, and its scheduler then does not."""
    answer = staff.post(f"{BASE}crontabschedule/add/", timetable(**typed))
    assert CrontabSchedule.objects.exists() is readable
    if readable:
        made = CrontabSchedule.objects.get()
        assert made.schedule.is_due(made.schedule.nowfun()) is not None
    else:
        page = answer.content.decode()
        assert page.count("이렇게 적으면 읽을 수 없습니다") == 1
        assert "Invalid" not in page and "Unknown cron" not in page
    assert is_readable("day_of_week", "7") is False


def test_the_record_of_a_rhythm_is_in_nobodys_language(staff: Client) -> None:
    rows()
    row = PeriodicTask.objects.get(task=SWEEP)
    five = IntervalSchedule.objects.create(every=5, period="seconds")
    path = f"{BASE}periodictask/{row.pk}/change/"
    for language in ("ko", "en"):
        staff.cookies["django_language"] = language
        assert staff.post(path, {"enabled": "on", "interval": five.pk}).status_code == 302
    kept = [json.loads(one.payload) for one in AuditEntry.objects.filter(action="wakeup_changed")]
    assert kept == [{"enabled": True, "rhythm": "5 seconds"}] * 2
