"""What a live feed tells: a trade, a book, what happened to an order. Hints all: only an inquiry proves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

__all__ = [
    "BookTick",
    "ExpectedTick",
    "FundTick",
    "HaltTick",
    "IndexProgramTick",
    "IndexTick",
    "OrderNotice",
    "ProgramTick",
    "Tick",
    "UsBookTick",
    "UsOrderNotice",
    "UsTick",
]


@dataclass(frozen=True, slots=True)
class Tick:
    """One trade. Prices in won, quantities in shares; `volume` is the day's so far; `at` is the broker's
    time of the trade, aware, Seoul. `side` says who came to the other, `phase` which market of the day it
    was: a trade before or after the regular session is no part of its candles. Empty: not known."""

    ticker: str
    at: datetime
    price: int
    quantity: int
    side: Literal["BUY", "SELL", ""]
    volume: int
    halted: bool = False
    phase: Literal["PRE", "REGULAR", "AFTER", ""] = ""


@dataclass(frozen=True, slots=True)
class BookTick:
    """The best levels, best first, empty levels left out: (price, quantity)."""

    ticker: str
    at: datetime
    asks: tuple[tuple[int, int], ...]
    bids: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class HaltTick:
    ticker: str
    halted: bool


@dataclass(frozen=True, slots=True)
class OrderNotice:
    """Something happened to an order of `account_no` (ten digits). A receipt, a change or a refusal is
    never a fill; `quantity` and `price` are a fill's only when `kind` is FILL."""

    account_no: str
    order_no: str
    original_order_no: str
    ticker: str
    side: Literal["BUY", "SELL"]
    kind: Literal["RECEIPT", "FILL", "REFUSED"]
    quantity: int
    price: int
    at_time: str


@dataclass(frozen=True, slots=True)
class ExpectedTick:
    """What a call auction would end at now: won and shares, zero of both while nothing would meet."""

    ticker: str
    at: datetime
    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class IndexTick:
    """An index now: points, its change in % of the day before, shares in thousands and won in millions."""

    code: str
    at: datetime
    level: Decimal
    change_percent: Decimal
    volume: int
    turnover: int


@dataclass(frozen=True, slots=True)
class ProgramTick:
    """Shares and won that programs bought more than they sold in the session so far."""

    ticker: str
    at: datetime
    net_shares: int
    net_won: int


@dataclass(frozen=True, slots=True)
class IndexProgramTick:
    """What programs bought more than they sold of an index's members so far, in the broker's units; the
    part of it that was arbitrage beside it."""

    code: str
    at: datetime
    net_quantity: int
    net_turnover: int
    arbitrage_net_turnover: int


@dataclass(frozen=True, slots=True)
class FundTick:
    """What a fund's basket is worth a share: won with decimals. It comes without a time: `at` is ours."""

    ticker: str
    at: datetime
    value: Decimal
    change_percent: Decimal


@dataclass(frozen=True, slots=True)
class UsTick:
    """One US trade in dollars. `phase` is that of the exchange's day; `at` is aware, Seoul."""

    symbol: str
    at: datetime
    price: Decimal
    quantity: int
    volume: int
    phase: Literal["REGULAR", "PRE", "AFTER"]


@dataclass(frozen=True, slots=True)
class UsBookTick:
    """The best US levels, best first, empty levels left out: (dollars, shares)."""

    symbol: str
    at: datetime
    asks: tuple[tuple[Decimal, int], ...]
    bids: tuple[tuple[Decimal, int], ...]


@dataclass(frozen=True, slots=True)
class UsOrderNotice:
    """Something happened to a US order of `account_no` (ten digits). `price` is None where the broker left the
    decimal point out, which it does by country: the list of orders tells it."""

    account_no: str
    order_no: str
    original_order_no: str
    symbol: str
    side: Literal["BUY", "SELL"]
    kind: Literal["RECEIPT", "FILL", "REFUSED"]
    quantity: int
    price: Decimal | None
    at_time: str
