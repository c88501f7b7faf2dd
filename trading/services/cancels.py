"""Before a cancel is sent: is there anything left to cancel?"""

from __future__ import annotations

from trading.domain.errors import BrokerUnavailable
from trading.models import BrokerOrder
from trading.services.brokers import broker_for
from trading.services.reconcile import enumerate_orders

__all__ = ["something_to_cancel"]


def something_to_cancel(order: BrokerOrder) -> bool:
    """Whether the broker lists a rest of `order` that may be cancelled, asked now.

    Where the broker does not offer that question the whole order list answers it, and is booked.
    Raises BrokerError when neither can be read to its end.
    """
    listed = broker_for(order.account).cancellable()
    if listed is not None:
        return any(row.order_no == order.order_no for row in listed)
    if not enumerate_orders(order.account).complete:
        raise BrokerUnavailable("the order list could not be read to its end")
    order.refresh_from_db()
    return order.listed and not order.is_final and order.remaining_quantity > 0
