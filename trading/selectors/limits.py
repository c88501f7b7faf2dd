"""Which limits rule an order: the newest of its account, and the tighter where its plan is older than they."""

from __future__ import annotations

from datetime import datetime

from trading.domain.limits import GateLimits, tightest
from trading.models import Account, TradingLimits
from trading.models.prepared import Prepared

__all__ = ["LIMIT_NAMES", "limits_in_force", "newest_limits"]

LIMIT_NAMES = (
    "max_order_won",
    "max_ticker_day_won",
    "max_run_won",
    "max_day_won",
    "volume_share_percent",
    "collar_percent",
    "per_minute",
    "per_day",
)
"""What a person may set."""


def newest_limits(account: Account) -> TradingLimits:
    """The row that rules, or the product's own values: looking writes nothing."""
    found = TradingLimits.objects.filter(account=account).first()
    return found or TradingLimits(account=account)


def limits_in_force(account: Account, planned_at: datetime | None = None) -> GateLimits:
    """For an order of a plan approved at `planned_at`: the tightest of what ruled then and of all since, so
    that nobody loosens what a plan in flight was approved under. Without a plan the newest row."""
    rules = []
    for row in _ROWS(account=account.pk):
        rules.append(_of(row))
        # one of the plan's own moment may have come before it or after: the one before it counts as well
        if planned_at is None or row.created_at < planned_at:
            break
    else:
        rules.append(GateLimits())
    return tightest(rules)


def _of(row: TradingLimits) -> GateLimits:
    return GateLimits(
        max_order_won=row.max_order_won,
        max_ticker_day_won=row.max_ticker_day_won,
        max_run_won=row.max_run_won,
        max_day_won=row.max_day_won,
        volume_share_percent=str(row.volume_share_percent),
        collar_percent=str(row.collar_percent),
        per_minute=row.per_minute,
        per_day=row.per_day,
    )


_ROWS = Prepared(
    lambda value: TradingLimits.objects.filter(account=value.account).order_by("-pk"),
    account=int,
)
