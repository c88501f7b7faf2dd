"""Which of the broker's rows could be the order whose answer we never read.

Without a client order id the lane, the exact terms and the time are all there is; exactly one
candidate adopts, several park, none proves nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.domain.ports import OrderRow

__all__ = ["SKEW", "Sought", "candidates", "could_be", "keys_of", "misfits"]

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
    return [row for row in rows if not misfits(row, sought)]


def could_be(row: OrderRow, sought: Sought) -> bool:
    """Fits in everything but perhaps the quantity: a broker may take fewer or more than was sent, which no rule
    believes and a person may know."""
    return set(misfits(row, sought)) <= {"another_quantity"}


def misfits(row: OrderRow, sought: Sought) -> tuple[str, ...]:
    """Every reason why `row` is not the order that is sought, as codes; empty when it may be it."""
    if sought.cancels:
        same = row.original_order_no == sought.cancels
        terms = {"another_order": not same}
    else:
        terms = {
            "a_change": row.is_change,
            "another_quantity": row.quantity != sought.quantity,
            "another_price": row.price != sought.limit_price,
        }
    found = {
        "another_day": row.trade_date != sought.sent_at.date(),
        "known_before": row.order_no in sought.known,
        "another_lane": row.ticker != sought.ticker or row.side != sought.side,
        "another_time": not _in_window(row, sought),
    } | terms
    return tuple(code for code, holds in found.items() if holds)


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
