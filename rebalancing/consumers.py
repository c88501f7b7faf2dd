"""Hints to open pages: something about a run or an account changed, ask again.

The socket carries no facts and takes no commands; membership is checked on connect and while open.
"""

from __future__ import annotations

import asyncio
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import get_user_model

from trading.selectors.people import accounts_of
from trading.services.hints import account_group

__all__ = ["RunNewsConsumer"]

RECHECK_SECONDS = 60
REFUSED, LOGGED_OUT, POLICY = 4403, 4401, 1008


class RunNewsConsumer(AsyncJsonWebsocketConsumer):
    """Joins the groups of the person's accounts; sends `{"run": id}` when one of them changes."""

    watch: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        self.joined: list[str] = []
        accounts = await self._accounts()
        if not accounts:
            await self.close(code=REFUSED)
            return
        for pk in accounts:
            await self._join(account_group(pk))
        await self.accept()
        self.watch = asyncio.create_task(self._watch())

    async def _join(self, group: str) -> None:
        await self.channel_layer.group_add(group, self.channel_name)
        self.joined.append(group)

    async def disconnect(self, code: int) -> None:
        if self.watch is not None:
            self.watch.cancel()
        for group in self.joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pages have nothing to say here; whoever talks is not one of ours."""
        await self.close(code=POLICY)

    async def run_changed(self, event: dict[str, Any]) -> None:
        await self.send_json({"run": event["run"]})

    async def _watch(self) -> None:
        """A log-out, a lost role or a lost membership ends the socket within a minute."""
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            if {account_group(pk) for pk in await self._accounts()} != set(self.joined):
                await self.close(code=LOGGED_OUT)
                return

    @database_sync_to_async
    def _accounts(self) -> list[int]:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            return []
        fresh = get_user_model().objects.filter(pk=user.pk, is_active=True).first()
        if fresh is None:
            return []
        session = self.scope.get("session")
        if session is not None and not session.exists(session.session_key):
            return []
        return list(accounts_of(fresh).values_list("pk", flat=True))
