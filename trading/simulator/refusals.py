"""Why an order is not taken: by the clock, by the exchange, by the money or the shares behind it."""

from __future__ import annotations

from datetime import datetime

from trading.domain.instruments import InstrumentKind
from trading.domain.matching import MatchingBook, OrderType, Refusal, Side, TimeInForce
from trading.domain.sessions import Calendar, Phase
from trading.simulator.accounts import Account
from trading.simulator.ledger import OrderRow, reservation
from trading.simulator.placing import NewOrder, Why

__all__ = ["entry_refusal", "exchange_refusal", "funds_refusal", "reserve_price"]

PHASES_OF_ENTRY = (Phase.PRE_OPEN, Phase.REGULAR, Phase.CLOSING_AUCTION)
AUCTION_TYPES = (OrderType.LIMIT, OrderType.MARKET, OrderType.CONDITIONAL)
EXCHANGE_WHY = {
    Refusal.QUANTITY: Why.QUANTITY,
    Refusal.OFF_TICK: Why.OFF_TICK,
    Refusal.OUTSIDE_LIMITS: Why.OUTSIDE_LIMITS,
    Refusal.HALTED: Why.HALTED,
    Refusal.NO_PRICE: Why.NO_PRICE,
}


def entry_refusal(calendar: Calendar, now: datetime) -> Why | None:
    """Why no order at all may be entered now, None inside order hours."""
    day = now.date()
    if not calendar.is_session(day):
        return Why.NOT_A_SESSION
    if calendar.phase_at(now) in PHASES_OF_ENTRY:
        return None
    return Why.BEFORE_OPEN if now < calendar.session_hours(day).open else Why.AFTER_CLOSE


def exchange_refusal(order: NewOrder, book: MatchingBook, auction: bool) -> Why | None:
    """Why the exchange would not queue `order` in `book`, None when it would."""
    by_book = book.check(order.order_type, order.price, order.quantity)
    if by_book:
        return EXCHANGE_WHY[by_book]
    if auction and (order.tif is not TimeInForce.DAY or order.order_type not in AUCTION_TYPES):
        return Why.AUCTION_TYPE
    if order.order_type in (OrderType.BEST, OrderType.TOP):
        side = order.side if order.order_type is OrderType.TOP else order.side.opposite
        if book.best(side) is None:
            return Why.NO_PRICE
    return None


def reserve_price(order: NewOrder, upper: int) -> int:
    """Won a share that a buy sets aside: its limit, or the most that its book trades at without one."""
    return (order.price or upper) if order.order_type is OrderType.LIMIT else upper


def funds_refusal(
    order: NewOrder,
    account: Account,
    now: datetime,
    upper: int,
    kind: InstrumentKind,
    instead_of: OrderRow | None,
) -> Why | None:
    """Why cash or shares do not suffice; `instead_of` gives back what it had set aside."""
    ledger = account.truth
    if order.side is Side.BUY:
        need = reservation(order.quantity, reserve_price(order, upper), kind)
        free = ledger.available() - account.blocked_at(now)
        if instead_of:
            rest = instead_of.remaining
            free += reservation(rest, instead_of.reserve_price, kind)
            need += reservation(rest - order.quantity, instead_of.reserve_price, kind)
        return Why.NO_CASH if need > free else None
    if instead_of:
        return None
    if ledger.held(order.code) == 0:
        return Why.NOT_HELD
    return Why.NOT_SELLABLE if order.quantity > ledger.sellable(order.code) else None
