"""The newest look at an account, without the raw answers that only an auditor needs."""

from __future__ import annotations

from trading.models import Account, Snapshot

__all__ = ["equity_history", "latest_snapshot"]


def latest_snapshot(account: Account) -> Snapshot | None:
    return Snapshot.objects.filter(account=account).defer("raw").first()


def equity_history(account: Account, most: int = 60) -> list[int]:
    """Equity of the last `most` snapshots in won, oldest first."""
    newest = Snapshot.objects.filter(account=account).values_list("equity", flat=True)[:most]
    return list(reversed(newest))
