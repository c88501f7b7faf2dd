"""Faults of a broker that lies: its answers are well formed and untrue, or truth itself is taken back.

`orders` lie about one order's acceptance, `lists` about orders, `balances` about holdings, `tokens` about
access; `busts` undo a fill.
"""

from __future__ import annotations

from trading.simulator.lies import balances, lists, orders, rows, tokens

__all__ = ["LIES"]

LIES = {**orders.EFFECTS, **lists.EFFECTS, **rows.EFFECTS, **balances.EFFECTS, **tokens.EFFECTS}
