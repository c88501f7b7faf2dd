"""US shares: prices and money in dollars, to the cent or finer, never in floats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

__all__ = ["UsBalance", "UsDay", "UsExchange", "UsHolding", "UsPower", "UsQuote"]


class UsExchange(StrEnum):
    NASDAQ = "NASDAQ"
    NYSE = "NYSE"
    AMEX = "AMEX"


@dataclass(frozen=True, slots=True)
class UsQuote:
    """The last price, and what it is compared with. In the broker's delayed feed it is as old as that is."""

    symbol: str
    exchange: UsExchange
    last: Decimal
    base: Decimal
    volume: int
    at: datetime


@dataclass(frozen=True, slots=True)
class UsDay:
    """One session by the exchange's own date; not final while it trades."""

    symbol: str
    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class UsHolding:
    """One row of the balance. `sellable` excludes what open sells lock."""

    symbol: str
    name: str
    exchange: UsExchange
    quantity: int
    sellable: int
    average_price: Decimal
    last: Decimal


@dataclass(frozen=True, slots=True)
class UsBalance:
    """Every page of the US holdings, and what they are worth in dollars."""

    holdings: tuple[UsHolding, ...]

    @property
    def value(self) -> Decimal:
        return sum((h.quantity * h.last for h in self.holdings), Decimal(0))


@dataclass(frozen=True, slots=True)
class UsPower:
    """Dollars that may be spent on one symbol at one price, and the shares they buy; won for a dollar."""

    dollars: Decimal
    shares: int
    rate: Decimal
