"""A fill that the exchange takes back afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trading.simulator.ledger import Busted, OrderRow

if TYPE_CHECKING:
    from trading.simulator.world import World

__all__ = ["bust"]


def bust(world: World, params: dict[str, Any]) -> bool:
    """Take back shares of the newest filled order of today, all that it filled unless `quantity` says less."""
    truth, ticker = world.truth, str(params.get("ticker", ""))
    for number, account in sorted(truth.accounts.items()):
        if number != str(params.get("account", number)):
            continue
        filled = [
            row
            for row in account.truth.orders.values()
            if row.day == truth.time.date() and row.filled > 0 and ticker in ("", row.code)
        ]
        if filled:
            order = filled[-1]
            quantity = min(int(params.get("quantity", order.filled)), order.filled)
            return quantity > 0 and _take_back(world, order, quantity)
    return False


def _take_back(world: World, order: OrderRow, quantity: int) -> bool:
    truth = world.truth
    holder = truth.account(order.account)
    fee, tax = _costs(world, order)
    event = Busted(
        order.key,
        quantity,
        order.amount * quantity // order.filled,
        fee * quantity // order.filled,
        tax * quantity // order.filled,
        truth.calendar.settlement_date(order.day),
    )
    world.journal.write(
        "bust", truth.time, odno=order.odno, qty=quantity, amt=event.amount, fee=event.fee,
        tax=event.tax,
    )  # fmt: skip
    truth.emit(holder, event, truth.time)
    truth.journal_cash(holder, "bust", truth.time)
    return True


def _costs(world: World, order: OrderRow) -> tuple[int, int]:
    """(commission, tax) that the order's fills were charged and that were not given back."""
    fees = taxes = 0
    for record in world.journal.since(1):
        way = {"fill": 1, "bust": -1}.get(record["kind"], 0)
        if way and (str(record["vt"])[:10], record["odno"]) == (str(order.day), order.odno):
            fees, taxes = fees + way * record["fee"], taxes + way * record["tax"]
    return fees, taxes
