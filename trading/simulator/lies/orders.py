"""An order is accepted, and what is said about it is another's, or not what was sent, or said twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from trading.simulator.faults import Armed
from trading.simulator.ledger import OrderRow
from trading.simulator.lies.telling import NOTHING, Effects, Struck, call_of, tell

if TYPE_CHECKING:
    from trading.simulator.fault_effects import Strike

__all__ = ["EFFECTS"]

Fits = Callable[["Strike", OrderRow, OrderRow], bool]


def _renumbered(fits: Fits) -> Callable[[Strike, Armed], Struck]:
    """The reply carries the number of an earlier order of the day that `fits`, the newest of them."""

    def effect(strike: Strike, armed: Armed) -> Struck:
        ask = strike.ask
        if not strike.accepted() or ask is None or call_of(strike) != "order_cash":
            return NOTHING
        assert strike.reply is not None
        orders = strike.world.truth.account(ask.account).truth.orders
        mine = orders[ask.options["placed"].key]
        foreign = armed.params.get("whose") == "foreign"
        others = [
            row
            for row in orders.values()
            if row.day == mine.day and row.odno != mine.odno and row.action == "new"
            if fits(strike, mine, row) and _asked_for(strike, row) is not foreign
        ]
        if not others:
            return NOTHING
        body = json.loads(strike.reply.body)
        body["output"]["ODNO"] = others[-1].odno
        return tell(strike, body)

    return effect


def _asked_for(strike: Strike, row: OrderRow) -> bool:
    """True for an order that a request caused, False for one of a person in the broker's own app."""
    number = f'"odno":"{row.odno}"'
    for line in reversed(strike.world.journal.lines):
        if number in line and '"kind":"accepted"' in line:
            return json.loads(line)["req_seq"] is not None
    return False


def _any(strike: Strike, mine: OrderRow, other: OrderRow) -> bool:
    return True


def _of_another_name(strike: Strike, mine: OrderRow, other: OrderRow) -> bool:
    return other.code != mine.code


def _replayed(strike: Strike, armed: Armed) -> Struck:
    """Somebody between sends the same bytes once more, and the broker takes them as another order."""
    if not strike.accepted() or call_of(strike) != "order_cash":
        return NOTHING
    again, taken = strike.world.replay(strike.request, strike.seq)
    if not taken:
        return NOTHING
    if armed.params.get("answer") == "second":
        return tell(strike, json.loads(again.body))
    return None, True


def _trimmed(strike: Strike, armed: Armed) -> Struck:
    """The quantity that is booked lacks the last digit of the one that was sent."""
    ask = strike.ask
    if ask is None or call_of(strike) != "order_cash":
        return NOTHING
    sent = ask.get("ORD_QTY")
    booked = str(armed.params.get("quantity", sent[:-1]))
    if not (booked.isdigit() and sent.isdigit()) or int(booked) in (0, int(sent)):
        return NOTHING
    ask.params["ORD_QTY"] = booked
    return strike.later(armed, lambda: True)


EFFECTS: Effects = {
    "A13": _renumbered(_any),
    "A20": _renumbered(_of_another_name),
    "A26": _replayed,
    "A28": _trimmed,
}
