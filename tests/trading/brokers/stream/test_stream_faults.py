"""Faults of the WebSocket, armed at the simulator: what the line hears is never more than a hint."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.trading.brokers.stream.test_line import ACCOUNT, Listener, listener, running, until
from trading.brokers.kis.stream import line as module
from trading.brokers.kis.stream.registrations import Wish
from trading.domain.ticks import OrderNotice, Tick
from trading.simulator import Simulator

WISHES = (Wish("ccnl_krx", "005930"), Wish("ccnl_notice", "me", 0))
Story = Callable[[Listener], Awaitable[None]]


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(seed=7, speed=0, tame=True, throttled=False) as made:
        yield made


def told(sim: Simulator, story: Story, *wishes: Wish) -> Listener:
    """A listener that has lived through `story` with everything registered."""
    kept: list[Listener] = []

    async def all_of_it() -> None:
        ear = listener(sim)
        kept.append(ear)
        ear.wish(*(wishes or WISHES))
        async with running(ear.line):
            await until(lambda: ear.living == len(wishes or WISHES))
            await story(ear)

    asyncio.run(all_of_it())
    return kept[0]


def fired(sim: Simulator, fault: str) -> int:
    return sum(1 for row in sim.journal() if row["kind"] == "fault_fired" and row["fault"] == fault)


async def _buy(sim: Simulator, quantity: int) -> None:
    sim.manual_order(ACCOUNT, "005930", "buy", quantity)
    await asyncio.to_thread(sim.advance, 2)


def _notices(ear: Listener) -> list[tuple[str, int]]:
    return [(n.kind, n.quantity) for n in ear.of(OrderNotice)]


RECEIPT, FILL = ("RECEIPT", 0), ("FILL", 3)


@pytest.mark.parametrize(
    ("fault", "params", "heard"),
    [
        ("C01", {}, [FILL]),
        ("C02", {"times": 3}, [RECEIPT, RECEIPT, RECEIPT, FILL]),
        ("C06", {}, [FILL, RECEIPT]),
        ("C05", {"seconds": 1}, [FILL, RECEIPT]),
    ],
)
def test_a_notice_may_be_lost_doubled_late_or_out_of_turn(
    sim: Simulator, fault: str, params: dict[str, Any], heard: list[tuple[str, int]]
) -> None:
    sim.arm(fault, params=params)

    async def story(ear: Listener) -> None:
        await _buy(sim, 3)
        await asyncio.to_thread(sim.advance, 3)
        await until(lambda: len(ear.of(OrderNotice)) >= len(heard) and ear.of(Tick))

    ear = told(sim, story)
    assert _notices(ear) == heard
    assert fired(sim, fault) == 1 and not ear.line.bad
    assert ear.line.losses == 0, "trades go on beside it"


def test_without_a_fault_each_notice_comes_once_and_in_turn(sim: Simulator) -> None:
    async def story(ear: Listener) -> None:
        await _buy(sim, 3)
        await until(lambda: len(ear.of(OrderNotice)) >= 2)

    assert _notices(told(sim, story)) == [RECEIPT, FILL]


def test_a_fault_of_notices_lets_trades_pass_and_waits_for_its_notice(sim: Simulator) -> None:
    sim.arm("C01", match={"account": "99999999-01"})

    async def story(ear: Listener) -> None:
        await _buy(sim, 3)
        await until(lambda: len(ear.of(OrderNotice)) >= 2 and ear.of(Tick))

    told(sim, story)
    assert fired(sim, "C01") == 0, "another account's notices are not this one's"


@pytest.mark.parametrize("shape", ["truncated", "count", "extra", "garbage"])
def test_a_frame_of_another_shape_is_counted_and_dropped(sim: Simulator, shape: str) -> None:
    sim.arm("C09", match={"tr_id": "H0STCNT0"}, params={"shape": shape})

    async def story(ear: Listener) -> None:
        await asyncio.to_thread(sim.advance, 1)
        await until(lambda: fired(sim, "C09") == 1 and (ear.line.bad or ear.of(Tick)))
        await asyncio.to_thread(sim.advance, 3)
        await until(lambda: ear.of(Tick))

    ear = told(sim, story)
    assert sum(ear.line.bad.values()) == 1 and ear.line.losses == 0


@pytest.mark.parametrize("lie", ["zero", "negative", "spike"])
def test_a_trade_that_cannot_be_is_counted_and_dropped(sim: Simulator, lie: str) -> None:
    sim.arm("C16", params={"lie": lie})

    async def story(ear: Listener) -> None:
        await asyncio.to_thread(sim.advance, 4)
        await until(lambda: fired(sim, "C16") == 1 and ear.line.bad and ear.of(Tick))

    ear = told(sim, story)
    assert sum(ear.line.bad.values()) == 1
    reference = sim.world.market.shown("005930", sim.now()).bar.reference
    assert all(0.69 * reference < t.price < 1.31 * reference for t in ear.of(Tick))
    assert all(t.quantity > 0 for t in ear.of(Tick))


@pytest.mark.parametrize("lie", ["twice", "backwards"])
def test_a_trade_told_twice_or_late_carries_what_tells_it_apart(sim: Simulator, lie: str) -> None:
    """The cumulative volume grows with every real trade: whoever adds up goes by that."""
    sim.arm("C16", params={"lie": lie})

    async def story(ear: Listener) -> None:
        await asyncio.to_thread(sim.advance, 4)
        await until(lambda: fired(sim, "C16") == 1 and len(ear.of(Tick)) > 2)

    volumes = [t.volume for t in told(sim, story).of(Tick)]
    assert list(dict.fromkeys(volumes)) == sorted(set(volumes))
    assert (len(set(volumes)) < len(volumes)) is (lie == "twice")


def test_notices_that_do_not_open_any_more_are_registered_again(sim: Simulator) -> None:
    sim.arm("C10", count=module.UNREADABLE)

    async def story(ear: Listener) -> None:
        for _ in range(2):
            await _buy(sim, 1)
        await until(lambda: ear.line.losses == 1 and ear.living == 2)
        await _buy(sim, 3)
        await until(lambda: FILL in _notices(ear))

    told(sim, story)
    assert fired(sim, "C10") == module.UNREADABLE


def test_two_notices_that_do_not_open_are_only_counted(sim: Simulator) -> None:
    sim.arm("C10", count=module.UNREADABLE - 1)

    async def story(ear: Listener) -> None:
        for _ in range(2):
            await _buy(sim, 3)
        await until(lambda: len(ear.of(OrderNotice)) >= 2)

    ear = told(sim, story)
    assert (ear.line.losses, sum(ear.line.bad.values())) == (0, module.UNREADABLE - 1)


def test_a_line_that_falls_silent_is_left_and_made_anew(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.5)
    sim.arm("C11", params={"seconds": 30})

    async def story(ear: Listener) -> None:
        await asyncio.to_thread(sim.advance, 2)
        await until(lambda: ear.line.losses >= 1)
        monkeypatch.setattr(module, "SILENT_SECONDS", 30)
        await until(lambda: ear.living == 2)
        await asyncio.to_thread(sim.advance, 2)
        await until(lambda: ear.of(Tick))

    ear = told(sim, story)
    assert ear.line.losses >= 1 and fired(sim, "C11") == 1


def test_a_server_that_closes_every_time_is_met_with_longer_pauses(sim: Simulator) -> None:
    sim.arm("C17", count=5)

    async def story(ear: Listener) -> None:
        await until(lambda: ear.living == 2)

    ear = told(sim, story)
    assert ear.line.losses == fired(sim, "C17") == 5
    assert len(ear.issued) == 1, "no new approval key for each"  # type: ignore[attr-defined]
    assert [low <= p <= 2 * low for low, p in zip((0.5, 1, 2, 4, 8), ear.pauses, strict=True)]
