"""What companies reported: income statements and balance sheets in hundred million won. A seeded table.

The last year that was reported when the world began earns what the price screens say a share earns and
owns what they say it is worth; the years around it grow from there. Interim reports count from the
beginning of their year. Funds report nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from trading.simulator.company import company_of
from trading.simulator.market import percent
from trading.simulator.prices import Listing

__all__ = [
    "HUNDRED_MILLION",
    "Statement",
    "anchor_year",
    "earnings",
    "growth",
    "is_reported",
    "reported",
    "statement",
    "statements",
]

HUNDRED_MILLION = 100_000_000
REPORTED = ((5, 15), (8, 14), (11, 14), (3, 31))
"""The days by which the first quarter, the half year, three quarters and the year are reported."""
SO_FAR = (0.235, 0.485, 0.745, 1.0)
TAX = 0.22
CAPITAL_COST = 0.08
INTEREST = 0.045


@dataclass(frozen=True, slots=True)
class Statement:
    """One report: 100 million won and, for a share, won. `quarter` 4 is the whole year."""

    code: str
    year: int
    quarter: int
    sales: int
    cost: int
    depreciation: int
    selling: int
    other_income: int
    other_expense: int
    special_gain: int
    special_loss: int
    net: int
    current_assets: int
    fixed_assets: int
    inventories: int
    receivables: int
    current_debt: int
    fixed_debt: int
    borrowings: int
    capital: int
    capital_surplus: int
    retained: int
    shares: int
    eps: int
    bps: int

    @property
    def yymm(self) -> str:
        return f"{self.year}{self.quarter * 3:02d}"

    @property
    def gross(self) -> int:
        return self.sales - self.cost

    @property
    def operating(self) -> int:
        return self.gross - self.selling

    @property
    def ordinary(self) -> int:
        return self.operating + self.other_income - self.other_expense

    @property
    def equity(self) -> int:
        return self.capital + self.capital_surplus + self.retained

    @property
    def debt(self) -> int:
        return self.current_debt + self.fixed_debt

    @property
    def assets(self) -> int:
        return self.current_assets + self.fixed_assets

    @property
    def sps(self) -> int:
        """Won of sales a share."""
        return self.sales * HUNDRED_MILLION // self.shares

    @property
    def ebitda(self) -> int:
        return self.operating + self.depreciation

    @property
    def interest(self) -> int:
        return round(self.borrowings * INTEREST * self.quarter / 4)

    @property
    def eva(self) -> int:
        """What operations earned after tax and after what the capital in them costs."""
        capital = self.equity + self.borrowings
        return round(self.operating * (1 - TAX) - capital * CAPITAL_COST * self.quarter / 4)


def growth(now: int, before: int) -> Decimal:
    """The change in % of what was there before, whatever its sign."""
    return percent(now - before, abs(before))


# --- what has been reported -------------------------------------------------------------------
def is_reported(year: int, quarter: int, day: date) -> bool:
    """True when the report of a quarter (4: the year) is out."""
    month, last = REPORTED[quarter - 1]
    return day >= date(year + (quarter == 4), month, last)


def anchor_year(first_day: date) -> int:
    """The last year that was reported when the world began."""
    return (
        first_day.year - 1 if is_reported(first_day.year - 1, 4, first_day) else first_day.year - 2
    )


def reported(day: date, by_quarter: bool, count: int) -> list[tuple[int, int]]:
    """The latest `count` years, or quarters, that are out by a day, the newest first."""
    quarters = (4, 3, 2, 1) if by_quarter else (4,)
    found = [
        (year, quarter)
        for year in range(day.year, day.year - count - 2, -1)
        for quarter in quarters
        if is_reported(year, quarter, day)
    ]
    return found[:count]


def statements(
    seed: int, listing: Listing, anchor: int, day: date, by_quarter: bool, count: int
) -> list[Statement]:
    """The latest reports of a company by a day, the newest first; none of a fund."""
    if listing.kind.is_fund:
        return []
    periods = reported(day, by_quarter, count)
    return [statement(seed, listing, anchor, year, quarter) for year, quarter in periods]


# --- how a report is made ---------------------------------------------------------------------
@lru_cache(maxsize=60_000)
def statement(seed: int, listing: Listing, anchor: int, year: int, quarter: int) -> Statement:
    """One report of a company, a pure function of its arguments. ValueError for a fund."""
    if listing.kind.is_fund:
        raise ValueError(f"{listing.code} is a fund")
    company, part = company_of(seed, listing), SO_FAR[quarter - 1]
    rng = random.Random(f"{seed}:statement:{listing.code}:{year}")
    lean = rng.uniform(-0.02, 0.02) if quarter < 4 else 0.0
    whole_net = _net(seed, listing, anchor, year)
    sales = round(_sales(seed, listing, anchor, year) * part)
    net = round(whole_net * (part + lean))
    gain, loss, income, expense, selling, depreciation = (
        round(sales * rng.uniform(low, high))
        for low, high in (
            (0.002, 0.005), (0.001, 0.004), (0.006, 0.02), (0.006, 0.025), (0.06, 0.18), (0.02, 0.07),
        )
    )  # fmt: skip
    before_tax = round(net / (1 - TAX)) if net > 0 else net
    operating = before_tax - gain + loss - income + expense
    is_anchor = year == anchor and quarter == 4
    equity = _equity(seed, listing, anchor, year, quarter)
    return Statement(
        code=listing.code, year=year, quarter=quarter, sales=sales, cost=sales - operating - selling,
        depreciation=depreciation, selling=selling, other_income=income, other_expense=expense,
        special_gain=gain, special_loss=loss, net=net, shares=company.shares,
        eps=earnings(seed, listing, anchor, year) if quarter == 4 else _each(net, company.shares),
        bps=company.bps if is_anchor else _each(equity, company.shares),
        **_balance(seed, listing, year, quarter, equity, company.capital // HUNDRED_MILLION),
    )  # fmt: skip


def earnings(seed: int, listing: Listing, anchor: int, year: int) -> int:
    """Won that a share earned in a year: the anchor's are those of the price screens."""
    company = company_of(seed, listing)
    if year == anchor:
        return company.eps
    return _each(round(_net(seed, listing, anchor, year)), company.shares)


