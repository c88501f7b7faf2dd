"""US orders as they are asked for, and why one is not taken: by the clock, the listing, the money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.domain.instruments import InstrumentKind
from trading.domain.matching import MatchingBook, OrderType, Refusal, Side
from trading.simulator.placing import Why
from trading.simulator.us.calendar import UsCalendar
from trading.simulator.us.ledger import UsLedger, UsOrder
from trading.simulator.us.listings import LISTINGS
from trading.simulator.us.money import reservation

__all__ = [
    "AT_CLOSE",
    "AT_OPEN",
    "BUY_TYPES",
    "PRICELESS",
    "SELL_TYPES",
    "CentBook",
    "UsNewOrder",
    "clock_refusal",
    "order_refusal",
]

BUY_TYPES = ("00", "32", "34")
SELL_TYPES = ("00", "31", "32", "33", "34")
AT_OPEN = ("31", "32")
"""MOO and LOO: only before the open, gone after the opening match."""
AT_CLOSE = ("33", "34")
"""MOC and LOC: they wait for the closing match and are gone after it."""
PRICELESS = ("31", "33")
CLOSE_CUTOFF = timedelta(minutes=10)
"""The exchanges take no order for the closing match in the last ten minutes."""


@dataclass(frozen=True, slots=True)
class UsNewOrder:
    """An order as asked for; `price` in cents, 0 for a price-less type, -1 for what is no price."""

    account: str
    code: str
    exchange: str
    side: Side
    quantity: int
    price: int
    dvsn: str = "00"


@dataclass
class CentBook(MatchingBook):
    """A book of cents without daily limits; KRX's grid, which `kind` stands for, is never asked."""

    kind: InstrumentKind = InstrumentKind.ETF
    lower: int = 1
    upper: int = 1 << 60

    def check(self, order_type: OrderType, price: int | None, quantity: int) -> Refusal | None:
        if quantity <= 0:
            return Refusal.QUANTITY
        if order_type is OrderType.LIMIT and (price is None or price <= 0):
            return Refusal.OFF_TICK
        return None


def clock_refusal(calendar: UsCalendar, now: datetime) -> Why | None:
    """Why no order at all may be entered now: orders go from 04:00 in New York to the close."""
    day = calendar.local(now).date()
    if not calendar.is_session(day):
        return Why.NOT_A_SESSION
    hours = calendar.hours(day)
    if now < hours.entry:
        return Why.BEFORE_OPEN
    return Why.AFTER_CLOSE if now >= hours.close else None


def order_refusal(
    order: UsNewOrder,
    ledger: UsLedger,
    calendar: UsCalendar,
    now: datetime,
    instead_of: UsOrder | None,
) -> Why | None:
    """Why `order` is not taken, None when it is; `instead_of` gives back what it had set aside."""
    closed = clock_refusal(calendar, now)
    if closed:
        return closed
    if order.code not in LISTINGS or LISTINGS[order.code].exchange != order.exchange:
        return Why.UNKNOWN_CODE
    if order.quantity <= 0:
        return Why.QUANTITY
    if order.price < 0 or (order.price == 0) is (order.dvsn not in PRICELESS):
        return Why.OFF_TICK
    return _too_late(order.dvsn, calendar, now) or _funds(order, ledger, instead_of)


def _too_late(dvsn: str, calendar: UsCalendar, now: datetime) -> Why | None:
    hours = calendar.hours(calendar.begun(now))
    late_for_open = dvsn in AT_OPEN and now >= hours.open
    late_for_close = dvsn in AT_CLOSE and now >= hours.close - CLOSE_CUTOFF
    return Why.AUCTION_TYPE if late_for_open or late_for_close else None


def _funds(order: UsNewOrder, ledger: UsLedger, instead_of: UsOrder | None) -> Why | None:
    if order.side is Side.BUY:
        need, free = reservation(order.quantity, order.price), ledger.available()
        if instead_of:
            price, filled, rest = instead_of.price, instead_of.amount, instead_of.remaining
            free += reservation(rest, price, filled)
            need += reservation(rest - order.quantity, price, filled)
        return Why.NO_CASH if need > free else None
    if instead_of:
        return None
    if ledger.held(order.code) == 0:
        return Why.NOT_HELD
    return Why.NOT_SELLABLE if order.quantity > ledger.sellable(order.code) else None
