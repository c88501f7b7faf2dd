"""A channel layer for one process that worker threads may send through without delay.

The stock in-memory layer keeps an asyncio.Queue per channel; a put from another thread does not wake
the reader's loop, so a message waits up to two seconds. Here the loop of the first reader is
remembered and every send from elsewhere is handed to it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from channels.layers import InMemoryChannelLayer

__all__ = ["ThreadSafeInMemoryLayer"]


class ThreadSafeInMemoryLayer(InMemoryChannelLayer):
    """`InMemoryChannelLayer` whose sends run on the loop that receives."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._home: asyncio.AbstractEventLoop | None = None

    async def receive(self, channel: str) -> Any:
        self._home = asyncio.get_running_loop()
        return await super().receive(channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._at_home(super().group_send(group, message))

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        await self._at_home(super().send(channel, message))

    async def _at_home(self, work: Any) -> None:
        home = self._home
        if home is None or home is asyncio.get_running_loop() or home.is_closed():
            await work
        else:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, home))
