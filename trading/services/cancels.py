"""Before a cancel is sent: is there anything left to cancel?"""

from __future__ import annotations

from datetime import datetime

from trading.domain.errors import BrokerUnavailable
from trading.models import Account, BrokerOrder
from trading.selectors.order_lists import FRESH, LIST_AGE, newest_whole_list
from trading.services.brokers import broker_for
from trading.services.clock import market_clock
from trading.services.reconcile import enumerate_orders

__all__ = ["something_to_cancel"]


def something_to_cancel(order: BrokerOrder, wished_at: datetime) -> bool | None:
    """Whether the broker lists a rest of `order` that may be cancelled; `wished_at` is when the cancel was
    first wished.

    Where the broker does not offer that question the whole order list answers it, if one was read within
    the last seconds or since the wish. If not, it is read and booked now, and None says: ask again.
    Raises BrokerError when what is asked cannot be read to its end.
    """
    listed = broker_for(order.account).cancellable()
    if listed is not None:
        # under our number another order would show that the number was never ours: that one is not touched
        ours = (order.order_no, order.instrument_id, order.side)
        return any((row.order_no, row.ticker, row.side) == ours for row in listed)
    if not _is_listed(order.account, wished_at):
        if not enumerate_orders(order.account).complete:
            raise BrokerUnavailable("the order list could not be read to its end")
        return None
    order.refresh_from_db()
    return order.listed and not order.is_final and order.remaining_quantity > 0


def _is_listed(account: Account, wished_at: datetime) -> bool:
    now = market_clock(account).now()
    newest = newest_whole_list(account.pk, now)
    if newest is None or now - newest >= LIST_AGE:
        return False
    return now - newest < FRESH or newest >= wished_at
