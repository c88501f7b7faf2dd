"""Sliding windows of a key's calls, in this process or in Redis, in which an order is let in first.

A call enters all its rooms at once or none. An order that finds no place is announced under its ticket;
until it has entered, calls without a ticket leave the place it needs. An announcement that is not
renewed runs out, so that a process that died waiting blocks nobody.
"""

from __future__ import annotations

import collections
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import redis
import structlog

__all__ = ["LocalWindow", "RedisWindow", "Room", "Window"]

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 1.05  # a little over a second: the broker's clock is not ours
ANNOUNCED_SECONDS = 3.0  # longer than any wait between two tries of an order
STEP_ASIDE_SECONDS = 0.05  # how soon a call asks again after it left its place to an order
FALLBACK_RATE = 2


@dataclass(frozen=True, slots=True)
class Room:
    """At most `limit` entries in any `WINDOW_SECONDS`; this call leaves `spare` of them free."""

    name: str
    limit: int
    spare: int = 0


def places(room: Room, *, slow: bool) -> int:
    """How many entries this call may be the last of; half of them, and never none, when slow."""
    return max(1, (room.limit // 2 if slow else room.limit) - room.spare)


class Window(Protocol):
    """The calls of every key, counted."""

    def take(self, key: str, rooms: Sequence[Room], ticket: str = "") -> float:
        """Enter every room and return 0.0, or return the seconds to wait before asking again.
        With a `ticket` the call is an order: refused, it is announced; let in, it is no more."""
        ...

    def withdraw(self, key: str, ticket: str) -> None:
        """The order gave up: nobody waits for it any longer."""
        ...

    def slow_down(self, key: str, seconds: float) -> None:
        """Halve every room of `key` for that long, for everybody who shares the window."""
        ...

    def is_slow(self, key: str) -> bool:
        """Whether the rooms of `key` are halved at present."""
        ...


class LocalWindow:
    """The windows inside this process."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        announced_seconds: float = ANNOUNCED_SECONDS,
    ) -> None:
        self._entries: dict[tuple[str, str], collections.deque[float]] = {}
        self._announced: dict[str, dict[str, float]] = {}
        self._slow_until: dict[str, float] = {}
        self._lock = threading.Lock()
        self._monotonic = monotonic
        self._announced_seconds = announced_seconds

    def take(self, key: str, rooms: Sequence[Room], ticket: str = "") -> float:
        with self._lock:
            now = self._monotonic()
            ahead = 0 if ticket else self._ahead(key, now)
            slow = now < self._slow_until.get(key, now)
            wait = max(self._wait(key, room, now, ahead, slow) for room in rooms)
            if wait > 0:
                if ticket:
                    self._announced.setdefault(key, {})[ticket] = now + self._announced_seconds
                return wait
            for room in rooms:
                self._entries[key, room.name].append(now)
            self._announced.get(key, {}).pop(ticket, None)
            return 0.0

    def withdraw(self, key: str, ticket: str) -> None:
        with self._lock:
            self._announced.get(key, {}).pop(ticket, None)

    def slow_down(self, key: str, seconds: float) -> None:
        with self._lock:
            self._slow_until[key] = self._monotonic() + seconds

    def is_slow(self, key: str) -> bool:
        with self._lock:
            now = self._monotonic()
            return now < self._slow_until.get(key, now)

    def _ahead(self, key: str, now: float) -> int:
        waiting = self._announced.get(key, {})
        for ticket in [ticket for ticket, until in waiting.items() if until <= now]:
            del waiting[ticket]
        return len(waiting)

    def _wait(self, key: str, room: Room, now: float, ahead: int, slow: bool) -> float:
        entries = self._entries.setdefault((key, room.name), collections.deque())
        while entries and now - entries[0] >= WINDOW_SECONDS - 1e-6:
            entries.popleft()
        limit = places(room, slow=slow)
        if len(entries) >= limit:
            return WINDOW_SECONDS - (now - entries[len(entries) - limit])
        return STEP_ASIDE_SECONDS if len(entries) + ahead >= limit else 0.0


_TAKE = """
local now = redis.call('TIME')
local at = now[1] * 1000000 + now[2]
local window, aside, announced = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local entry, ticket = ARGV[4], ARGV[5]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', at)
local ahead = 0
if ticket == '' then ahead = redis.call('ZCARD', KEYS[1]) end
local slow = redis.call('EXISTS', KEYS[2]) == 1
local wait = 0
for i = 3, #KEYS do
  local limit, spare = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  if slow then limit = math.floor(limit / 2) end
  limit = math.max(1, limit - spare)
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', at - window)
  local held = redis.call('ZCARD', KEYS[i])
  if held >= limit then
    local blocking = redis.call('ZRANGE', KEYS[i], held - limit, held - limit, 'WITHSCORES')
    wait = math.max(wait, 1, window - (at - tonumber(blocking[2])))
  elseif held + ahead >= limit then
    wait = math.max(wait, aside)
  end
end
if wait == 0 then
  for i = 3, #KEYS do
    redis.call('ZADD', KEYS[i], at, entry)
    redis.call('PEXPIRE', KEYS[i], 5000)
  end
  redis.call('ZREM', KEYS[1], ticket)
elseif ticket ~= '' then
  redis.call('ZADD', KEYS[1], at + announced, ticket)
  redis.call('PEXPIRE', KEYS[1], 60000)
end
return wait
"""


def _micros(seconds: float) -> int:
    return int(seconds * 1_000_000)


class RedisWindow:
    """The same windows in Redis, by Redis's clock; slow local ones while it is gone."""

    def __init__(self, client: redis.Redis, announced_seconds: float = ANNOUNCED_SECONDS) -> None:
        self._client = client
        self._take = client.register_script(_TAKE)
        self._announced_seconds = announced_seconds
        self._fallback = LocalWindow()

    def take(self, key: str, rooms: Sequence[Room], ticket: str = "") -> float:
        fixed: list[int | str] = [
            _micros(WINDOW_SECONDS),
            _micros(STEP_ASIDE_SECONDS),
            _micros(self._announced_seconds),
            secrets.token_hex(8),
            ticket,
        ]
        try:
            wait = self._take(
                keys=[_name(key, part) for part in ("waiting", "slow", *(r.name for r in rooms))],
                args=[*fixed, *(number for r in rooms for number in (r.limit, r.spare))],
            )
        except redis.RedisError:
            log.warning("rate_window_local", budget=key)
            crawling = [replace(r, limit=min(r.limit, FALLBACK_RATE), spare=0) for r in rooms]
            return self._fallback.take(key, crawling, ticket)
        return int(wait) / 1_000_000  # type: ignore[arg-type]

    def withdraw(self, key: str, ticket: str) -> None:
        self._fallback.withdraw(key, ticket)
        try:
            self._client.zrem(_name(key, "waiting"), ticket)
        except redis.RedisError:
            log.warning("rate_window_local", budget=key)  # the announcement runs out by itself

    def slow_down(self, key: str, seconds: float) -> None:
        self._fallback.slow_down(key, seconds)
        try:
            self._client.set(_name(key, "slow"), 1, px=int(seconds * 1000))
        except redis.RedisError:
            log.warning("rate_window_local", budget=key)

    def is_slow(self, key: str) -> bool:
        try:
            return bool(self._client.exists(_name(key, "slow")))
        except redis.RedisError:
            return self._fallback.is_slow(key)


def _name(key: str, part: str) -> str:
    return f"jeoul:rate:{key}:{part}"
