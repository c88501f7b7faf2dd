"""A new row of an account's order list."""

from __future__ import annotations

from datetime import datetime

from trading.domain.instruments import InstrumentKind
from trading.domain.matching import MatchingBook, OrderType, TimeInForce
from trading.simulator.ledger import OrderRow
from trading.simulator.placing import NewOrder
from trading.simulator.refusals import reserve_price

__all__ = ["found_price", "row_of"]


def row_of(
    order: NewOrder,
    at: datetime,
    number: tuple[str, str],
    kind: InstrumentKind,
    upper: int,
    action: str,
    original: str,
) -> OrderRow:
    """The row of `order` under `number` (branch, order number); `upper` is the most its book trades at."""
    orgno, odno = number
    return OrderRow(
        account=order.account,
        odno=odno,
        orgn_odno=original,
        orgno=orgno,
        day=at.date(),
        at=at,
        code=order.code,
        kind=kind,
        side=order.side,
        quantity=order.quantity,
        price=order.price,
        order_type=order.order_type,
        tif=order.tif,
        dvsn=order.dvsn,
        venue=order.venue,
        reserve_price=reserve_price(order, upper),
        action=action,
        board=order.board,
    )


def found_price(row: OrderRow, book: MatchingBook) -> int:
    """The limit that a price-less day order finds in `book` and rests with; 0 of every other."""
    if row.tif is not TimeInForce.DAY or row.order_type not in (OrderType.BEST, OrderType.TOP):
        return 0
    return book.working_price(row.side, row.order_type) or 0
