"""The broker's REST port without a socket: the client's own bytes go in, the simulator's own bytes come out.

Sockets are replaced below the HTTP client (its network backend) and below the simulator's parser (a stream
of bytes), so that what is built and parsed is what goes over a real line. Waiting costs no time of the
wall: whatever would block moves the virtual clock instead.
"""

from __future__ import annotations

import asyncio
import io
import logging
import math
import socket
from collections.abc import Callable, Iterable
from typing import Any

import httpcore2

from trading.simulator.faults import Delivery
from trading.simulator.http import BadRequest, Request, encode, html_reply, read_request
from trading.simulator.world import World

__all__ = ["Wire"]

log = logging.getLogger(__name__)
FOREVER = 3_600.0
"""A side that never answers is given up after an hour where nobody else gives up before."""


class Wire(httpcore2.NetworkBackend):
    """Connections to one simulated broker at `address`. `pass_time` moves every clock by so many seconds."""

    def __init__(
        self, world: World, pass_time: Callable[[float], None], address: tuple[str, int]
    ) -> None:
        self.world, self.pass_time, self.address = world, pass_time, address
        self.really = socket.create_connection
        self.loop = asyncio.new_event_loop()
        self.refused_until = 0.0

    def close(self) -> None:
        self.loop.close()

    def refuse_for(self, seconds: float) -> None:
        """Nobody listens for so long."""
        self.refused_until = self._now() + seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        if self._now() < self.refused_until:
            raise httpcore2.ConnectError("nobody listens")
        return _Line(self, cut=self.world.cut_unread())

    def create_connection(
        self, address: tuple[str, int], timeout: float | None = None, *more: Any, **named: Any
    ) -> Any:
        """What `socket.create_connection` does for the order door, which keeps a connection of its own. Whoever
        asks for another address (a database, Redis) gets a real one."""
        if address != self.address:
            return self.really(address, timeout, *more, **named)
        try:
            return _Socket(self.connect_tcp(*address))
        except httpcore2.ConnectError as error:
            raise ConnectionRefusedError(str(error)) from None

    def _now(self) -> float:
        return self.world.clock.peek().timestamp()


class _Socket:
    """As much of a socket as the standard library's HTTP client uses, over the same line."""

    def __init__(self, line: httpcore2.NetworkStream) -> None:
        self.line, self.timeout = line, None

    def settimeout(self, seconds: float | None) -> None:
        self.timeout = seconds  # type: ignore[assignment]

    def setsockopt(self, *_what: Any) -> None:
        """Options of a wire that is none."""

    def shutdown(self, _how: int) -> None:
        self.line.close()

    def close(self) -> None:
        self.line.close()

    def sendall(self, data: bytes) -> None:
        try:
            self.line.write(bytes(data))
        except httpcore2.WriteError as error:
            raise ConnectionResetError(str(error)) from None

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self))


class _Incoming(io.RawIOBase):
    def __init__(self, socket_: _Socket) -> None:
        self._socket = socket_

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._socket.line.read(len(buffer), self._socket.timeout)
        except httpcore2.ReadTimeout as error:
            raise TimeoutError(str(error)) from None
        except httpcore2.ReadError as error:
            raise ConnectionResetError(str(error)) from None
        buffer[: len(data)] = data
        return len(data)


class _Line(httpcore2.NetworkStream):
    """One connection, kept until one side ends it."""

    def __init__(self, wire: Wire, cut: bool) -> None:
        self._wire, self._sent, self._answer = wire, b"", b""
        self._over = "reset" if cut else ""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._over:
            raise httpcore2.WriteError("the connection is gone")
        self._sent += buffer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._answer and self._sent:
            self._ask(timeout)
        chunk, self._answer = self._answer[:max_bytes], self._answer[max_bytes:]
        if chunk or self._over == "closed":
            return chunk
        if self._over == "reset":
            raise httpcore2.ReadError("the connection was reset")
        raise httpcore2.ReadTimeout("nothing was asked")

    def close(self) -> None:
        self._over = self._over or "closed"

    def get_extra_info(self, info: str) -> Any:
        return bool(self._over) if info == "is_readable" else None

    # --- the other side -----------------------------------------------------------------------
    def _ask(self, timeout: float | None) -> None:
        request, self._sent = self._parsed(), b""
        delivery = self._delivery(request)
        silent = delivery.reply is None and not delivery.cut
        patience = math.ceil(FOREVER if timeout is None else timeout)
        if silent or delivery.wait >= patience:
            self._over = "reset"
            self._wire.pass_time(patience)
            raise httpcore2.ReadTimeout("no answer in time")
        if delivery.wait:
            self._wire.pass_time(delivery.wait)
        close = request.headers.get("connection", "").lower() == "close"
        if delivery.reply is not None:
            at = delivery.at or self._wire.world.truth.time
            self._answer = encode(delivery.reply, at, close)[: delivery.part]
        if delivery.cut:
            self._over = "reset" if delivery.part is None else "closed"
        elif close:
            self._over = "closed"

    def _parsed(self) -> Request:
        """The request as the simulator reads it; a client that sends half of one is a mistake of the bed."""
        reader = asyncio.StreamReader(loop=self._wire.loop)
        reader.feed_data(self._sent)
        reader.feed_eof()
        reading = read_request(reader)
        try:
            reading.send(None)
        except StopIteration as done:
            if done.value is None:
                raise BadRequest("nothing was sent") from None
            request: Request = done.value
            return request
        raise BadRequest("half a request")

    def _delivery(self, request: Request) -> Delivery:
        try:
            return self._wire.world.answer(request)
        except Exception:
            log.exception("no answer to %s %s", request.method, request.path)
            return Delivery(html_reply(500))
