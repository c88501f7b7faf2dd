"""What an account holds and may spend, as its newest snapshot says."""

from __future__ import annotations

from trading.models import Account, Snapshot

__all__ = ["get_available_cash", "get_current_holdings"]


def _newest(account: Account) -> Snapshot | None:
    return Snapshot.objects.filter(account=account).defer("raw").first()


def get_current_holdings(account: Account) -> dict[str, int]:
    """Ticker → shares; empty before the first look at the account."""
    snapshot = _newest(account)
    return {t: row["quantity"] for t, row in snapshot.holdings.items()} if snapshot else {}


def get_available_cash(account: Account) -> int | None:
    """Won that may be planned with; None before the first look."""
    snapshot = _newest(account)
    return snapshot.cash if snapshot else None
