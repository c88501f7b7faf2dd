"""KRX's price grid: ticks, rounding that is never worse than asked, daily limits.

Source: KRX rules in force since 2023-01-25 (stocks) and 2023-12 (ETF, ETN); `docs/formulas.md` §1.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Literal

from trading.domain.instruments import InstrumentKind

__all__ = ["daily_limits", "grid_from", "is_on_tick", "round_to_tick", "shift_ticks", "tick_size"]

_STOCK_BOUNDS = (2_000, 5_000, 20_000, 50_000, 200_000, 500_000)
_STOCK_TICKS = (1, 5, 10, 50, 100, 500, 1_000)
_FUND_BOUNDS = (2_000,)
_FUND_TICKS = (1, 5)
"""A price below the first bound has the first tick, one at or above the last bound the last."""

Price = int | Decimal


def tick_size(price: Price, kind: InstrumentKind) -> int:
    """Distance in won between allowed prices around `price`. Raises ValueError when price ≤ 0."""
    if price <= 0:
        raise ValueError(f"a price must be positive, got {price}")
    if kind.is_fund:
        return _FUND_TICKS[bisect_right(_FUND_BOUNDS, price)]
    return _STOCK_TICKS[bisect_right(_STOCK_BOUNDS, price)]


def is_on_tick(price: Price, kind: InstrumentKind) -> bool:
    """True when an order at `price` would be accepted by the grid."""
    return price > 0 and price % tick_size(price, kind) == 0


def round_to_tick(price: Price, mode: Literal["down", "up"], kind: InstrumentKind) -> int:
    """The nearest allowed price not above (`down`, for buys) or not below (`up`, for sells) `price`.

    The tick is that of `price` itself; every step boundary is a multiple of both its ticks, so the
    result is on the grid on either side of a boundary. A price below one won rounds down to 0.
    """
    tick = tick_size(price, kind)
    steps = (Decimal(price) / tick).to_integral_value(
        rounding=ROUND_FLOOR if mode == "down" else ROUND_CEILING
    )
    return int(steps) * tick


def shift_ticks(price: int, ticks: int, kind: InstrumentKind) -> int:
    """`price`, which must be on the grid, moved by `ticks` steps; never below the first tick.

    Walks the grid, so a step across a boundary has the size of the side it lands on.
    """
    if not is_on_tick(price, kind):
        raise ValueError(f"{price} is not on the price grid of {kind}")
    for _ in range(abs(ticks)):
        if ticks > 0:
            price += tick_size(price, kind)
        elif price > 1:
            price -= tick_size(price - 1, kind)
    return price


def grid_from(price: int, step: int, count: int, kind: InstrumentKind) -> tuple[int, ...]:
    """`price`, which must be on the grid, and those after it upwards (`step` 1) or downwards (−1).

    `count` in all; fewer where the way down ends at the first tick.
    """
    found = [shift_ticks(price, 0, kind)]
    while len(found) < count and (step > 0 or price > 1):
        price += tick_size(price, kind) if step > 0 else -tick_size(price - 1, kind)
        found.append(price)
    return tuple(found)


@lru_cache(maxsize=16_384)
def daily_limits(reference: int, kind: InstrumentKind, percent: int = 30) -> tuple[int, int]:
    """(lowest, highest) price of the day: ±`percent` % of `reference`, rounded towards it to the tick.

    For matching and tests only. Live code takes the limits from the broker, which knows the exceptions
    (first listing day, liquidation trading).
    """
    low = Decimal(reference) * (100 - percent) / 100
    high = Decimal(reference) * (100 + percent) / 100
    return round_to_tick(low, "up", kind), round_to_tick(high, "down", kind)
