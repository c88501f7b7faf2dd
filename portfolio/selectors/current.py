"""How an account is spread over the asset classes of its target, as its newest snapshot says."""

from __future__ import annotations

from decimal import Decimal

from portfolio.domain.allocation import current_allocation, groups_of
from portfolio.models import TargetDecision
from trading.models import Account, Snapshot

__all__ = ["get_current_asset_allocation"]


def get_current_asset_allocation(account: Account) -> dict[str, Decimal]:
    """Asset class → percent of equity, CASH and OTHER included; empty before the first look."""
    snapshot = Snapshot.objects.filter(account=account).defer("raw").first()
    target = TargetDecision.objects.filter(account=account).first()
    if snapshot is None or target is None or snapshot.equity <= 0:
        return {}
    mp = {name: Decimal(text) for name, text in target.snapshot["mp"].items()}
    sub = {
        name: {ticker: Decimal(text) for ticker, text in tickers.items()}
        for name, tickers in target.snapshot["sub"].items()
    }
    found = current_allocation(
        snapshot.cash,
        {ticker: row["quantity"] for ticker, row in snapshot.holdings.items()},
        {ticker: quote["last"] for ticker, quote in snapshot.quotes.items()},
        groups_of(mp, sub),
        mp,
    )
    return {name: Decimal(100 * won) / found.equity for name, won in found.classes.items()}
