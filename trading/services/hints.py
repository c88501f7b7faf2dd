"""Tells open pages to ask again. A hint only: the page asks for what is true."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

__all__ = ["account_group", "hint"]

log = structlog.get_logger(__name__)


def account_group(account_id: int) -> str:
    return f"account.{account_id}"


def hint(accounts: Iterable[int], run_id: int = 0) -> None:
    """Send to the pages of `accounts` after commit; `run_id` 0 concerns no run.

    A lost hint costs a page some seconds, never a fact.
    """
    concerned = list(accounts)
    transaction.on_commit(lambda: _send(concerned, run_id))


def _send(accounts: list[int], run_id: int) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        for account_id in accounts:
            async_to_sync(layer.group_send)(
                account_group(account_id), {"type": "run.changed", "run": run_id}
            )
    except Exception:
        # Redis may be gone; the pages poll every few seconds all the same.
        log.warning("announcement_lost", run_id=run_id)
