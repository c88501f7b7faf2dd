"""Whether a plan as a whole fits the account's limits: else the gate would stop it half way.

Sales done and purchases refused would be the worst end, so that a plan counts as what it may cost at most,
beside what the day has spent already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from trading.domain.limits import GateLimits
from trading.domain.sent import Spent

__all__ = ["STEP_MINUTES", "PlannedLeg", "beyond_limits", "most_of"]

STEP_MINUTES = 2
"""What the sales of a run have to go out in, and its purchases: a step lasts three minutes, and what goes out
in the last one has no time to be filled or followed."""
TRIES = 2
"""What one order of a plan may come to: a price that moves away is followed with another order."""
Beyond = dict[str, object]


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """`slices` are the shares of each order, `price` the most that one of them may be sent at. `volume` is the
    name's of the day before, None where it is unknown: the gate waits for it."""

    ticker: str
    side: str
    slices: tuple[int, ...]
    price: int
    volume: int | None = None
    away: Decimal = Decimal(0)
    """How far from the present price the plan means to send it, in percent."""

    @property
    def won(self) -> int:
        return sum(self.slices) * self.price

    @property
    def largest(self) -> int:
        return max(self.slices, default=0)


def most_of(price: int, collar: Decimal) -> int:
    """The highest price that an order planned at `price` may go out at, in whole won."""
    return int((price * (1 + collar)).to_integral_value(ROUND_CEILING))


def beyond_limits(
    legs: Sequence[PlannedLeg], limits: GateLimits, spent: Spent | None = None
) -> list[Beyond]:
    """Every limit that the plan passes beside what was `spent` today; empty where it fits.

    Each as {"limit", "max"} with "won" and "spent" or "planned" and "spent", or "quantity" and "volume"; of one
    name with its "ticker". The gate judges each order once more, at its own price and moment.
    """
    if not legs:
        return []
    spent = spent or Spent()
    return [
        *_sums(legs, limits, spent),
        *_single(legs, limits),
        *_names(legs, limits, spent),
        *_counts(legs, limits, spent),
    ]


def _sums(legs: Sequence[PlannedLeg], limits: GateLimits, spent: Spent) -> list[Beyond]:
    planned = sum(leg.won for leg in legs)
    return [
        {"limit": name, "won": planned + before, "spent": before, "max": most}
        for name, before, most in (
            ("run_amount", spent.run_won, limits.max_run_won),
            ("day_amount", spent.day_won, limits.max_day_won),
        )
        if planned + before > most
    ]


def _single(legs: Sequence[PlannedLeg], limits: GateLimits) -> list[Beyond]:
    """What one order of a leg passes by itself."""
    found: list[Beyond] = []
    share = Decimal(limits.volume_share_percent)
    for leg in legs:
        won = leg.largest * leg.price
        if won > limits.max_order_won:
            row: Beyond = {"limit": "order_amount", "won": won, "max": limits.max_order_won}
            found.append(row | {"ticker": leg.ticker})
        if leg.largest > limits.max_quantity:
            row = {"limit": "quantity", "quantity": leg.largest, "max": limits.max_quantity}
            found.append(row | {"ticker": leg.ticker})
        if leg.away > Decimal(limits.collar_percent):
            row = {"limit": "price_collar", "away": str(round(leg.away, 2))}
            found.append(row | {"max": limits.collar_percent, "ticker": leg.ticker})
        if leg.volume is not None and Decimal(100) * leg.largest > share * leg.volume:
            row = {"limit": "volume_share", "quantity": leg.largest, "volume": leg.volume}
            found.append(row | {"max": str(share), "ticker": leg.ticker})
    return found


def _names(legs: Sequence[PlannedLeg], limits: GateLimits, spent: Spent) -> list[Beyond]:
    names: Counter[str] = Counter()
    for leg in legs:
        names[leg.ticker] += leg.won
    most = limits.max_ticker_day_won
    sums = {ticker: (won, spent.names.get(ticker, 0)) for ticker, won in names.items()}
    return [
        {"limit": "ticker_amount", "won": won + old, "spent": old, "max": most, "ticker": ticker}
        for ticker, (won, old) in sorted(sums.items())
        if won + old > most
    ]


def _counts(legs: Sequence[PlannedLeg], limits: GateLimits, spent: Spent) -> list[Beyond]:
    sides: Counter[str] = Counter()
    for leg in legs:
        sides[leg.side] += len(leg.slices)
    found: list[Beyond] = []
    orders = sum(sides.values()) * TRIES
    if orders + spent.orders > limits.per_day:
        row: Beyond = {"limit": "order_count", "planned": orders, "spent": spent.orders}
        found.append(row | {"max": limits.per_day})
    # what the other side sent in the minute before counts in the first one of this
    slowest = max(n + min(sum(sides.values()) - n, limits.per_minute) for n in sides.values())
    if slowest > limits.per_minute * STEP_MINUTES:
        row = {"limit": "pace", "planned": slowest, "minutes": STEP_MINUTES}
        found.append(row | {"max": limits.per_minute})
    return found
