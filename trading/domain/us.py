"""US shares: prices and money in dollars, to the cent or finer, never in floats."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

__all__ = [
    "UsBalance",
    "UsDay",
    "UsExchange",
    "UsHolding",
    "UsOrderList",
    "UsOrderRequest",
    "UsOrderRow",
    "UsOrderType",
    "UsPower",
    "UsQuote",
]


_SYMBOL = re.compile(r"[A-Z][A-Z0-9.\-/]{0,9}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)


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


class UsOrderType(StrEnum):
    """How a US order is executed. There are no market orders in the session; those for the open and the close
    without a limit can only sell."""

    LIMIT = "limit"
    LIMIT_ON_OPEN = "limit_on_open"
    LIMIT_ON_CLOSE = "limit_on_close"
    MARKET_ON_OPEN = "market_on_open"
    MARKET_ON_CLOSE = "market_on_close"

    @property
    def priced(self) -> bool:
        return self not in (UsOrderType.MARKET_ON_OPEN, UsOrderType.MARKET_ON_CLOSE)


@dataclass(frozen=True, slots=True)
class UsOrderRequest:
    """What is to be sent: an order, or the cancel of the rest of order number `cancels`.

    Raises ValueError for what no exchange takes: a symbol or a number that is none, no shares, a price that is
    missing, not above zero, finer than a cent (above a dollar; a hundredth of one below), or given where the
    type has none; a buy without a limit.
    """

    symbol: str
    exchange: UsExchange
    side: Literal["SELL", "BUY"]
    quantity: int
    limit: Decimal | None
    order_type: UsOrderType = UsOrderType.LIMIT
    cancels: str = ""

    def __post_init__(self) -> None:
        if not _SYMBOL.fullmatch(self.symbol):
            raise ValueError(f"{self.symbol[:12]!r} is no symbol of a share")
        if self.quantity <= 0:
            raise ValueError("an order is for one share or more")
        if self.cancels:
            if not _NUMBER.fullmatch(self.cancels):
                raise ValueError(f"{self.cancels[:12]!r} is no number of a share's order")
            return
        if not self.order_type.priced:
            if self.limit is not None or self.side == "BUY":
                raise ValueError("an order without a limit is a sale, and has none")
            return
        if self.limit is None or not self.limit.is_finite() or self.limit <= 0:
            raise ValueError("a limit is more than zero dollars")
        step = Decimal("0.01") if self.limit >= 1 else Decimal("0.0001")
        if self.limit % step:
            raise ValueError(f"a limit of {self.limit} is no multiple of {step} dollars")


@dataclass(frozen=True, slots=True)
class UsOrderRow:
    """An order as the broker lists it; money in dollars, `limit` None for types without one.

    `trade_date` is the exchange's own day. A row with `original_order_no` is a cancel or a revision, and
    carries no exposure of its own. `refusal` is why the exchange refused it, else empty.
    """

    trade_date: date
    order_no: str
    original_order_no: str
    symbol: str
    exchange: UsExchange
    side: Literal["SELL", "BUY"]
    quantity: int
    limit: Decimal | None
    filled_quantity: int
    filled_amount: Decimal
    remaining_quantity: int
    refusal: str

    @property
    def is_change(self) -> bool:
        return bool(self.original_order_no)


@dataclass(frozen=True, slots=True)
class UsOrderList:
    """One enumeration. Only `complete` allows a conclusion from what is missing."""

    rows: tuple[UsOrderRow, ...]
    complete: bool
    problem: str = ""
