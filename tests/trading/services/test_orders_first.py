"""An order goes before every inquiry that waits, whichever process asks; nobody else loses a place."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis
from django.conf import settings

from trading.domain.errors import BrokerBusy
from trading.services.rate import Pace, SharedBudget
from trading.services.windows import WINDOW_SECONDS, LocalWindow, RedisWindow, Room, Window

pytestmark = pytest.mark.money

SOON = 8.0
SHORT = 1.2
KINDS = ["local", *(["redis"] if settings.REDIS_URL else [])]


class Processes:
    """Windows as different processes hold them: with Redis each its own, without it one for all."""

    def __init__(self, kind: str) -> None:
        self.key = secrets.token_hex(8)
        self._kind = kind
        self._local = LocalWindow(announced_seconds=SHORT)
        self._clients: list[redis.Redis] = []

    def window(self) -> Window:
        if self._kind == "local":
            return self._local
        self._clients.append(redis.Redis.from_url(settings.REDIS_URL))
        return RedisWindow(self._clients[-1], announced_seconds=SHORT)

    def budget(self, rate: int, sleep: Callable[[float], None] = time.sleep) -> SharedBudget:
        return SharedBudget(
            self.window(), self.key, per_second=rate, ledger_per_second=rate, sleep=sleep
        )

    def close(self) -> None:
        for client in self._clients:
            client.close()


@pytest.fixture(params=KINDS)
def processes(request: pytest.FixtureRequest) -> Iterator[Processes]:
    made = Processes(request.param)
    yield made
    made.close()


def until(entered: Callable[[], float]) -> None:
    """Ask again and again until the call is let in."""
    give_up = time.monotonic() + SOON
    while entered() > 0:
        assert time.monotonic() < give_up, "nobody may wait that long"


@pytest.mark.parametrize("rate", [1, 2, 4])
def test_while_an_order_waits_no_inquiry_takes_its_place(processes: Processes, rate: int) -> None:
    reads, orders = processes.window(), processes.window()
    rooms = [Room("ledger", rate), Room("all", rate)]
    for _ in range(rate):
        assert reads.take(processes.key, rooms) == 0.0
    assert reads.take(processes.key, rooms) > 0, "an inquiry queues"
    assert orders.take(processes.key, rooms, "ours") > 0, "and behind it an order"

    taken_by_reads = 0

    def next_try() -> float:
        nonlocal taken_by_reads
        taken_by_reads += reads.take(processes.key, rooms) == 0.0
        return orders.take(processes.key, rooms, "ours")

    until(next_try)
    assert taken_by_reads < rate, "every try of the order came after an inquiry's, one place stayed"
    until(lambda: reads.take(processes.key, rooms))


def test_at_one_a_second_the_order_enters_before_all_inquiries_that_queued_ahead(
    processes: Processes,
) -> None:
    entered: list[str] = []
    queued = threading.Semaphore(0)

    def caller(name: str, lane: str) -> threading.Thread:
        told = itertools.count()

        def wait(seconds: float) -> None:
            if next(told) == 0:
                queued.release()
            time.sleep(seconds)

        def call() -> None:
            processes.budget(1, wait).acquire(lane)  # type: ignore[arg-type]
            entered.append(name)

        return threading.Thread(target=call)

    processes.budget(1).acquire("ledger")
    inquiries = [caller("inquiry", "ledger"), caller("inquiry", "read")]
    order = caller("order", "order")
    for thread in inquiries:
        thread.start()
    for _ in inquiries:
        assert queued.acquire(timeout=SOON)
    order.start()
    for thread in (*inquiries, order):
        thread.join(SOON)
    assert entered == ["order", "inquiry", "inquiry"]


def test_an_order_of_a_process_that_died_blocks_nobody_for_long(processes: Processes) -> None:
    dead, alive = processes.window(), processes.window()
    rooms = [Room("all", 1)]
    assert dead.take(processes.key, rooms, "never comes back") == 0.0
    assert dead.take(processes.key, rooms, "never comes back") > 0
    until(lambda: alive.take(processes.key, rooms))


def test_an_order_that_gives_up_blocks_nobody_at_all(processes: Processes) -> None:
    def interrupted(_seconds: float) -> None:
        raise BrokerBusy("stopped")

    long = processes.window()
    long._announced_seconds = 600  # type: ignore[attr-defined]
    budget = SharedBudget(long, processes.key, per_second=1, ledger_per_second=1, sleep=interrupted)
    budget.acquire("order")
    with pytest.raises(BrokerBusy):
        budget.acquire("order")
    until(lambda: processes.window().take(processes.key, [Room("all", 1)]))


@pytest.mark.parametrize("rate", [1, 3])
def test_inquiries_go_on_when_no_order_waits(processes: Processes, rate: int) -> None:
    budget = processes.budget(rate)
    started = time.monotonic()
    for _ in range(3):
        budget.acquire("ledger")
    assert time.monotonic() - started < SOON


def test_an_order_that_entered_is_announced_no_more(processes: Processes) -> None:
    window, rooms = processes.window(), [Room("all", 2)]
    assert window.take(processes.key, rooms, "first") == 0.0
    assert window.take(processes.key, rooms) == 0.0, "the second place is free for anybody"


def test_who_is_told_to_slow_down_slows_the_others_too(processes: Processes) -> None:
    told, other = processes.window(), processes.window()
    rooms = [Room("all", 8)]
    told.slow_down(processes.key, 2.0)
    assert [other.take(processes.key, rooms) > 0 for _ in range(5)] == [False] * 4 + [True]
    assert other.take(secrets.token_hex(8), rooms) == 0.0, "another key goes on"


def test_everybody_sees_the_pace_that_is_in_force(processes: Processes) -> None:
    told, other = processes.budget(15), processes.budget(15)
    assert other.pace() == Pace(15, 15, slow=False)
    processes.window().slow_down(processes.key, 0.3)
    assert told.pace() == other.pace() == Pace(7, 7, slow=True)
    time.sleep(0.4)
    assert other.pace() == Pace(15, 15, slow=False)


def test_slowness_passes(processes: Processes) -> None:
    told, other = processes.window(), processes.window()
    rooms = [Room("all", 2)]
    told.slow_down(processes.key, 0.05)
    started = time.monotonic()
    assert other.take(processes.key, rooms) == 0.0
    until(lambda: other.take(processes.key, rooms))
    assert time.monotonic() - started < WINDOW_SECONDS, "the second place was free again at once"
