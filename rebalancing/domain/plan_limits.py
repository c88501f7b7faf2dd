"""Whether a plan as a whole fits the account's limits: else the gate would stop it half way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from trading.domain.limits import GateLimits

__all__ = ["PlannedLeg", "beyond_limits"]


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """`slices` are the shares of each order, `price` what the plan reckons with."""

    ticker: str
    slices: tuple[int, ...]
    price: int

    @property
    def won(self) -> int:
        return sum(self.slices) * self.price


def beyond_limits(legs: Sequence[PlannedLeg], limits: GateLimits) -> list[dict[str, object]]:
    """Every limit that the plan passes, as {"limit", "won", "max"} and for one name its "ticker"; empty where
    it fits. At the plan's prices: the gate judges each order once more at its own."""
    found: list[dict[str, object]] = []
    total = sum(leg.won for leg in legs)
    for name, most in (("run_amount", limits.max_run_won), ("day_amount", limits.max_day_won)):
        if total > most:
            found.append({"limit": name, "won": total, "max": most})
    names: Counter[str] = Counter()
    for leg in legs:
        names[leg.ticker] += leg.won
        largest = max(leg.slices, default=0) * leg.price
        if largest > limits.max_order_won:
            row = {"limit": "order_amount", "won": largest, "max": limits.max_order_won}
            found.append(row | {"ticker": leg.ticker})
    for ticker, won in sorted(names.items()):
        if won > limits.max_ticker_day_won:
            row = {"limit": "ticker_amount", "won": won, "max": limits.max_ticker_day_won}
            found.append(row | {"ticker": ticker})
    return found
