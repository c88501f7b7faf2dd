"""What the lies have in common: the reply that was about to leave, and the one that leaves instead."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trading.simulator.faults import Armed, Delivery
from trading.simulator.http import json_reply

if TYPE_CHECKING:
    from trading.simulator.fault_effects import Strike

__all__ = ["NOTHING", "Effects", "Struck", "call_of", "chosen", "rows_of", "tell", "told"]

Struck = tuple[Delivery | None, bool]
NOTHING: Struck = (None, False)
LISTS = {
    "inquire_daily_ccld": "output1",
    "inquire_balance": "output1",
    "inquire_psbl_rvsecncl": "output",
}
Effects = dict[str, Any]


def call_of(strike: Strike) -> str:
    return strike.ask.service.call.name if strike.ask is not None else ""


def told(strike: Strike, *calls: str) -> dict[str, Any] | None:
    """The body of a success of one of `calls` (none named: any domestic list), None of anything else."""
    if strike.reply is None or strike.reply.status != 200:
        return None
    if call_of(strike) not in (calls or LISTS):
        return None
    body: dict[str, Any] = json.loads(strike.reply.body)
    return body if body.get("rt_cd") == "0" else None


def rows_of(strike: Strike, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a list, to be changed in place."""
    found: list[dict[str, Any]] = body[LISTS[call_of(strike)]]
    return found


def tell(strike: Strike, body: dict[str, Any], **headers: str) -> Struck:
    """`body` leaves instead of the reply."""
    assert strike.reply is not None
    return Delivery(json_reply(body, 200, {**strike.reply.headers, **headers})), True


def chosen(armed: Armed, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that the fault may be about: those of its `ticker`, or all."""
    ticker = str(armed.params.get("ticker", ""))
    return [row for row in rows if ticker in ("", row["pdno"])]
