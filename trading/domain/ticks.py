"""What a live feed tells: a trade, a book, what happened to an order. Hints all: only an inquiry proves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = ["BookTick", "HaltTick", "OrderNotice", "Tick"]


@dataclass(frozen=True, slots=True)
class Tick:
    """One trade. Prices in won, quantities in shares; `volume` is the day's so far; `at` is the broker's
    time of the trade, aware, Seoul. `side` says who came to the other."""

    ticker: str
    at: datetime
    price: int
    quantity: int
    side: Literal["BUY", "SELL", ""]
    volume: int
    halted: bool = False


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
