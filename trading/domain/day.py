"""What a day brought: the value of what was held at its start, and of what was traded since.

Money that came or went without a trade is neither gain nor loss, so cash is left out: a deposit cannot
be told from a dividend in the broker's balance, but a fill of ours is always known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

__all__ = ["HALT_AT", "REDUCE_AT", "Opening", "Traded", "day_result", "strictness"]

REDUCE_AT = Decimal("0.03")
HALT_AT = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Opening:
    """Shares held at the start of the day, and the previous close they are valued at."""

    shares: int
    close: int


@dataclass(frozen=True, slots=True)
class Traded:
    """A fill since: shares come (+) or go (−), won go or come, costs included."""

    ticker: str
    shares: int
    won: int


def day_result(
    opening: Mapping[str, Opening], traded: Iterable[Traded], prices: Mapping[str, int]
) -> int | None:
    """Won gained (+) or lost (−) since the previous close; None where a price is missing."""
    result = -sum(held.shares * held.close for held in opening.values())
    shares: dict[str, int] = defaultdict(int)
    for ticker, held in opening.items():
        shares[ticker] += held.shares
    for fill in traded:
        shares[fill.ticker] += fill.shares
        result += fill.won
    for ticker, count in shares.items():
        if count == 0:
            continue
        if ticker not in prices:
            return None
        result += count * prices[ticker]
    return result


def strictness(result: int, equity: int) -> Literal["ACTIVE", "REDUCING", "HALTED"]:
    """How far a day's result lets an account go on; `equity` is its value at the previous close."""
    loss = -result
    if equity <= 0 or loss <= 0:
        return "ACTIVE"
    if loss >= HALT_AT * equity:
        return "HALTED"
    return "REDUCING" if loss >= REDUCE_AT * equity else "ACTIVE"
