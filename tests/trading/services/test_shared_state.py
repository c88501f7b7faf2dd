"""What all processes share: one token per key, one rate per key, orders first."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from trading.domain.errors import BrokerBusy, BrokerMisconfigured
from trading.domain.ports import StoredToken
from trading.models import KisToken
from trading.services import tokens as token_store
from trading.services.clock import WallClock
from trading.services.rate import SharedBudget
from trading.services.tokens import DatabaseTokenStore
from trading.services.windows import LocalWindow, RedisWindow, Room

money = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


class Ticker:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def budget(ticker: Ticker, **rates: int) -> SharedBudget:
    return SharedBudget(LocalWindow(ticker), "key", **rates, sleep=ticker.sleep, monotonic=ticker)


@pytest.mark.parametrize("rate", [3, 10, 18])
def test_no_second_ever_holds_more_than_the_rate(rate: int) -> None:
    ticker, times = Ticker(), []
    shared = budget(ticker, per_second=rate, ledger_per_second=rate)
    for _ in range(rate * 5):
        shared.acquire("order")
        times.append(ticker.at)
    assert all(b - a >= 1.0 for a, b in zip(times, times[rate:], strict=False))
    assert times[rate - 1] == 0.0, "the whole rate is there at once"


def test_reads_leave_room_for_orders() -> None:
    ticker = Ticker()
    shared = budget(ticker, per_second=10, ledger_per_second=10)
    for _ in range(8):
        shared.acquire("read")
    shared.acquire("order")
    shared.acquire("order")
    assert ticker.at == 0.0
    shared.acquire("read")
    assert ticker.at > 1.0


def test_ledger_calls_have_a_rate_of_their_own() -> None:
    ticker = Ticker()
    shared = budget(ticker, per_second=18, ledger_per_second=2)
    for _ in range(2):
        shared.acquire("ledger")
    shared.acquire("read")
    assert ticker.at == 0.0
    shared.acquire("ledger")
    assert ticker.at > 1.0


def test_after_too_fast_the_rate_is_halved_for_a_while() -> None:
    ticker = Ticker()
    shared = budget(ticker, per_second=8, ledger_per_second=8)
    shared.slow_down()
    for _ in range(5):
        shared.acquire("order")
    assert ticker.at > 1.0
    ticker.sleep(6)
    before = ticker.at
    for _ in range(8):
        shared.acquire("order")
    assert ticker.at == before


def test_a_budget_that_would_wait_too_long_says_so() -> None:
    ticker = Ticker()
    window = LocalWindow(ticker)
    stuck = SharedBudget(
        window, "key", per_second=1, ledger_per_second=1, sleep=lambda _s: None, monotonic=ticker
    )
    stuck.acquire("order")
    window.take = lambda key, rooms, ticket="": 60.0  # type: ignore[method-assign]
    with pytest.raises(BrokerBusy):
        stuck.acquire("order")


@pytest.mark.money
def test_with_redis_two_processes_share_one_window_and_without_it_each_crawls() -> None:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    if settings.REDIS_URL:
        one = RedisWindow(redis.Redis.from_url(settings.REDIS_URL))
        two = RedisWindow(redis.Redis.from_url(settings.REDIS_URL))
        name, three = "shared-window-test", [Room("all", 3)]
        assert [window.take(name, three) for window in (one, two, one)] == [0, 0, 0]
        assert two.take(name, three) > 0
    no_retry = Retry(NoBackoff(), 0)
    gone = RedisWindow(redis.Redis(host="127.0.0.1", port=1, retry=no_retry))
    many = [Room("all", 18, spare=2)]
    assert [gone.take("x", many), gone.take("x", many)] == [0, 0]
    assert gone.take("x", many) > 0, "without Redis two a second, never unlimited"


class Issuer:
    """Counts what the broker was asked for."""

    def __init__(self, *answers: Any) -> None:
        self.calls = 0
        self.answers = list(answers)

    def __call__(self, now: datetime) -> StoredToken:
        self.calls += 1
        answer = self.answers.pop(0) if self.answers else f"fresh-{self.calls}" + "x" * 20
        if isinstance(answer, Exception):
            raise answer
        return StoredToken(answer, now + timedelta(hours=24))


def store(issuer: Issuer, sleep: Any = None) -> DatabaseTokenStore:
    return DatabaseTokenStore(
        "digest", "host", issuer, WallClock().now, sleep=sleep or (lambda _s: None)
    )


@pytest.mark.money
@pytest.mark.django_db(transaction=True)
def test_cold_workers_that_start_together_issue_one_token() -> None:
    import time

    issuer, found = Issuer(), []

    def work() -> None:
        try:
            found.append(store(issuer, sleep=time.sleep).renew(None).token)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert issuer.calls == 1
    assert len(set(found)) == 1 and len(found) == 6


@pytest.mark.money
@pytest.mark.django_db(transaction=True)
def test_a_token_is_ciphertext_at_rest_and_shared() -> None:
    issuer = Issuer("CANARYTOKEN" + "x" * 20)
    store(issuer).renew(None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM trading_kistoken")
        assert "CANARY" not in cursor.fetchone()[0]
    other = store(issuer)
    current = other.current()
    assert current is not None and current.token.startswith("CANARYTOKEN")
    assert issuer.calls == 1


@pytest.mark.money
@pytest.mark.django_db(transaction=True)
def test_the_same_dead_token_again_is_an_error_not_a_loop(settings: Any) -> None:
    settings.KIS_TOKEN_INTERVAL_SECONDS = 0
    issuer = Issuer("dead" + "x" * 20, "dead" + "x" * 20)
    dead = store(issuer).renew(None).token
    with pytest.raises(BrokerMisconfigured):
        store(issuer).renew(dead)
    assert KisToken.objects.get().issuing_until is None


@pytest.mark.money
@pytest.mark.django_db(transaction=True)
def test_within_the_brokers_minute_nobody_asks_and_nobody_sleeps_long() -> None:
    issuer = Issuer("first" + "x" * 20, "second" + "x" * 20)
    dead = store(issuer).renew(None).token
    with pytest.raises(BrokerBusy):
        store(issuer).renew(dead)
    assert issuer.calls == 1
    KisToken.objects.update(last_attempt_at=WallClock().now() - timedelta(seconds=62))
    assert store(issuer).renew(dead).token.startswith("second")


@pytest.mark.money
@pytest.mark.django_db(transaction=True)
def test_a_token_that_somebody_renewed_is_not_renewed_again() -> None:
    issuer = Issuer("second" + "x" * 20)
    fresh = store(issuer).renew(None)
    assert store(issuer).renew("first").token == fresh.token
    assert issuer.calls == 1


@pytest.mark.money
@pytest.mark.django_db(transaction=True)
def test_a_refused_renewal_keeps_the_old_token(settings: Any) -> None:
    settings.KIS_TOKEN_INTERVAL_SECONDS = 0
    issuer = Issuer("first" + "x" * 20, BrokerBusy("too soon"))
    tokens = store(issuer)
    first = tokens.renew(None)
    with pytest.raises(BrokerBusy):
        tokens.renew(first.token)
    kept = KisToken.objects.get()
    assert kept.token == first.token and kept.issuing_until is None


@pytest.mark.money
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("left", "issues"), [(10, False), (-1, True)], ids=["held", "run out"])
def test_a_process_that_died_while_renewing_blocks_the_token_only_for_its_lease(
    monkeypatch: pytest.MonkeyPatch, left: int, issues: bool
) -> None:
    monkeypatch.setattr(token_store, "WAIT_SECONDS", 0.0)
    until = WallClock().now() + timedelta(seconds=left)
    KisToken.objects.create(key_digest="digest", host="host", issuing_until=until)
    issuer = Issuer()
    try:
        store(issuer).renew(None)
    except BrokerBusy:
        assert not issues
    assert issuer.calls == int(issues)
