"""A key's calls per second, shared by every process, with orders first.

Reads leave two calls of each second free, so that an order never waits behind them. With Redis the
window is shared; without it one process does all the calling. If Redis fails, each process falls back
to two calls a second: never unlimited.
"""

from __future__ import annotations

import collections
import secrets
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Protocol

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from trading.domain.errors import BrokerBusy
from trading.domain.ports import RateLane

__all__ = ["LocalWindow", "RedisWindow", "SharedBudget", "Window", "budget_for"]

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 1.05  # a little over a second: the broker's clock is not ours
MAX_WAIT_SECONDS = 25.0
SLOW_SECONDS = 5.0
FALLBACK_RATE = 2


class Window(Protocol):
    """At most `limit` entries in any `WINDOW_SECONDS`."""

    def take(self, name: str, limit: int) -> float:
        """Enter and return 0.0, or return the seconds to wait before asking again."""
        ...


class LocalWindow:
    """A sliding window inside this process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._entries: dict[str, collections.deque[float]] = {}
        self._lock = threading.Lock()
        self._monotonic = monotonic

    def take(self, name: str, limit: int) -> float:
        with self._lock:
            now = self._monotonic()
            entries = self._entries.setdefault(name, collections.deque())
            while entries and now - entries[0] >= WINDOW_SECONDS - 1e-6:
                entries.popleft()
            if len(entries) < limit:
                entries.append(now)
                return 0.0
            return WINDOW_SECONDS - (now - entries[len(entries) - limit])


_TAKE = """
local now = redis.call('TIME')
local at = now[1] * 1000000 + now[2]
local window = tonumber(ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', at - window)
local held = redis.call('ZCARD', KEYS[1])
if held < tonumber(ARGV[2]) then
  redis.call('ZADD', KEYS[1], at, at .. ':' .. ARGV[3])
  redis.call('PEXPIRE', KEYS[1], 5000)
  return 0
end
local blocking = redis.call('ZRANGE', KEYS[1], held - tonumber(ARGV[2]), held - tonumber(ARGV[2]), 'WITHSCORES')
return math.max(1, window - (at - tonumber(blocking[2])))
"""


class RedisWindow:
    """The same window in Redis, by Redis's clock; falls back to a slow local one while it is gone."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._take = client.register_script(_TAKE)
        self._fallback = LocalWindow()

    def take(self, name: str, limit: int) -> float:
        try:
            wait = self._take(
                keys=[f"jeoul:rate:{name}"],
                args=[int(WINDOW_SECONDS * 1_000_000), limit, secrets.token_hex(8)],
            )
        except redis.RedisError:
            log.warning("rate_window_local", name_of_window=name)
            return self._fallback.take(name, min(limit, FALLBACK_RATE))
        return int(wait) / 1_000_000  # type: ignore[arg-type]


class SharedBudget:
    """`RateBudget` over a window: one for all calls of a key, one for the ledger calls among them."""

    def __init__(
        self,
        window: Window,
        key: str,
        *,
        per_second: int,
        ledger_per_second: int,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._window = window
        self._key = key
        self._per_second = per_second
        self._ledger = ledger_per_second
        self._sleep = sleep
        self._monotonic = monotonic
        self._slow_until = 0.0

    def acquire(self, lane: RateLane) -> None:
        deadline = self._monotonic() + MAX_WAIT_SECONDS
        if lane != "read":
            self._enter("ledger", self._share(self._ledger), deadline)
        limit = self._share(self._per_second)
        # Orders may use the whole window, everything else leaves room for two of them.
        self._enter("all", limit if lane == "order" else max(1, limit - 2), deadline)

    def slow_down(self) -> None:
        self._slow_until = self._monotonic() + SLOW_SECONDS

    def _share(self, rate: int) -> int:
        return max(1, rate // 2) if self._monotonic() < self._slow_until else rate

    def _enter(self, part: str, limit: int, deadline: float) -> None:
        while (wait := self._window.take(f"{self._key}:{part}", limit)) > 0:
            if self._monotonic() + wait > deadline:
                raise BrokerBusy("our own call budget is used up; try again in a moment")
            self._sleep(wait)


@cache
def _window() -> Window:
    if settings.REDIS_URL:
        return RedisWindow(
            redis.Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=2,
                socket_connect_timeout=2,
                retry=Retry(NoBackoff(), 0),  # a lost window falls back at once
            )
        )
    return LocalWindow()


@cache
def budget_for(key_digest: str, wire: str) -> SharedBudget:
    """The budget of one key; `wire` decides the rates."""
    return SharedBudget(
        _window(),
        key_digest[:16],
        per_second=settings.KIS_RATE_PER_SECOND[wire],
        ledger_per_second=settings.KIS_LEDGER_RATE_PER_SECOND[wire],
    )
