"""The drift of an account as it was last looked at, from its targets in force."""

from __future__ import annotations

from portfolio.domain.allocation import groups_of
from portfolio.domain.drift import DriftReport, calculate_drift
from portfolio.models import TargetDecision
from rebalancing.domain.values import sub_percentages
from rebalancing.models import RebalancingConfig
from trading.models import Snapshot

__all__ = ["drift_of"]


def drift_of(snapshot: Snapshot, target: TargetDecision, config: RebalancingConfig) -> DriftReport:
    """Raises InputError where a held or targeted name has no price, or the account is worth nothing."""
    mp, sub = sub_percentages(target.snapshot)
    return calculate_drift(
        snapshot.cash,
        {ticker: row["quantity"] for ticker, row in snapshot.holdings.items()},
        {ticker: quote["last"] for ticker, quote in snapshot.quotes.items()},
        groups_of(mp, sub),
        mp,
        sub,
        config.mp_threshold_percent,
        config.sub_mp_threshold_percent,
    )
