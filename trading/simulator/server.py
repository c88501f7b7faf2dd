"""The sockets: the broker's port and the control port on one event loop in a thread of its own.

Replies are computed under the world's lock and sent without it, so a slow or cut reply never holds
up the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime

from trading.domain.sessions import SEOUL
from trading.simulator.control import Control
from trading.simulator.faults import Delivery
from trading.simulator.http import (
    BadRequest,
    Reply,
    Request,
    encode,
    html_reply,
    json_reply,
    read_request,
)
from trading.simulator.stream_port import StreamPort
from trading.simulator.world import World

__all__ = ["Server"]

log = logging.getLogger(__name__)

PUMP_SECONDS = 0.1
LOOPBACK = "127.0.0.1"
Answer = Callable[[Request], Delivery]


class Server:
    """Listens on `host`:`port` and `ws_port` (0: any free port) and, on loopback, on the control port."""

    def __init__(
        self,
        world: World,
        host: str,
        port: int,
        control_port: int,
        ws_port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.world = world
        self._tls = tls
        self.stream = StreamPort(world, host, ws_port)
        self.control = Control(world)
        self.control.on_refuse = self._refuse_for
        self.control.on_cut = self._drop_idle
        self.host, self.port, self.control_port = host, port, control_port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self._broker: asyncio.Server | None = None
        self._idle: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Bind both ports and serve in the background. Raises OSError when a port is taken."""
        self._thread = threading.Thread(target=self._run, name="kis-simulator", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """Close every socket and wait for the thread to end."""
        if self._loop and self._stop and self._thread and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=5)
        self.world.end()

    def wait(self, seconds: float | None = None) -> None:
        """Block until the server stops, or for `seconds`."""
        if self._thread:
            self._thread.join(seconds)

    # --- loop ---------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._broker = await self._listen(_bound(self.host, self.port))
        control = await asyncio.start_server(
            self._client(self._answer_control, broker=False), LOOPBACK, self.control_port
        )
        await self.stream.start()
        self.port = self._broker.sockets[0].getsockname()[1]
        self.control_port = control.sockets[0].getsockname()[1]
        pump = asyncio.create_task(self._pump())
        self._ready.set()
        await self._stop.wait()
        pump.cancel()
        self._broker.close()
        control.close()
        await self.stream.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(pump, *self._tasks, return_exceptions=True)

    async def _listen(self, sock: socket.socket) -> asyncio.Server:
        client = self._client(self.world.answer, broker=True)
        return await asyncio.start_server(client, sock=sock, limit=256 * 1024, ssl=self._tls)

    async def _pump(self) -> None:
        while True:
            await asyncio.sleep(PUMP_SECONDS)
            if self.world.clock.speed:
                self.world.pump()
            self.stream.flush()

    def _answer_control(self, request: Request) -> Delivery:
        return Delivery(self.control.answer(request), at=datetime.now(SEOUL))

    # --- connections --------------------------------------------------------------------------

    def _client(
        self, answer: Answer, broker: bool
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            try:
                if broker and self.world.cut_unread():
                    _reset(writer)
                    return
                await self._talk(reader, writer, answer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                self._tasks.discard(task)
                self._idle.discard(writer)
                with contextlib.suppress(Exception):
                    writer.close()

        return serve

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer
    ) -> None:
        while True:
            self._idle.add(writer)
            try:
                request = await read_request(reader)
            except BadRequest as error:
                await _send(writer, encode(_bad(error), datetime.now(SEOUL), close=True))
                return
            self._idle.discard(writer)
            if request is None:
                return
            try:
                delivery = answer(request)
            except Exception:
                log.exception("no answer to %s %s", request.method, request.path)
                delivery = Delivery(html_reply(500))
            if not await self._deliver(writer, request, delivery):
                return

    async def _deliver(
        self, writer: asyncio.StreamWriter, request: Request, delivery: Delivery
    ) -> bool:
        """Send as told; False when the connection is over."""
        if delivery.wait:
            await asyncio.sleep(delivery.wait)
        close = request.headers.get("connection", "").lower() == "close"
        if delivery.reply is not None:
            at = delivery.at or datetime.now(SEOUL)
            await _send(writer, encode(delivery.reply, at, close)[: delivery.part])
        if delivery.cut:
            if delivery.part is None:
                _reset(writer)
            return False
        return not close

    # --- faults of the connection -------------------------------------------------------------

    def _close_idle(self) -> None:
        """Connections that wait between requests are closed, so that the next one is a new one."""
        for writer in list(self._idle):
            writer.close()

    def _drop_idle(self) -> None:
        if self._loop and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._close_idle)

    def _refuse_for(self, seconds: float) -> None:
        """Refuse connections for `seconds` of real time: nobody listens."""
        loop = self._loop
        if loop:
            loop.call_soon_threadsafe(lambda: loop.create_task(self._away(seconds)))

    async def _away(self, seconds: float) -> None:
        if self._broker and self._loop:
            for listener in self._broker.sockets:
                self._loop.remove_reader(listener.fileno())
            await asyncio.sleep(0.01)  # connections already accepted are served, not left hanging
            self._broker.close()
        kept = _bound(self.host, self.port)
        self._close_idle()
        await asyncio.sleep(seconds)
        self._broker = await self._listen(kept)


def _bound(host: str, port: int) -> socket.socket:
    """A socket that owns the port but refuses connections until it listens."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"{error.strerror}: {host}:{port}") from error
    return sock


def _bad(error: BadRequest) -> Reply:
    return json_reply({"rt_cd": "1", "msg_cd": "EGW00101", "msg1": str(error)}, 400)


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a TCP reset, as a broken connection ends."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
