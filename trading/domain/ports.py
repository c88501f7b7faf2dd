"""What the engine asks of the outside: a broker, a clock, a token store, a rate budget.

Adapters implement these; services choose them. Nothing here knows KIS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, Protocol

from trading.domain.markets import Headline, IndexNow
from trading.domain.quotes import OrderBook, Quote

__all__ = [
    "Balance",
    "Broker",
    "CancellableOrder",
    "Clock",
    "Holding",
    "MarketDayWord",
    "OrderList",
    "OrderRequest",
    "OrderRow",
    "OrderableCash",
    "PreparedPost",
    "RateBudget",
    "RawReply",
    "StoredToken",
    "TokenStore",
]

RateLane = Literal["order", "ledger", "read"]


@dataclass(frozen=True, slots=True)
class Holding:
    """One row of the balance. `sellable` excludes what open sells lock."""

    ticker: str
    name: str
    quantity: int
    sellable: int
    average_price: Decimal
    last: int


@dataclass(frozen=True, slots=True)
class Balance:
    """Every page of the balance. `d2_cash` is the deposit after D+2 settlement, open orders ignored."""

    holdings: tuple[Holding, ...]
    d2_cash: int
    raw: tuple[Mapping[str, object], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OrderableCash:
    """Won that may be spent without a receivable: the only cash figure a buy is sized on."""

    amount: int
    raw: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as the broker lists it; `price` None for price-less types, `filled_amount` in won."""

    trade_date: date
    org_no: str
    order_no: str
    original_order_no: str
    ticker: str
    side: Literal["SELL", "BUY"]
    order_type: str
    quantity: int
    price: int | None
    order_time: str
    filled_quantity: int
    filled_amount: int
    cancelled_quantity: int
    remaining_quantity: int
    rejected_quantity: int

    @property
    def is_change(self) -> bool:
        """A cancel or revise row, which carries no exposure of its own."""
        return bool(self.original_order_no)


@dataclass(frozen=True, slots=True)
class OrderList:
    """One enumeration. Only `complete` allows a conclusion from what is missing.

    `alarm` is the code of what no network and no change meanwhile explains; a person has to know it.
    """

    rows: tuple[OrderRow, ...]
    pages: int
    complete: bool
    problem: str = ""
    alarm: str = ""


@dataclass(frozen=True, slots=True)
class CancellableOrder:
    """An order of today whose rest may still be cancelled. `cancellable` is that rest, above zero."""

    org_no: str
    order_no: str
    ticker: str
    side: Literal["SELL", "BUY"]
    quantity: int
    filled_quantity: int
    cancellable: int


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What is to be sent: an order, or the cancel of the rest of `cancels`."""

    ticker: str
    side: Literal["SELL", "BUY"]
    quantity: int
    limit_price: int | None
    cancels: tuple[str, str] | None = None
    """(org_no, order_no) of the order whose rest is to be cancelled."""


@dataclass(frozen=True, slots=True)
class PreparedPost:
    """The exact bytes of one POST, built before the write-ahead record so that it can hold their hash.

    `hashkey` is the broker's own hash over `body`, empty where none was asked for.
    """

    path: str
    tr_id: str
    body: bytes
    hashkey: str = ""


@dataclass(frozen=True, slots=True)
class RawReply:
    """What came back from one POST.

    `transport` is `not_sent` only when no byte of the request can have left; `lost` when anything is
    possible; `answered` when a whole HTTP answer arrived.
    """

    transport: Literal["answered", "not_sent", "lost"]
    status: int | None = None
    body: bytes = b""
    note: str = ""


@dataclass(frozen=True, slots=True)
class MarketDayWord:
    day: date
    is_open: bool


class Broker(Protocol):
    """One account at one broker. Reads raise `BrokerError`; sending never raises, it answers."""

    def balance(self) -> Balance: ...

    def orderable_cash(self, ticker: str) -> OrderableCash: ...

    def orders(self, since: date, until: date) -> OrderList: ...

    def quote(self, ticker: str) -> Quote: ...

    def book(self, ticker: str) -> OrderBook: ...

    def market_days(self, since: date) -> Sequence[MarketDayWord] | None:
        """The broker's calendar, or None where the environment does not offer it."""
        ...

    def cancellable(self) -> Sequence[CancellableOrder] | None:
        """Every order that may still be cancelled, from every page; None where the environment does
        not offer the question: `orders` then tells what remains."""
        ...

    def clock_skew(self) -> timedelta | None:
        """How far our clock is ahead (+) or behind (−) of the broker's, by the last answer; None where
        it did not say."""
        ...

    def prepare(self, request: OrderRequest) -> PreparedPost:
        """Build the POST. Where orders are signed this asks for the hash: raises BrokerError."""
        ...

    def open_line(self) -> OrderLine: ...


class MarketReader(Protocol):
    """What a market as a whole does. None of it decides an order. Raises BrokerError."""

    def index(self, code: str) -> IndexNow: ...

    def headlines(self, ticker: str = "") -> Sequence[Headline]: ...


class OrderLine(Protocol):
    """A connection opened for one POST and used at most once, with the token it will show."""

    token: str

    def post(self, prepared: PreparedPost, nonce: str) -> RawReply: ...

    def close(self) -> None: ...


class Clock(Protocol):
    """The market's clock: aware, Asia/Seoul. For a simulated account it is the simulator's."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class StoredToken:
    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"StoredToken(***, expires_at={self.expires_at.isoformat()})"


class TokenStore(Protocol):
    """One token per key and host, whoever asks."""

    def current(self) -> StoredToken | None: ...

    def renew(self, dead: str | None) -> StoredToken:
        """A token other than `dead`, issued by exactly one caller while the others wait."""
        ...


class RateBudget(Protocol):
    """The key's share of calls, over all processes; orders go first."""

    def acquire(self, lane: RateLane) -> None:
        """Block until a call may be made. Raises BrokerBusy when the wait would exceed its limit."""
        ...

    def slow_down(self) -> None:
        """The broker said too fast: halve the rate for a while."""
        ...