def _each(amount: int, shares: int) -> int:
    """Won a share."""
    return round(amount * HUNDRED_MILLION / shares)


def _balance(
    seed: int, listing: Listing, year: int, quarter: int, equity: int, capital: int
) -> dict[str, int]:
    rng = random.Random(f"{seed}:balance:{listing.code}")
    lever, short, liquid, stock, owed, borrowed, surplus = (
        rng.uniform(low, high)
        for low, high in (
            (0.2, 1.6), (0.4, 0.7), (0.35, 0.6), (0.12, 0.35), (0.2, 0.4), (0.2, 0.6), (0.1, 0.5),
        )
    )  # fmt: skip
    drift = random.Random(f"{seed}:balance:{listing.code}:{year}:{quarter}").uniform(0.92, 1.08)
    debt = round(equity * lever * drift)
    assets = equity + debt
    current = round(assets * liquid * drift)
    now = round(debt * short)
    over = max(0, round((equity - capital) * surplus))
    return {
        "current_assets": current,
        "fixed_assets": assets - current,
        "inventories": round(current * stock),
        "receivables": round(current * owed),
        "current_debt": now,
        "fixed_debt": debt - now,
        "borrowings": round(debt * borrowed),
        "capital": capital,
        "capital_surplus": over,
        "retained": equity - capital - over,
    }


@lru_cache(maxsize=60_000)
def _sales(seed: int, listing: Listing, anchor: int, year: int) -> float:
    """A year's sales: the anchor's from its margin, the others by growth."""
    if year == anchor:
        margin = random.Random(f"{seed}:margin:{listing.code}").uniform(0.03, 0.16)
        return max(1.0, abs(_earned(seed, listing)) / margin)
    if year > anchor:
        return _sales(seed, listing, anchor, year - 1) * _grown(seed, listing, year)
    return _sales(seed, listing, anchor, year + 1) / _grown(seed, listing, year + 1)


def _grown(seed: int, listing: Listing, year: int) -> float:
    drawn = random.Random(f"{seed}:growth:{listing.code}:{year}").gauss(0.05, 0.09)
    return 1 + min(max(drawn, -0.3), 0.5)


def _earned(seed: int, listing: Listing) -> float:
    """What the anchor's year earned: exactly the price screens' earnings of every share."""
    company = company_of(seed, listing)
    return company.eps * company.shares / HUNDRED_MILLION


def _net(seed: int, listing: Listing, anchor: int, year: int) -> float:
    earned = _earned(seed, listing)
    if year == anchor:
        return earned
    margin = earned / _sales(seed, listing, anchor, anchor)
    luck = random.Random(f"{seed}:luck:{listing.code}:{year}").uniform(0.5, 1.4)
    return _sales(seed, listing, anchor, year) * margin * luck


def _equity(seed: int, listing: Listing, anchor: int, year: int, quarter: int) -> int:
    """At the end of a quarter: on the line between the ends of its year and the year before."""
    end, start = _year_end(seed, listing, anchor, year), _year_end(seed, listing, anchor, year - 1)
    return round(start + (end - start) * quarter / 4)


@lru_cache(maxsize=60_000)
def _year_end(seed: int, listing: Listing, anchor: int, year: int) -> float:
    company = company_of(seed, listing)
    if year == anchor:
        return company.bps * company.shares / HUNDRED_MILLION
    if year > anchor:
        return _year_end(seed, listing, anchor, year - 1) * _gained(seed, listing, year)
    return _year_end(seed, listing, anchor, year + 1) / _gained(seed, listing, year + 1)


def _gained(seed: int, listing: Listing, year: int) -> float:
    return random.Random(f"{seed}:gained:{listing.code}:{year}").uniform(0.98, 1.14)
