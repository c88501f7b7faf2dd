"""The page that says whether the machinery is alive: queues, calendar, and the pace of the key."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config import queues as waking
from tests.desk.conftest import DeskWorld
from trading.domain.krx_closures import LAST_YEAR
from trading.models import MarketDay, ProcessEpoch
from trading.services import rate
from trading.services.brokers import key_digest

HANGUL = re.compile(r"[가-힣]+")


def words(desk: DeskWorld, path: str = "/health/") -> str:
    page = desk.client("viewer").get(path).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


class Pipeline:
    """As much of Redis as the page asks: a length for each queue, or silence."""

    def __init__(self, lengths: dict[str, int] | None) -> None:
        self._lengths, self._asked = lengths, list[str]()

    def pipeline(self, transaction: bool) -> Pipeline:
        return self

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *failure: object) -> None:
        return None

    def llen(self, name: str) -> None:
        self._asked.append(name)

    def execute(self) -> list[int]:
        if self._lengths is None:
            raise redis.ConnectionError("gone")
        return [self._lengths[name] for name in self._asked]


@pytest.fixture
def redis_says(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Any:
    def says(lengths: dict[str, int] | None) -> None:
        settings.REDIS_URL = "redis://nowhere:1/0"
        monkeypatch.setattr(waking, "_client", lambda url: Pipeline(lengths))

    return says


@pytest.mark.parametrize(
    ("builds", "ended", "told"), [("ab", False, True), ("aa", False, False), ("ab", True, False)]
)
def test_two_builds_that_live_at_once_are_told(
    targeted: DeskWorld, builds: str, ended: bool, told: bool
) -> None:
    now = timezone.now()
    ProcessEpoch.objects.update(ended_at=now)
    for number, build in enumerate(builds):
        ProcessEpoch.objects.create(
            host="elsewhere",
            pid=number + 1,
            role="worker",
            build_id=f"build-{build}",
            started_at=now,
            ended_at=now if ended and number else None,
        )
    assert ("두 버전의 프로그램이 함께 돌고 있습니다. " in words(targeted)) is told
    assert ("build-a · build-b" in words(targeted)) is told


def test_without_redis_the_queue_is_inside_this_process(
    targeted: DeskWorld, settings: LazySettings
) -> None:
    settings.REDIS_URL = ""
    assert "대기열 이 프로세스 안" in words(targeted)


def test_the_length_of_every_queue_of_the_worker_is_told(
    targeted: DeskWorld, redis_says: Any
) -> None:
    redis_says({"runs": 3, "recon": 0, "default": 51})
    text = words(targeted)
    assert "대기열 리밸런싱 3건" in text and "대기열 대조 0건" in text
    assert "대기열 그 밖 51건 · 작업자가 가져가지 않습니다" in text
    assert text.count("작업자가 가져가지 않습니다") == 1


def test_a_redis_that_does_not_answer_is_told_and_the_page_stands(
    targeted: DeskWorld, redis_says: Any
) -> None:
    redis_says(None)
    assert "대기열 응답 없음 · Redis를 확인하세요." in words(targeted)


def test_the_calendar_says_until_when_it_knows_and_who_spoke_last(targeted: DeskWorld) -> None:
    text = words(targeted)
    assert f"휴장일 달력 {LAST_YEAR}년까지" in text
    assert "증권사의 휴장일 답 없음" in text and "사람이 바로잡은 날 없음" in text
    now = timezone.now()
    today = timezone.localdate(now)
    MarketDay.objects.create(day=today, is_open=True, read_at=now - timedelta(hours=2))
    for days in (-1, 0, 1):
        MarketDay.objects.update_or_create(
            day=today + timedelta(days=days),
            defaults={"override": "closed", "reason": "test", "changed_by": "a", "changed_at": now},
        )
    text = words(targeted)
    assert "증권사의 휴장일 답 2시간 전" in text
    assert "사람이 바로잡은 날 오늘부터 2일" in text, "yesterday's no longer matters"


def test_a_calendar_in_its_last_year_says_what_to_do(
    targeted: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "새 판을 설치하세요" not in words(targeted)
    last = timezone.now().replace(year=LAST_YEAR, month=6)
    monkeypatch.setattr("config.health.market_now", lambda account: last)
    assert "새 판을 설치하세요" in words(targeted)


def _forget() -> None:
    rate.budget_for.cache_clear()
    rate._window.cache_clear()


def test_the_pace_of_the_key_is_told_and_that_it_is_slowed_down(
    targeted: DeskWorld, settings: LazySettings
) -> None:
    settings.REDIS_URL = ""
    settings.KIS_RATE_PER_SECOND = {"real": 14, "mock": 2}
    settings.KIS_LEDGER_RATE_PER_SECOND = {"real": 4, "mock": 1}
    _forget()
    try:
        text = words(targeted)
        assert "이 키의 호출 1초에 14건, 그중 잔고·주문 4건" in text and "늦춤" not in text
        rate.budget_for(key_digest(targeted.account), targeted.account.wire).slow_down()
        assert "1초에 7건, 그중 잔고·주문 2건 · 증권사가 막아 잠시 늦춤" in words(targeted)
    finally:
        _forget()


def test_the_page_stays_light_and_speaks_english(targeted: DeskWorld, redis_says: Any) -> None:
    redis_says({"runs": 0, "recon": 60, "default": 0})
    client = targeted.client("viewer")
    client.cookies["django_language"] = "en"
    client.get("/health/")
    for path in ("/health/", "/health/part/"):
        with CaptureQueriesContext(connection) as asked:
            text = client.get(path).content.decode().replace("한국어", "")
        assert len(asked) <= 30, [q["sql"][:80] for q in asked]
        assert "Queue" in text and not HANGUL.search(text), HANGUL.findall(text)[:5]
