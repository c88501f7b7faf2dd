"""The WebSocket port: carries messages in and outboxes out, asks PINGPONG, ends what does not answer.

Pings of a client stay unanswered and none are sent, as the broker does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from trading.simulator.world import World
from trading.simulator.ws.registrations import Session

__all__ = ["PING_SECONDS", "SILENT_SECONDS", "StreamPort"]

PING_SECONDS = 10.0
SILENT_SECONDS = 100.0
FULL = 50_000
"""Frames that may wait for a slow reader before it is cut off."""


class Line(ServerConnection):
    """A connection that notes when it was last heard and answers no ping."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heard = time.monotonic()
        self.wake = asyncio.Event()
        send = self.protocol.send_frame
        self.protocol.send_frame = _without_pongs(send)  # type: ignore[method-assign,assignment]

    def process_event(self, event: Any) -> None:
        self.heard = time.monotonic()
        super().process_event(event)


def _without_pongs(send: Callable[[Frame], None]) -> Callable[[Frame], None]:
    def chosen(frame: Frame) -> None:
        if frame.opcode is not Opcode.PONG:
            send(frame)

    return chosen


class StreamPort:
    """Listens on `host`:`port` (0: any free port) once started; any path will do."""

    def __init__(self, world: World, host: str, port: int) -> None:
        self.world, self.host, self.port = world, host, port
        self._server: Server | None = None
        self._lines: dict[Line, Session] = {}
        self._pinged = time.monotonic()

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        self._server = await serve(
            self._talk,
            self.host,
            self.port,
            compression=None,
            ping_interval=None,
            create_connection=Line,
            max_size=64 * 1024,
            close_timeout=1,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def flush(self) -> None:
        """Wake whoever has something to send; ask and end the silent ones when it is time."""
        now = time.monotonic()
        asking = now - self._pinged >= PING_SECONDS
        if asking:
            self._pinged = now
        for line, session in list(self._lines.items()):
            if asking and session.appkey:
                session.outbox.append(self.world.ping())
            late = now - line.heard > SILENT_SECONDS or len(session.outbox) > FULL
            session.cut = session.cut or late
            if session.outbox or session.cut:
                line.wake.set()

    async def _talk(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Line)
        session = self._lines[connection] = self.world.ws_open()
        sender = asyncio.create_task(self._send(connection, session))
        if session.cut:
            connection.wake.set()
        try:
            async for message in connection:
                text = message if isinstance(message, str) else message.decode("utf-8", "replace")
                self.world.ws_hear(session, text)
                connection.wake.set()
        except ConnectionClosed:
            pass
        finally:
            self._lines.pop(connection, None)
            self.world.ws_close(session)
            sender.cancel()

    async def _send(self, line: Line, session: Session) -> None:
        """Send what waits; a cut session ends without a close frame after its last words."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await line.wake.wait()
                line.wake.clear()
                for frame in self.world.ws_take(session):
                    await line.send(frame)
                if session.cut:
                    line.transport.abort()
                    return
