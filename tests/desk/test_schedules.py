"""Schedules in the admin and on the pages: forms that refuse in words, next moments, what came of the last."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from rebalancing.models import RunSchedule
from rebalancing.services.wakeups import SWEEP, make_wakeups
from tests.desk.conftest import DeskWorld
from trading.models import AuditEntry, MarketDay, ScheduleFire
from trading.selectors.calendar import known_calendar

PAGE = "/admin/rebalancing/runschedule/"
WAKEUPS = "/admin/django_celery_beat/periodictask/"


def form(desk: DeskWorld, **values: str) -> dict[str, str]:
    usual = {
        "account": str(desk.account.pk),
        "kind": "drift",
        "at": "09:40",
        "period": "month",
        "edge": "last",
        "min_flow_won": "1000000",
        "planner": "rules",
        "enabled": "on",
    }
    return usual | values


def test_a_schedule_is_made_with_its_next_moments_and_a_record(
    staff: Client, targeted: DeskWorld
) -> None:
    answer = staff.post(f"{PAGE}add/", form(targeted, kind="periodic", inside_bands="on"))
    assert answer.status_code == 302
    made = RunSchedule.objects.get()
    assert (made.kind, made.inside_bands) == ("periodic", True)
    assert made.since is not None, "it has no past to make up for"
    assert AuditEntry.objects.filter(action="schedule_changed", actor="admin").count() == 1
    page = staff.get(f"{PAGE}{made.pk}/change/").content.decode()
    calendar, today = known_calendar(), date.today()
    ends = [day for year in (today.year, today.year + 1) for day in calendar.month_ends(year)]
    for day in [day for day in ends if day > today][:5]:
        assert f"{day:%Y-%m-%d} 09:40" in page
    assert "정기, 매월 마지막 거래일" in staff.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"at": "08:59"}, "09:00부터 15:10 전까지"),
        ({"at": "15:10"}, "09:00부터 15:10 전까지"),
        ({"at": "09:40:30"}, "초 없이"),
        ({"kind": "cash_flow", "min_flow_won": "0"}, "0보다 큰 최소 입출금액"),
        ({"kind": "drift", "inside_bands": "on"}, "정기 예약에만"),
        ({"min_flow_won": "1,000"}, "쉼표 없이"),
    ],
)
def test_an_impossible_schedule_is_refused_with_words(
    staff: Client, targeted: DeskWorld, values: dict[str, str], words: str
) -> None:
    answer = staff.post(f"{PAGE}add/", form(targeted, **values))
    assert answer.status_code == 200 and words in answer.content.decode()
    assert not RunSchedule.objects.exists()


def test_two_schedules_at_one_time_are_refused_with_words(
    staff: Client, targeted: DeskWorld
) -> None:
    RunSchedule.objects.create(account=targeted.account, at=time(9, 40))
    answer = staff.post(f"{PAGE}add/", form(targeted))
    assert "같은 시각의 예약이 이미 있습니다" in answer.content.decode()


def test_a_change_of_its_time_begins_anew_and_of_its_lateness_does_not(
    staff: Client, targeted: DeskWorld
) -> None:
    long_ago = timezone.now() - timedelta(days=30)
    made = RunSchedule.objects.create(account=targeted.account, at=time(9, 40), since=long_ago)
    path = f"{PAGE}{made.pk}/change/"
    assert staff.post(path, form(targeted, catch_up="on")).status_code == 302
    made.refresh_from_db()
    assert made.catch_up and made.since == long_ago
    assert staff.post(path, form(targeted, catch_up="on", at="10:00")).status_code == 302
    made.refresh_from_db()
    assert made.since is not None and made.since > long_ago


def test_a_schedule_of_a_strangers_account_cannot_be_made(
    staff: Client, targeted: DeskWorld
) -> None:
    stranger = targeted.client("stranger")
    answer = stranger.post(f"{PAGE}add/", form(targeted))
    assert answer.status_code in (200, 403)
    assert not RunSchedule.objects.exists()


def test_a_day_is_corrected_with_a_reason_and_kept_beside_the_brokers_word(staff: Client) -> None:
    page, day = "/admin/trading/marketday/", date(2027, 3, 31)
    values = {"day": f"{day}", "override": "closed", "reason": ""}
    assert "이유를 적어 주세요" in staff.post(f"{page}add/", values).content.decode()
    assert staff.post(f"{page}add/", values | {"reason": "임시 휴장"}).status_code == 302
    assert not known_calendar().is_session(day)
    assert known_calendar().month_ends(2027)[2] == date(2027, 3, 30)
    assert AuditEntry.objects.filter(action="calendar_corrected").count() == 1
    MarketDay.objects.filter(day=day).update(is_open=True, read_at=timezone.now())
    late = {"override": "late_day", "reason": "수능"}
    assert staff.post(f"{page}{day}/change/", late).status_code == 302
    assert f"{known_calendar().session_hours(day).close:%H:%M}" == "16:30"
    assert MarketDay.objects.get(day=day).is_open, "the broker's own word stays"


def test_a_closed_day_opens_only_where_the_broker_says_so_too(staff: Client) -> None:
    page, day = "/admin/trading/marketday/", date(2027, 5, 5)
    values = {"day": f"{day}", "override": "open", "reason": "휴일 취소"}
    answer = staff.post(f"{page}add/", values, follow=True)
    assert "증권사가 그날을 개장이라고 답해야" in answer.content.decode()
    assert not known_calendar().is_session(day)
    MarketDay.objects.filter(day=day).update(is_open=True, read_at=timezone.now())
    assert known_calendar().is_session(day)
    saturday = staff.post(f"{page}add/", values | {"day": "2027-05-08"})
    assert "토요일과 일요일은" in saturday.content.decode()


def test_the_health_page_tells_each_job_its_last_and_its_next(
    targeted: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wakeups()
    now = datetime.fromisoformat("2026-11-18T16:00:00+09:00")
    monkeypatch.setattr("config.health.market_now", lambda account: now)
    schedule = RunSchedule.objects.create(account=targeted.account, at=time(9, 40))
    for job, outcome in ((f"close:{targeted.account.pk}", "done"), (schedule.job, "skipped")):
        ScheduleFire.objects.create(
            job=job,
            slot="2026-11-18T15:40",
            fired_at=now - timedelta(minutes=20),
            account=targeted.account,
            outcome=outcome,
        )
    page = targeted.client("viewer").get("/health/").content.decode()
    assert "마감 대사와 잔고 기록 15:40" in page and "편차, 거래일마다 09:40" in page
    assert "16:40" in page and "10:40" in page, "the next session is the day of the exam"
    assert "아직 하지 못했습니다" in page, "the check is late"
    assert "놓침" in page and "마침" in page


def test_a_sweep_that_is_off_is_said_on_the_page(staff: Client, targeted: DeskWorld) -> None:
    make_wakeups()
    assert "꺼져 있습니다" not in staff.get("/health/").content.decode()
    PeriodicTask.objects.filter(task=SWEEP).update(enabled=False)
    page = staff.get("/health/").content.decode()
    assert "리밸런싱 확인: 꺼져 있습니다." in page
    assert "진행 중인 리밸런싱이 멈춥니다" in page
    PeriodicTask.objects.filter(task=SWEEP).delete()
    assert "리밸런싱 확인: 깨우는 일정이 없습니다." in staff.get("/health/").content.decode()


def test_a_wakeup_is_edited_and_never_deleted_or_silenced_by_slowness(
    staff: Client, targeted: DeskWorld
) -> None:
    make_wakeups()
    row = PeriodicTask.objects.get(task=SWEEP)
    path = f"{WAKEUPS}{row.pk}/change/"
    assert staff.get(f"{WAKEUPS}add/").status_code == 403
    assert staff.post(f"{WAKEUPS}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    slow = IntervalSchedule.objects.create(every=2, period="minutes")
    refused = staff.post(path, {"enabled": "on", "interval": slow.pk})
    assert "1분보다 드물게" in refused.content.decode()
    neither = staff.post(path, {"enabled": "on"})
    assert "하나만 고르세요" in neither.content.decode()
    five = IntervalSchedule.objects.create(every=5, period="seconds")
    assert staff.post(path, {"interval": five.pk}).status_code == 302
    row.refresh_from_db()
    assert (row.interval, row.enabled, row.task) == (five, False, SWEEP)
    assert AuditEntry.objects.filter(action="wakeup_changed").count() == 1
    assert targeted.client("viewer").get(WAKEUPS).status_code in (302, 403)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"inside_bands": True}, "임계값 안이어도 목표 비중까지"),
        ({"inside_bands": False}, "임계값을 넘은 비중이 있을 때만"),
        ({"flow": 3_000_000}, "입금 3,000,000원을"),
        ({"flow": -3_000_000}, "출금 3,000,000원만큼"),
    ],
)
def test_a_run_says_why_it_trades(targeted: DeskWorld, facts: dict[str, Any], words: str) -> None:
    kind = "cash_flow" if "flow" in facts else "periodic"
    run = targeted.run(trigger_kind=kind, trigger_facts=facts)
    assert words in targeted.client("viewer").get(f"/rebalancing/runs/{run.pk}/").content.decode()
