"""Price rules by name, turned into one price on the tick from a fresh book.

Prices outside the collar are refused, never clipped: a clipped price is one nobody asked for.
"""

from __future__ import annotations

from decimal import Decimal

from rebalancing.domain.netting import Side
from trading.domain.errors import Reason
from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import is_on_tick, round_to_tick, shift_ticks
from trading.domain.quotes import OrderBook

__all__ = [
    "DEFAULT_COLLAR",
    "MAX_LEVELS",
    "PRICE_STRATEGIES",
    "collar_prices",
    "is_inside_collar",
    "resolve_price",
]

DEFAULT_COLLAR = Decimal("0.02")
MAX_LEVELS = 5

_BIDS = {f"CURRENT_BID_{n}": n for n in range(1, MAX_LEVELS + 1)}
_ASKS = {f"CURRENT_ASK_{n}": n for n in range(1, MAX_LEVELS + 1)}
_TICKS = {f"PLUS_TICKS_{n}": n for n in range(1, MAX_LEVELS + 1)}
_TICKS |= {f"MINUS_TICKS_{n}": -n for n in range(1, MAX_LEVELS + 1)}

PRICE_STRATEGIES = frozenset({"CURRENT_PRICE", "OPPOSITE_BEST", *_BIDS, *_ASKS, *_TICKS})
"""CURRENT_PRICE is the last trade; CURRENT_BID_n and CURRENT_ASK_n a level of the book;
OPPOSITE_BEST the best price of the other side (a seller's best bid); ±TICKS_n that price moved by n
ticks."""


def resolve_price(
    strategy: str, side: Side, book: OrderBook | None, last: int, kind: InstrumentKind
) -> int | Reason:
    """The price in won on the grid, or why there is none.

    An off-grid last price rounds to the side that is never worse than asked: down to buy, up to
    sell.
    """
    if strategy not in PRICE_STRATEGIES:
        return Reason("price_strategy", {"strategy": strategy})
    if strategy == "CURRENT_PRICE":
        if last <= 0:
            return Reason("no_last_price", {"last": last})
        price = round_to_tick(last, "down" if side is Side.BUY else "up", kind)
        return price or Reason("no_last_price", {"last": last})
    found = _book_price(strategy, side, book)
    if found is None:
        return Reason("book_level_missing", {"strategy": strategy})
    if not is_on_tick(found, kind):
        return Reason("book_off_tick", {"strategy": strategy, "price": found})
    return shift_ticks(found, _TICKS.get(strategy, 0), kind)


def collar_prices(reference: int, collar: Decimal, kind: InstrumentKind) -> tuple[int, int]:
    """Lowest and highest price on the grid inside ± `collar` of `reference`."""
    low = round_to_tick(reference * (1 - collar), "up", kind)
    return low, round_to_tick(reference * (1 + collar), "down", kind)


def is_inside_collar(price: int, reference: int, collar: Decimal) -> bool:
    """True up to and including the edge."""
    return abs(price - reference) <= collar * reference


def _book_price(strategy: str, side: Side, book: OrderBook | None) -> int | None:
    if book is None:
        return None
    if strategy in _BIDS:
        levels, level = book.bids, _BIDS[strategy]
    elif strategy in _ASKS:
        levels, level = book.asks, _ASKS[strategy]
    else:
        levels, level = (book.bids if side is Side.SELL else book.asks), 1
    return levels[level - 1].price if len(levels) >= level else None
