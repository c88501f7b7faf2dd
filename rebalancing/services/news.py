"""Tells open pages that a run or an account changed. A hint only: the page asks for what is true."""

from __future__ import annotations

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

__all__ = ["account_group", "announce", "run_group"]

log = structlog.get_logger(__name__)


def run_group(run_id: int) -> str:
    return f"run.{run_id}"


def account_group(account_id: int) -> str:
    return f"account.{account_id}"


def announce(run_id: int, account_id: int) -> None:
    """Send after commit; a lost hint costs a page some seconds, never a fact."""
    transaction.on_commit(lambda: _send(run_id, account_id))


def _send(run_id: int, account_id: int) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        for group in (run_group(run_id), account_group(account_id)):
            async_to_sync(layer.group_send)(group, {"type": "run.changed", "run": run_id})
    except Exception:
        # Redis may be gone; the pages poll every few seconds all the same.
        log.warning("announcement_lost", run_id=run_id)
