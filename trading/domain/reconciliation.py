"""Which of the broker's rows could be the order whose answer we never read.

Without a client order id the lane, the exact terms and the time are all there is; exactly one
candidate adopts, several park, none proves nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.domain.ports import OrderRow

__all__ = ["SKEW", "Sought", "candidates", "keys_of"]

SKEW = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Sought:
    """The unanswered attempt as the broker would show it.

    `known` are order numbers that existed before or belong to others. For a cancel `cancels` is the
    number of the order it aims at.
    """

    ticker: str
    side: str
    quantity: int
    limit_price: int | None
    known: frozenset[str]
    sent_at: datetime
    deadline: datetime
    cancels: str = ""


def candidates(rows: Iterable[OrderRow], sought: Sought) -> list[OrderRow]:
    """Rows that fit `sought` exactly and are nobody's yet."""
    return [row for row in rows if _fits(row, sought)]


def _fits(row: OrderRow, sought: Sought) -> bool:
    if row.trade_date != sought.sent_at.date():
        return False
    if row.order_no in sought.known or row.ticker != sought.ticker or row.side != sought.side:
        return False
    if not _in_window(row, sought):
        return False
    if sought.cancels:
        return row.original_order_no == sought.cancels
    return not row.is_change and row.quantity == sought.quantity and row.price == sought.limit_price


def _in_window(row: OrderRow, sought: Sought) -> bool:
    """A row without a usable time cannot be excluded by it."""
    try:
        clock = datetime.strptime(row.order_time, "%H%M%S").time()
    except ValueError:
        return True
    if row.order_time == "000000":
        return True
    at = datetime.combine(row.trade_date, clock, tzinfo=sought.sent_at.tzinfo)
    # the broker's time has no fraction of a second
    return sought.sent_at - SKEW - timedelta(seconds=1) <= at <= sought.deadline + SKEW


def keys_of(rows: Iterable[OrderRow]) -> frozenset[tuple[str, str]]:
    """What two passes must agree on before an absence means anything."""
    return frozenset((row.trade_date.isoformat(), row.order_no) for row in rows)
