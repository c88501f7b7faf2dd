"""What a fill costs: commission and sell tax of the whole order, less what its earlier fills were charged."""

from __future__ import annotations

from datetime import date

from trading.domain.costs import CommissionRates, commission, sell_tax
from trading.domain.matching import Execution, Side
from trading.simulator.ledger import OrderRow

__all__ = ["charges"]


def charges(
    order: OrderRow, fill: Execution, settles: date, rates: CommissionRates
) -> tuple[int, int]:
    """(commission, tax) in won of a fill of `order` that is not in it yet.

    A broker charges an order, not its parts: fills in pieces cost what one fill would.
    """
    before, kind = order.amount, order.kind
    after = before + fill.price * fill.quantity
    fee = commission(after, kind, rates) - commission(before, kind, rates)
    tax = 0
    if fill.side is Side.SELL:
        tax = sell_tax(after, settles, kind) - sell_tax(before, settles, kind)
    return fee, tax
