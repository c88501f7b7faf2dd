"""One connection to the broker's WebSocket, kept alive: registered again after every loss, never hammered.

What is heard are hints. Nothing is booked from here and no order is priced from here alone.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from trading.brokers.kis.stream.messages import Ack, BadFrame, Data, Ping, Secret, read_message
from trading.brokers.kis.stream.readers import Value, least_fields, offered, read_record
from trading.brokers.kis.stream.registrations import Registrations, Request
from trading.domain.errors import BrokerError
from trading.kis_wire import Channel

__all__ = ["LineState", "StreamLine"]

log = structlog.get_logger(__name__)
SILENT_SECONDS = 45.0
"""The broker asks PINGPONG every few seconds: after this silence nobody is there any more."""
STEADY_SECONDS = 30.0
UNREADABLE = 3
"""Notices in a row that do not open: the key has changed, and only a new registration gives the new one."""
PAUSE = (1.0, 60.0)
DOUBLINGS = 10
"""Enough to reach the longest pause; a week without the broker must not grow a number without end."""
IN_USE_PAUSE = 60.0
TURN_SECONDS = 0.2
Approve = Callable[[bool], Awaitable[str]]
Hear = Callable[[Channel, Value], None]


class LineState(StrEnum):
    """How the line stands; IN_USE means that another session has the app key."""

    CLOSED = "CLOSED"
    CONNECTING = "CONNECTING"
    OPEN = "OPEN"
    IN_USE = "IN_USE"


class _Ended(Exception):
    """The line must be closed; `pause` is the least time to wait, `fresh` asks for a new approval key."""

    def __init__(self, why: str, pause: float = 0.0, fresh: bool = False) -> None:
        super().__init__(why)
        self.pause, self.fresh = pause, fresh


class StreamLine:
    """`approve(fresh)` gives the approval key, a new one when `fresh`; `hear` takes each value at once
    and must not block; `now` is the market's clock. Run `run()` in one task and cancel it to end."""

    def __init__(
        self,
        url: str,
        approve: Approve,
        registrations: Registrations,
        hear: Hear,
        now: Callable[[], datetime],
        *,
        mock: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.registrations = registrations
        self.state = LineState.CLOSED
        self.bad: Counter[str] = Counter()
        self.losses = 0
        self._url, self._approve, self._hear, self._now = url, approve, hear, now
        self._mock, self._monotonic, self._sleep = mock, monotonic, sleep
        self._channels = offered(mock)
        self._by_tr = {self._tr(channel): channel for channel in self._channels.values()}
        self._secrets: dict[str, Secret] = {}
        self._notice_keys: dict[str, str] = {}
        self._spoken = 0.0
        self._unreadable = 0

    async def run(self) -> None:
        """Stay connected until cancelled."""
        failures, fresh = 0, False
        while True:
            opened = self._monotonic()
            pause = 0.0
            try:
                self.state = LineState.CONNECTING
                await self._once(await self._approve(fresh))
                fresh = False
            except _Ended as end:
                pause, fresh = end.pause, end.fresh
                log.warning("stream_ended", why=str(end))
            except (
                OSError,
                TimeoutError,
                WebSocketException,
                InvalidHandshake,
                BrokerError,
            ) as error:
                log.warning("stream_lost", why=type(error).__name__)
            finally:
                self.registrations.lost(self._monotonic())
                self._secrets.clear()
                if self.state is not LineState.IN_USE:
                    self.state = LineState.CLOSED
            self.losses += 1
            steady = self._monotonic() - opened > STEADY_SECONDS
            failures = 0 if steady else failures + 1
            await self._sleep(max(pause, _pause(failures)))

    async def _once(self, approval: str) -> None:
        """One connection from its first word to its end."""
        async with connect(
            self._url,
            ping_interval=None,
            compression=None,
            proxy=None,
            open_timeout=5,
            close_timeout=1,
            max_size=1_000_000,
        ) as line:
            self.state = LineState.OPEN
            self._unreadable = 0
            self._spoken = self._monotonic()
            turns = asyncio.create_task(self._turns(line, approval))
            try:
                async for message in line:
                    self._spoken = self._monotonic()
                    text = (
                        message if isinstance(message, str) else message.decode("utf-8", "replace")
                    )
                    await self._take(line, text)
                    if turns.done():
                        break
            finally:
                turns.cancel()
                # gathered, not awaited: our own cancel must not be taken for that of the turns
                (end,) = await asyncio.gather(turns, return_exceptions=True)
            if isinstance(end, Exception):
                raise end

    async def _turns(self, line: ClientConnection, approval: str) -> None:
        """Send what is due, and end a line on which nobody speaks any more."""
        while True:
            now = self._monotonic()
            if now - self._spoken > SILENT_SECONDS:
                await line.close()
                raise _Ended("silent")
            for request in self.registrations.due(now):
                await line.send(self._request(approval, request))
            await asyncio.sleep(TURN_SECONDS)

    def _request(self, approval: str, request: Request) -> str:
        channel = self._channels[request.channel]
        header = {
            "approval_key": approval,
            "custtype": "P",
            "tr_type": "1" if request.register else "2",
            "content-type": "utf-8",
        }
        body = {"input": {"tr_id": self._tr(channel), "tr_key": request.key}}
        return json.dumps({"header": header, "body": body})

    async def _take(self, line: ClientConnection, text: str) -> None:
        try:
            message = read_message(text)
            if isinstance(message, Ping):
                await line.send(message.text)
            elif isinstance(message, Ack):
                self._answered(message)
            else:
                self._data(message)
        except BadFrame as error:
            self.bad[str(error)] += 1

    def _answered(self, ack: Ack) -> None:
        if ack.code == "OPSP8996":
            self.state = LineState.IN_USE
            raise _Ended("another session has the app key", IN_USE_PAUSE)
        if ack.code in ("OPSP0010", "OPSP0011"):
            raise _Ended("the approval key is not taken", fresh=True)
        channel = self._by_tr.get(ack.tr_id)
        if channel is None:
            raise BadFrame("an answer about a channel that nobody asked for")
        if ack.secret is not None and channel.encrypted:
            self._secrets[channel.name] = ack.secret
            self._notice_keys[channel.name] = ack.key
        self.registrations.answered(channel.name, ack, self._monotonic())

    def _data(self, data: Data) -> None:
        channel = self._by_tr.get(data.tr_id)
        if channel is None:
            raise BadFrame("records of a channel that nobody asked for")
        for record in self._records(channel, data):
            try:
                value = read_record(channel, record, self._now())
            except BadFrame as error:
                self.bad[str(error)] += 1
                continue
            key = self._notice_keys.get(channel.name) or record[0]
            self.registrations.heard(channel.name, key, self._monotonic())
            self._hear(channel, value)

    def _records(self, channel: Channel, data: Data) -> list[list[str]]:
        """The records of a frame. Raises BadFrame, and _Ended when notices cannot be opened any more."""
        try:
            found = data.records(least_fields(channel), self._secrets.get(channel.name))
        except BadFrame as error:
            self._unreadable += channel.encrypted
            if self._unreadable >= UNREADABLE:
                raise _Ended("the notices do not open with the key that was given") from error
            raise
        if channel.encrypted:
            self._unreadable = 0
        return found

    def _tr(self, channel: Channel) -> str:
        return (channel.mock or channel.tr_id) if self._mock else channel.tr_id


def _pause(failures: int) -> float:
    """Seconds before the next try: doubling to a minute, half of it left to chance."""
    low, high = PAUSE
    longest = min(high, low * 2 ** min(DOUBLINGS, max(0, failures - 1)))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311
