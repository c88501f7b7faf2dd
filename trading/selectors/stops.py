"""Who stopped trading and why, as the rows of the switch say it: now, and at some moment that is past."""

from __future__ import annotations

from datetime import datetime

from trading.models import Account, Switch
from trading.selectors.scopes import GLOBAL, account_scope

__all__ = ["ruling_stop", "stop_before"]

_STRICTER = ("HALTED", "REDUCING")


def ruling_stop(account: Account) -> Switch | None:
    """The row that stops `account` now: the strictest of the newest of its scopes, everything before the
    account alone. None where it trades, or where a file alone stops it."""
    rows = Switch.objects.order_by("-pk")
    return _strictest([rows.filter(scope=s).first() for s in (GLOBAL, account_scope(account))])


def stop_before(account: Account, at: datetime, at_all: datetime) -> Switch | None:
    """The row that stopped `account` at `at`; `at_all` is the same moment by the clock that switches of
    everything are written by."""
    rows = Switch.objects.order_by("-pk")
    all_of_it = rows.filter(scope=GLOBAL, at__lte=at_all).first()
    return _strictest([all_of_it, rows.filter(scope=account_scope(account), at__lte=at).first()])


def _strictest(newest: list[Switch | None]) -> Switch | None:
    found = [row for row in newest if row is not None and row.state in _STRICTER]
    return min(found, key=lambda row: _STRICTER.index(row.state), default=None)
