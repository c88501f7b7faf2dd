"""Where a sale at market costs no more than a limit: a tight book that is deep enough."""

from __future__ import annotations

from rebalancing.domain.pricing import MAX_LEVELS
from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import is_on_tick, shift_ticks
from trading.domain.quotes import OrderBook

__all__ = ["MARKET_DEPTH", "MARKET_SPREAD_TICKS", "is_liquid"]

MARKET_SPREAD_TICKS = 2
MARKET_DEPTH = 5
"""Times the quantity, resting on the best five levels of the other side."""


def is_liquid(quantity: int, book: OrderBook | None, kind: InstrumentKind) -> bool:
    """True when the spread is two ticks at most and the bids hold five times `quantity`.

    False for a book whose sides cross: it is an auction's, or no book of this moment.
    """
    if book is None or book.spread is None or book.best_bid is None or book.best_ask is None:
        return False
    if not is_on_tick(book.best_bid, kind):
        return False
    widest = shift_ticks(book.best_bid, MARKET_SPREAD_TICKS, kind)
    depth = sum(level.quantity for level in book.bids[:MAX_LEVELS])
    return book.best_ask <= widest and depth >= MARKET_DEPTH * quantity
