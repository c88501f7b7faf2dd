"""A key's calls per second, shared by every process, with orders first.

Reads leave two calls of each second free where there are that many, and while an order waits they
leave the place it needs whatever the rate is. With Redis the windows are shared; without it one process
does all the calling. If Redis fails, each process falls back to two calls a second: never unlimited.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from trading.domain.errors import BrokerBusy
from trading.domain.ports import RateLane
from trading.services.windows import LocalWindow, RedisWindow, Room, Window, places

__all__ = ["Pace", "SharedBudget", "budget_for"]

MAX_WAIT_SECONDS = 25.0
SLOW_SECONDS = 5.0
LEFT_FOR_ORDERS = 2


@dataclass(frozen=True, slots=True)
class Pace:
    """How many calls of a key a second are let through now, and how many of them ask the ledger."""

    per_second: int
    ledger_per_second: int
    slow: bool


class SharedBudget:
    """`RateBudget` over a window: a room for all calls of a key, and one for the ledger calls among
    them. An order and a ledger call need a place in both."""

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
        ledger = Room("ledger", ledger_per_second)
        reads = Room("all", per_second, spare=LEFT_FOR_ORDERS)
        self._rooms: dict[RateLane, tuple[Room, ...]] = {
            "order": (ledger, Room("all", per_second)),
            "ledger": (ledger, reads),
            "read": (reads,),
        }
        self._sleep = sleep
        self._monotonic = monotonic

    def acquire(self, lane: RateLane) -> None:
        ticket = secrets.token_hex(8) if lane == "order" else ""
        try:
            self._enter(lane, ticket)
        except BaseException:
            if ticket:
                self._window.withdraw(self._key, ticket)
            raise

    def slow_down(self) -> None:
        self._window.slow_down(self._key, SLOW_SECONDS)

    def pace(self) -> Pace:
        slow = self._window.is_slow(self._key)
        ledger, every = (places(room, slow=slow) for room in self._rooms["order"])
        return Pace(every, ledger, slow)

    def _enter(self, lane: RateLane, ticket: str) -> None:
        deadline = self._monotonic() + MAX_WAIT_SECONDS
        while (wait := self._window.take(self._key, self._rooms[lane], ticket)) > 0:
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
