"""The line against the simulator's real sockets: hears, loses the line, comes back, never hammers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx2
import pytest
from websockets.asyncio.server import ServerConnection, serve

from trading.brokers.kis.auth import issue_approval
from trading.brokers.kis.client import Credentials
from trading.brokers.kis.stream import line as module
from trading.brokers.kis.stream.line import LineState, StreamLine
from trading.brokers.kis.stream.registrations import Registrations, Wish
from trading.domain.ticks import BookTick, OrderNotice, Tick
from trading.simulator import DEMO_APPKEY, DEMO_APPSECRET, Simulator

ACCOUNT = "12345678-01"
KEYS = Credentials(DEMO_APPKEY, DEMO_APPSECRET, ACCOUNT)
SECONDS = 20


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(seed=7, tame=True, throttled=False) as made:
        yield made


class Listener:
    """A line on a simulator and all it heard."""

    def __init__(
        self, url: str, approve: module.Approve, now: Callable[[], Any], **how: Any
    ) -> None:
        self.heard: list[Any] = []
        self.book = Registrations()
        self.pauses: list[float] = []
        self.line = StreamLine(
            url,
            approve,
            self.book,
            lambda _channel, value: self.heard.append(value),
            now,
            sleep=self._pause,
            **how,
        )

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0.01)

    def wish(self, *wishes: Wish) -> None:
        self.book.wish(wishes, 0)

    def of(self, kind: type) -> list[Any]:
        return [value for value in self.heard if isinstance(value, kind)]

    @property
    def living(self) -> int:
        return sum(1 for row in self.book.rows.values() if row.state == "LIVE")


@asynccontextmanager
async def running(line: StreamLine) -> AsyncIterator[None]:
    task = asyncio.create_task(line.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not what():
            await asyncio.sleep(0.02)


def listener(sim: Simulator, **how: Any) -> Listener:
    issued: list[str] = []

    async def approve(fresh: bool) -> str:
        if fresh or not issued:
            with httpx2.Client(trust_env=False) as http:
                issued.append(issue_approval(sim.base_url, KEYS, http))
        return issued[-1]

    made = Listener(sim.ws_url, approve, sim.now, **how)
    made.issued = issued  # type: ignore[attr-defined]
    return made


def test_it_hears_trades_books_and_the_fills_of_its_orders(sim: Simulator) -> None:
    async def story() -> None:
        ear = listener(sim)
        ear.wish(
            Wish("ccnl_krx", "005930"),
            Wish("asking_price_krx", "005930"),
            Wish("ccnl_notice", "me", 0),
        )
        async with running(ear.line):
            await until(lambda: ear.living == 3)
            order = sim.manual_order(ACCOUNT, "005930", "buy", 3)
            await asyncio.to_thread(sim.advance, 2)
            await until(lambda: ear.of(Tick) and ear.of(BookTick) and len(ear.of(OrderNotice)) >= 2)
        shown = sim.world.market.shown("005930", sim.now())
        last = ear.of(Tick)[-1]
        assert (last.price, last.volume, last.at) == (
            shown.last,
            shown.volume,
            sim.now().replace(microsecond=0),
        )
        receipt, fill = ear.of(OrderNotice)[:2]
        assert (receipt.kind, fill.kind, fill.quantity) == ("RECEIPT", "FILL", 3)
        assert receipt.order_no == fill.order_no == order["odno"]
        assert not ear.line.bad

    asyncio.run(story())


def test_after_a_loss_everything_is_registered_again_with_new_keys(sim: Simulator) -> None:
    async def story() -> None:
        ear = listener(sim)
        ear.wish(Wish("ccnl_krx", "005930"), Wish("ccnl_notice", "me", 0))
        async with running(ear.line):
            await until(lambda: ear.living == 2)
            for session in list(sim.world.streams.sessions.values()):
                session.cut = True
            await until(lambda: ear.line.losses == 1)
            await until(lambda: ear.living == 2)
            sim.manual_order(ACCOUNT, "005930", "buy", 1)
            await asyncio.to_thread(sim.advance, 1)
            await until(lambda: len(ear.of(OrderNotice)) >= 2)
        assert not ear.line.bad, "the notices of the new session open with its own key"
        assert len(ear.issued) == 1, "the approval key is kept"  # type: ignore[attr-defined]

    asyncio.run(story())


def test_an_approval_key_that_is_not_taken_is_replaced_once(sim: Simulator) -> None:
    async def story() -> None:
        ear = listener(sim)
        ear.issued.append("an-old-one")  # type: ignore[attr-defined]
        ear.wish(Wish("ccnl_krx", "005930"))
        async with running(ear.line):
            await until(lambda: ear.living == 1)
        assert len(ear.issued) == 2  # type: ignore[attr-defined]

    asyncio.run(story())


def test_while_somebody_else_has_the_key_it_waits_a_minute_between_tries(sim: Simulator) -> None:
    async def story() -> None:
        first, second = listener(sim), listener(sim)
        for ear in (first, second):
            ear.wish(Wish("ccnl_krx", "005930"))
        async with running(first.line):
            await until(lambda: first.living == 1)
            async with running(second.line):
                await until(lambda: len(second.pauses) >= 2)
                assert second.line.state in (LineState.IN_USE, LineState.CONNECTING, LineState.OPEN)
            assert first.living == 1, "the one that has it is not disturbed"
        assert min(second.pauses) >= 60

    asyncio.run(story())


def test_a_server_that_closes_at_once_is_asked_less_and_less_often() -> None:
    async def story() -> None:
        asked = []

        async def close(connection: ServerConnection) -> None:
            await connection.close()

        async def approve(fresh: bool) -> str:
            asked.append(fresh)
            return "key"

        async with serve(close, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            ear = Listener(f"ws://127.0.0.1:{port}", approve, lambda: None)
            async with running(ear.line):
                await until(lambda: len(ear.pauses) >= 12)
        assert not any(asked), "no new approval key for a line that drops"
        longest = [min(60.0, 2.0**n) for n in range(len(ear.pauses))]
        for pause, most in zip(ear.pauses, longest, strict=True):
            assert most / 2 <= pause <= most

    asyncio.run(story())


def test_it_ends_even_when_it_is_cancelled_while_it_tidies_up() -> None:
    tidying = asyncio.Event()

    class Slow(StreamLine):
        async def _turns(self, line: Any, approval: str) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                tidying.set()
                await asyncio.sleep(60)

    async def story() -> None:
        async def close(connection: ServerConnection) -> None:
            await connection.close()

        async def approve(fresh: bool) -> str:
            return "key"

        async with serve(close, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            line = Slow(
                f"ws://127.0.0.1:{port}",
                approve,
                Registrations(),
                lambda *_: None,
                lambda: None,  # type: ignore[arg-type,return-value]
            )
            task = asyncio.create_task(line.run())
            await until(tidying.is_set)
            task.cancel()
            done, _pending = await asyncio.wait({task}, timeout=5)
            task.cancel()
            assert done == {task} and task.cancelled()

    asyncio.run(story())


def test_after_days_of_failures_the_pause_is_still_a_minute() -> None:
    for failures in (7, 2_000, 1_000_000):
        assert 30 <= module._pause(failures) <= 60


def test_nobody_there_is_no_error_that_ends_it() -> None:
    async def story() -> None:
        async def approve(fresh: bool) -> str:
            return "key"

        ear = Listener("ws://127.0.0.1:1", approve, lambda: None)
        async with running(ear.line):
            await until(lambda: len(ear.pauses) >= 3)
        assert ear.line.state is LineState.CLOSED

    asyncio.run(story())


def test_a_line_on_which_nobody_speaks_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.3)

    async def story() -> None:
        async def mute(connection: ServerConnection) -> None:
            await connection.wait_closed()

        async def approve(fresh: bool) -> str:
            return "key"

        async with serve(mute, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            ear = Listener(f"ws://127.0.0.1:{port}", approve, lambda: None)
            async with running(ear.line):
                await until(lambda: ear.line.losses >= 2)
        assert len(ear.pauses) >= 2, "and tried again, after a pause each time"
        assert ear.heard == []

    asyncio.run(story())


def test_a_line_on_which_only_pingpong_is_heard_stays(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trading.simulator import stream_port

    monkeypatch.setattr(module, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(stream_port, "PING_SECONDS", 0.2)
    monkeypatch.setattr(stream_port, "SILENT_SECONDS", 1.0)

    pings = []
    ask = sim.world.ping
    monkeypatch.setattr(sim.world, "ping", lambda: pings.append(ask()) or pings[-1])

    async def story() -> None:
        ear = listener(sim)
        ear.wish(Wish("ccnl_krx", "005930"))
        async with running(ear.line):
            await until(lambda: len(pings) >= 12)
            assert (ear.line.losses, ear.living, ear.heard) == (0, 1, [])

    asyncio.run(story())


def test_bad_frames_are_counted_and_the_line_goes_on(sim: Simulator) -> None:
    async def story() -> None:
        ear = listener(sim)
        ear.wish(Wish("ccnl_krx", "005930"))
        async with running(ear.line):
            await until(lambda: ear.living == 1)
            (session,) = sim.world.streams.sessions.values()
            session.outbox += ["0|H0STCNT0|004|1^2^3", "gibberish", "1|H0STCNI0|001|AAAA"]
            await until(lambda: sum(ear.line.bad.values()) == 3)
            await asyncio.to_thread(sim.advance, 1)
            await until(lambda: ear.of(Tick))
        assert ear.line.losses == 0

    asyncio.run(story())


def test_the_mock_environment_uses_its_own_notice_channel() -> None:
    async def story(sim: Simulator) -> None:
        ear = listener(sim, mock=True)
        ear.wish(Wish("ccnl_notice", "me", 0), Wish("ccnl_krx", "005930"))
        async with running(ear.line):
            await until(lambda: ear.living == 2)
            sim.manual_order(ACCOUNT, "005930", "buy", 1)
            await asyncio.to_thread(sim.advance, 1)
            await until(lambda: len(ear.of(OrderNotice)) >= 2)
            (session,) = sim.world.streams.sessions.values()
            assert {tr_id for tr_id, _key in session.registered} == {"H0STCNI9", "H0STCNT0"}
        assert [notice.kind for notice in ear.of(OrderNotice)] == ["RECEIPT", "FILL"]

    with Simulator(seed=7, tame=True, throttled=False, profile="mock") as sim:
        asyncio.run(story(sim))
