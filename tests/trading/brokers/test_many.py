"""Many questions at once: in order, at one pace, and never more under way than allowed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.trading.brokers.test_client import Budget, client, good
from trading.brokers.kis.client import KisClient
from trading.brokers.kis.many import read_many
from trading.domain.errors import BrokerError, BrokerUnavailable

START = datetime(2026, 11, 20, tzinfo=UTC)
PATIENCE = 20


class Ticking:
    """A clock that is a second later at each look."""

    def __init__(self) -> None:
        self.looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return START + timedelta(seconds=self.looks)


def asked(count: int) -> list[dict[str, str]]:
    return [{"FID_INPUT_ISCD_1": f"{n:06d}"} for n in range(count)]


def number_of(request: httpx2.Request) -> int:
    return int(request.url.params["FID_INPUT_ISCD_1"])


def telling(meet: Callable[[int], Any] = lambda _number: None) -> KisClient:
    def answer(request: httpx2.Request) -> httpx2.Response:
        number = number_of(request)
        step = meet(number)
        if step is not None:
            raise step
        status, body, headers = good(output=[{"number": str(number)}])
        return httpx2.Response(status, json=body, headers=headers)

    return client(answer)


def test_answers_come_in_the_order_asked_each_as_old_as_its_question() -> None:
    clock = Ticking()
    found = read_many(telling(), "intstock_multprice", asked(20), clock.now)
    assert [row.body["output"][0]["number"] for _at, row in found] == [str(n) for n in range(20)]
    assert [at for at, _row in found] == [START + timedelta(seconds=n + 1) for n in range(20)]


def test_so_many_are_under_way_together_and_no_more() -> None:
    gate = threading.Barrier(4)
    lock, under_way, most = threading.Lock(), 0, 0

    def meet(_number: int) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        gate.wait(PATIENCE)  # nobody is answered before four have asked
        with lock:
            under_way -= 1

    found = read_many(telling(meet), "intstock_multprice", asked(12), Ticking().now, in_flight=4)
    assert len(found) == 12 and most == 4


def test_one_that_fails_is_asked_again_alone() -> None:
    failed: list[int] = []

    def meet(number: int) -> Exception | None:
        if number in (3, 7) and failed.count(number) < 2:
            failed.append(number)
            return httpx2.ReadTimeout("x")
        return None

    found = read_many(telling(meet), "intstock_multprice", asked(10), Ticking().now)
    assert len(found) == 10 and sorted(failed) == [3, 3, 7, 7]


def test_one_that_stays_silent_ends_it_with_its_error() -> None:
    count = 0

    def meet(number: int) -> Exception | None:
        nonlocal count
        count += 1
        return httpx2.ReadTimeout("x") if number == 2 else None

    with pytest.raises(BrokerUnavailable):
        read_many(telling(meet), "intstock_multprice", asked(5), Ticking().now)
    assert count < 5 + 8, "its own tries and no more"


def test_each_question_takes_one_turn_of_the_key() -> None:
    turns: list[str] = []

    class Counted(Budget):
        def acquire(self, lane: str) -> None:
            turns.append(f"{lane} {threading.current_thread().name}")

    made = telling()
    made.budget = Counted()  # type: ignore[assignment]
    read_many(made, "intstock_multprice", asked(9), Ticking().now)
    assert turns == [f"read {threading.current_thread().name}"] * 9, "in the caller's thread"


def test_without_a_turn_nothing_more_is_asked() -> None:
    spoken: list[int] = []

    class Shut(Budget):
        def acquire(self, lane: str) -> None:
            if len(spoken) >= 2:
                raise BrokerUnavailable("no turn")

    def meet(number: int) -> None:
        spoken.append(number)

    made = telling(meet)
    made.budget = Shut()  # type: ignore[assignment]
    with pytest.raises(BrokerError):
        read_many(made, "intstock_multprice", asked(9), Ticking().now, in_flight=1)
    assert spoken == [0, 1]


def test_too_fast_slows_the_key_down_and_nothing_more_is_sent_ahead() -> None:
    slowed: list[int] = []
    asked_for: list[int] = []

    class Told(Budget):
        def slow_down(self) -> None:
            slowed.append(1)

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked_for.append(number_of(request))
        if len(asked_for) == 1:
            return httpx2.Response(500, json={"rt_cd": "1", "msg_cd": "EGW00201", "msg1": "x"})
        status, body, headers = good(output=[{"number": str(number_of(request))}])
        return httpx2.Response(status, json=body, headers=headers)

    made = client(answer)
    made.budget = Told()  # type: ignore[assignment]
    found = read_many(made, "intstock_multprice", asked(6), Ticking().now, in_flight=1)
    assert [row.body["output"][0]["number"] for _at, row in found] == [str(n) for n in range(6)]
    assert slowed == [1] and asked_for[:2] == [0, 0], "the one that was refused comes first again"
