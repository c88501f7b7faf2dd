"""What is asked of the exchange and what it answers: an order, its number, or why it was not taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from trading.domain.matching import OrderType, Side, TimeInForce

__all__ = ["NewOrder", "Placed", "Refused", "Why"]


class Why(StrEnum):
    """Why an order was not taken."""

    NOT_A_SESSION = "not_a_session"
    BEFORE_OPEN = "before_open"
    AFTER_CLOSE = "after_close"
    UNKNOWN_CODE = "unknown_code"
    QUANTITY = "quantity"
    OFF_TICK = "off_tick"
    OUTSIDE_LIMITS = "outside_limits"
    HALTED = "halted"
    NO_PRICE = "no_price"
    AUCTION_TYPE = "auction_type"
    NOT_HELD = "not_held"
    NOT_SELLABLE = "not_sellable"
    NO_CASH = "no_cash"
    NO_ORIGINAL = "no_original"
    NOTHING_LEFT = "nothing_left"
    TYPE = "type"
    """The market that the order works in does not take the type."""
    NOT_ON_VENUE = "not_on_venue"
    NO_MARKET_PRE = "no_market_pre"
    NO_MARKET_AFTER = "no_market_after"
    """At market, in a window that takes prices only."""


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as asked for; `price` 0 for a price-less type."""

    account: str
    code: str
    side: Side
    quantity: int
    order_type: OrderType
    price: int
    tif: TimeInForce = TimeInForce.DAY
    dvsn: str = "00"
    venue: str = "KRX"
    board: str = ""
    """The book that it works in (`windows.Board`); empty for KRX's regular session."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An accepted order: its number and its time."""

    odno: str
    orgno: str
    at: datetime
    filled: int
    key: tuple[date, str]


@dataclass(frozen=True, slots=True)
class Refused:
    why: Why
