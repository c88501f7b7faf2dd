"""Shares bought and sold on credit: what was lent, repaid and is outstanding. A seeded table.

Outstanding today is outstanding yesterday plus what was lent less what was repaid, in shares and in won:
all of a listing's loans stand at one price.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

from trading.simulator.company import company_of
from trading.simulator.market import Market

__all__ = ["Loans", "margin_loans", "stock_loans"]

SWING = 0.012
LENT = (0.004, 0.03)
STOCK_PART = 0.004
LOAN_PART = (9, 10)
"""How much of a share's base price is lent."""


@dataclass(frozen=True, slots=True)
class Loans:
    """Shares lent and repaid in a session and outstanding at its end; `price` won lent a share."""

    lent: int
    repaid: int
    left: int
    price: int


def margin_loans(market: Market, code: str, day: date) -> Loans:
    """Money lent for shares (융자)."""
    return _loans(market, code, day, "margin", 1.0)


def stock_loans(market: Market, code: str, day: date) -> Loans:
    """Shares lent for sale (대주)."""
    return _loans(market, code, day, "stock", STOCK_PART)


def _loans(market: Market, code: str, day: date, kind: str, part: float) -> Loans:
    before = market.calendar.previous_session(day)
    left, grown = _left(market, code, day, kind, part), 0
    grown = left - _left(market, code, before, kind, part)
    rng = random.Random(f"{market.seed}:loans:{kind}:{code}:{day}")
    lent = max(grown, 0) + int(market.bar(code, day).volume * rng.uniform(*LENT) * part)
    top, bottom = LOAN_PART
    return Loans(lent, lent - grown, left, market.listing(code).base * top // bottom)


def _left(market: Market, code: str, day: date, kind: str, part: float) -> int:
    listing = market.listing(code)
    rng = random.Random(f"{market.seed}:outstanding:{kind}:{code}:{day}")
    usual = float(listing.shares * company_of(market.seed, listing).loan_percent) / 100
    return int(usual * part * (1 + rng.uniform(-SWING, SWING)))
