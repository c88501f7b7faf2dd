"""The market's time for a page: a page is shown even while the simulator's clock is silent."""

from __future__ import annotations

from datetime import datetime

from trading.domain.errors import ConfigurationError
from trading.models import Account
from trading.services.clock import market_clock

__all__ = ["market_now"]


def market_now(account: Account) -> datetime | None:
    """Now by the account's market clock; None when that clock does not answer."""
    try:
        return market_clock(account).now()
    except ConfigurationError:
        return None
