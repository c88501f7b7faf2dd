"""What a market as a whole does: an index, who bought, what is traded most, what is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

__all__ = ["Flow", "Headline", "IndexDay", "IndexNow", "Ranked"]


@dataclass(frozen=True, slots=True)
class IndexNow:
    """An index at one moment. Points are Decimals, `change_percent` in %, volume in shares, turnover in won."""

    code: str
    last: Decimal
    change: Decimal
    change_percent: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    volume: int
    turnover: int
    risers: int
    unchanged: int
    fallers: int
    at: datetime


@dataclass(frozen=True, slots=True)
class IndexDay:
    """One session of an index; not final while it trades."""

    code: str
    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    turnover: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class Ranked:
    """One row of a ranking, as it stood at `at`."""

    rank: int
    ticker: str
    name: str
    last: int
    change_percent: Decimal
    volume: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Flow:
    """Net shares and net won that each kind of investor bought (+) or sold (−) in one session."""

    ticker: str
    day: date
    people: int
    foreigners: int
    institutions: int
    people_won: int
    foreigners_won: int
    institutions_won: int


@dataclass(frozen=True, slots=True)
class Headline:
    """A title of the exchange's or an agency's news, with the instruments it names."""

    number: str
    at: datetime
    title: str
    source: str
    tickers: tuple[str, ...]
