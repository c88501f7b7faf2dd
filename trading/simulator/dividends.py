"""What companies paid to their holders before the world began. A seeded table.

Nothing is paid while the world lives: its accounts would have to receive it, and corporate actions are
not modelled. So no dividend here is paid later than the world's first day.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from trading.simulator.market import Market
from trading.simulator.prices import Listing
from trading.simulator.statements import HUNDRED_MILLION, anchor_year, earnings

__all__ = ["Dividend", "dividends", "paid_for"]

PAYOUT = (0.10, 0.40)
TWICE_A_YEAR = 0.4
INTERIM_PART = 0.3
YEARS = 10


@dataclass(frozen=True, slots=True)
class Dividend:
    """Won a share; `interim` is told from a year's final one."""

    listing: Listing
    record_day: date
    pay_day: date
    amount: int
    interim: bool


def dividends(market: Market, code: str) -> tuple[Dividend, ...]:
    """All dividends of a company, the newest first; none of a fund."""
    return market.once(("dividends", code), None, lambda: tuple(_dividends(market, code)))


def _dividends(market: Market, code: str) -> list[Dividend]:
    listing, anchor = market.listing(code), anchor_year(market.first_day)
    if listing.kind.is_fund:
        return []
    rng = random.Random(f"{market.seed}:dividends:{code}")
    payout, twice = rng.uniform(*PAYOUT), rng.random() < TWICE_A_YEAR
    found = []
    for year in range(market.first_day.year, anchor - YEARS, -1):
        whole = int(earnings(market.seed, listing, anchor, year) * payout) // 10 * 10
        interim = int(whole * INTERIM_PART) // 10 * 10 if twice else 0
        found.append(_one(listing, date(year, 12, 31), 110, whole - interim, interim=False))
        found.append(_one(listing, date(year, 6, 30), 50, interim, interim=True))
    return [one for one in found if one.amount > 0 and one.pay_day < market.first_day]


def _one(listing: Listing, record: date, days: int, amount: int, interim: bool) -> Dividend:
    return Dividend(listing, record, record + timedelta(days=days), amount, interim)


def paid_for(market: Market, code: str, year: int) -> int:
    """Hundred million won that a year's dividends came to."""
    shares = market.listing(code).shares
    total = sum(one.amount for one in dividends(market, code) if one.record_day.year == year)
    return total * shares // HUNDRED_MILLION
