"""What the broker's line tells of our orders is a hint: bookings come from its list and from nowhere else.

A notice comes late, twice or never, and has no number of its own by which it would be known again.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx2
import pytest

from tests.support.truth import check_truth
from tests.support.world import ACCOUNT_NO, APP_KEY, APP_SECRET, World
from trading.brokers.kis.auth import issue_approval
from trading.brokers.kis.client import Credentials
from trading.brokers.kis.stream.line import StreamLine
from trading.brokers.kis.stream.registrations import Registrations, Wish
from trading.domain.ticks import OrderNotice
from trading.models import Ledger

# `once`: what hears is the same on every database
pytestmark = [pytest.mark.money, pytest.mark.once, pytest.mark.django_db(transaction=True)]

KEYS = Credentials(APP_KEY, APP_SECRET, ACCOUNT_NO)
SECONDS = 20


def until(what: Callable[[], object]) -> None:
    last = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < last, "it did not come"
        time.sleep(0.02)


@contextmanager
def fills_told(world: World) -> Iterator[list[OrderNotice]]:
    """Notices of fills as they come, on a line of its own beside whatever the test does."""
    told: list[OrderNotice] = []
    book = Registrations()
    book.wish([Wish("ccnl_notice", "me", 0)], 0)

    async def approve(_fresh: bool) -> str:
        with httpx2.Client(trust_env=False) as http:
            return issue_approval(world.sim.base_url, KEYS, http)

    def hear(_channel: object, value: Any) -> None:
        if isinstance(value, OrderNotice) and value.kind == "FILL":
            told.append(value)

    async def listen() -> None:
        line = StreamLine(world.sim.ws_url, approve, book, hear, world.sim.now)
        task = asyncio.create_task(line.run())
        while not over.is_set():
            await asyncio.sleep(0.02)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    over = threading.Event()
    listener = threading.Thread(target=lambda: asyncio.run(listen()))
    listener.start()
    try:
        until(lambda: any(row.state == "LIVE" for row in book.rows.values()))
        yield told
    finally:
        over.set()
        listener.join(SECONDS)


def test_what_the_line_tells_of_fills_books_nothing(world: World) -> None:
    run = world.drive(world.open(), until="SELLING")
    world.sim.arm("C05", match={}, params={"seconds": 5}, count=20)
    with fills_told(world) as told:
        run = world.drive(run, until="SELL_WAIT")
        for _ in range(2):  # what the first step lets go leaves with the second
            world.sim.advance(10)
        until(lambda: {one.order_no for one in told} == {o["odno"] for o in world.accepted()})
        time.sleep(0.2)  # time to do wrong
    assert not Ledger.objects.exists(), "nobody has read the list yet"
    run = world.drive(run)
    assert run.state == "COMPLETED"
    check_truth(world)
