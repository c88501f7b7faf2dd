"""What is known of a listing beside its prices: shares, earnings, book value, owners. A seeded table.

The same number answers wherever a screen asks for it; nothing here was ever published by anybody.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from trading.simulator.prices import Listing

__all__ = ["Company", "company_of"]

SECTORS = ("전기·전자", "화학", "운송장비·부품", "의료·정밀기기", "유통", "금융", "건설", "통신")


@dataclass(frozen=True, slots=True)
class Company:
    """Won and shares; a fund has no earnings and no book value."""

    shares: int
    par: int
    eps: int
    bps: int
    foreign_percent: Decimal
    loan_percent: Decimal
    sector: str
    fiscal_month: str = "12"

    @property
    def capital(self) -> int:
        """Won of paid-in capital."""
        return self.shares * self.par

    def market_cap(self, price: int) -> int:
        """In units of 100 million won."""
        return self.shares * price // 100_000_000

    def watchers(self, listing: Listing) -> int:
        """Watch lists of the broker's customers that a listing is on."""
        return int(
            listing.volume * listing.base // 1_000_000 * (1 + float(self.foreign_percent) / 50)
        )

    def per(self, price: int) -> Decimal:
        return _ratio(price, self.eps)

    def pbr(self, price: int) -> Decimal:
        return _ratio(price, self.bps)


def _ratio(price: int, value: int) -> Decimal:
    return (Decimal(price) / value).quantize(Decimal("0.01")) if value else Decimal("0.00")


@lru_cache(maxsize=10_000)
def company_of(seed: int, listing: Listing) -> Company:
    """The facts of one listing, a pure function of its arguments."""
    rng = random.Random(f"{seed}:company:{listing.code}")
    foreign = Decimal(rng.uniform(2, 55)).quantize(Decimal("0.01"))
    loan = Decimal(rng.uniform(0.05, 3)).quantize(Decimal("0.01"))
    if listing.kind.is_fund:
        return Company(listing.shares, 0, 0, 0, foreign, loan, "ETF")
    eps = int(listing.base / rng.uniform(6, 30)) * (1 if rng.random() < 0.9 else -1)
    bps = int(listing.base / rng.uniform(0.6, 4))
    par = rng.choice((100, 500, 5_000))
    return Company(listing.shares, par, eps, bps, foreign, loan, rng.choice(SECTORS))
