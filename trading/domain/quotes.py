"""What the market shows at one moment: the last price with its limits, and the ten-level book."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["BookLevel", "Glance", "OrderBook", "Quote"]


@dataclass(frozen=True, slots=True)
class BookLevel:
    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Resting orders, best first on each side, empty levels left out. `at` is an aware time."""

    ticker: str
    asks: tuple[BookLevel, ...]
    bids: tuple[BookLevel, ...]
    at: datetime

    @property
    def best_ask(self) -> int | None:
        return self.asks[0].price if self.asks else None

    @property
    def best_bid(self) -> int | None:
        return self.bids[0].price if self.bids else None

    @property
    def spread(self) -> int | None:
        """Won between the best two. None where a side is empty or the sides cross, as in a call auction:
        such a book says nothing of what a trade costs."""
        if self.best_ask is None or self.best_bid is None or self.best_ask <= self.best_bid:
            return None
        return self.best_ask - self.best_bid


@dataclass(frozen=True, slots=True)
class Quote:
    """The broker's word on one instrument: last price, the day's limits, and whether it may trade.

    `at` is when we read it (the broker gives no time). `halted` covers a halt and liquidation;
    `vi` is true while a volatility interruption auction runs.
    """

    ticker: str
    last: int
    reference: int
    upper_limit: int
    lower_limit: int
    tick: int
    halted: bool
    warning: str
    vi: bool
    at: datetime
    previous_volume: int | None = None
    """Shares traded the session before; None where the broker's figures do not say."""

    def age(self, now: datetime) -> timedelta:
        return now - self.at


@dataclass(frozen=True, slots=True)
class Glance:
    """One of many instruments looked at together: prices in won (zero before the first trade of the day),
    the day's shares and won so far. `at` is when we asked."""

    ticker: str
    last: int
    reference: int
    open: int
    high: int
    low: int
    volume: int
    turnover: int
    at: datetime
