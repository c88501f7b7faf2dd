"""Tells open pages that a run or an account changed. A hint only: the page asks for what is true."""

from __future__ import annotations

from trading.services.hints import hint

__all__ = ["announce", "announce_account"]


def announce(run_id: int, account_id: int) -> None:
    hint([account_id], run_id)


def announce_account(account_id: int) -> None:
    """The account was looked at; no run is concerned."""
    hint([account_id])
