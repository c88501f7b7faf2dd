"""Ten levels of a book as summary screens tell them."""

from __future__ import annotations

from trading.domain.matching import Side
from trading.domain.quotes import BookLevel
from trading.simulator.truth import Truth

__all__ = ["best", "resting"]


def resting(truth: Truth, code: str) -> tuple[int, int]:
    """(shares asked, shares bid) in the ten levels of a book."""
    book = truth.book(code)
    asks, bids = (sum(one.quantity for one in book.levels(s)) for s in (Side.SELL, Side.BUY))
    return asks, bids


def best(truth: Truth, code: str) -> tuple[BookLevel, BookLevel]:
    """(the best ask, the best bid); an empty side is 0 won and 0 shares."""
    book = truth.book(code)
    asks, bids = book.levels(Side.SELL), book.levels(Side.BUY)
    nothing = BookLevel(0, 0)
    return asks[0] if asks else nothing, bids[0] if bids else nothing
