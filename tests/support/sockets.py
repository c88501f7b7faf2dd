"""A WebSocket client for ASGI applications, without a server."""

from __future__ import annotations

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator

__all__ = ["Socket"]


class Socket(ApplicationCommunicator):
    """Connect, receive, send; `scope` may be changed before `connect`."""

    def __init__(self, application: Any, path: str, headers: Any = ()) -> None:
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": list(headers),
            "subprotocols": [],
        }
        super().__init__(application, self.scope)

    async def connect(self) -> bool:
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(5)
        return bool(answer["type"] == "websocket.accept")

    async def receive_json(self) -> Any:
        answer = await self.receive_output(5)
        assert answer["type"] == "websocket.send", answer
        return json.loads(answer["text"])

    async def send_text(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        await self.send_input({"type": "websocket.receive", "bytes": data})

    async def closed(self) -> int:
        """The code with which the other side ends it."""
        answer = await self.receive_output(5)
        assert answer["type"] == "websocket.close", answer
        return int(answer["code"])

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(5)
