"""Tells open pages that a run or an account changed. A hint only: the page asks for what is true."""

from __future__ import annotations

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

__all__ = ["account_group", "announce", "announce_account"]

log = structlog.get_logger(__name__)


def account_group(account_id: int) -> str:
    return f"account.{account_id}"


def announce(run_id: int, account_id: int) -> None:
    """Send after commit; a lost hint costs a page some seconds, never a fact."""
    transaction.on_commit(lambda: _send(run_id, account_id))


def announce_account(account_id: int) -> None:
    """The account was looked at; no run is concerned."""
    transaction.on_commit(lambda: _send(0, account_id))


def _send(run_id: int, account_id: int) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(
            account_group(account_id), {"type": "run.changed", "run": run_id}
        )
    except Exception:
        # Redis may be gone; the pages poll every few seconds all the same.
        log.warning("announcement_lost", run_id=run_id)
