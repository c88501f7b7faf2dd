"""The next second of KRX's regular session in which the market could fill something of ours."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from trading.domain.matching import MatchingBook
from trading.simulator.market import Market

__all__ = ["next_fill"]


def next_fill(
    market: Market, book: MatchingBook, code: str, opened: datetime, first: int, last: int
) -> int | None:
    """The first second in [first, last] that reaches an order in `book`, or that ends an interruption."""
    if not book.has_resting or first > last:
        return None
    day = opened.date()
    reopens = market.reopening(code, day, first, last)
    touched = _next_trade(market, book, code, opened, first, last, day)
    due = [tick for tick in (reopens, touched) if tick is not None]
    return min(due) if due else None


def _next_trade(
    market: Market, book: MatchingBook, code: str, opened: datetime, first: int, last: int, day: date
) -> int | None:  # fmt: skip
    """The next second of continuous trading that reaches an order of ours."""
    buy, sell, at_market = book.interest()
    while first <= last:
        tick: int | None = first
        if not at_market:
            tick = market.next_touch(code, day, first, last, buy, sell)
        if tick is None:
            return None
        moment = opened + timedelta(seconds=tick)
        if not market.closed(code, moment):
            return tick
        resumes = market.trading_again(code, moment)
        if resumes is None:
            return None
        first = max(tick + 1, -int(-(resumes - opened).total_seconds() // 1))
    return None
