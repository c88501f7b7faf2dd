"""What a journal's accounts ended with: cash and holdings that another world may begin with."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from trading.simulator.journal import kept_lines

__all__ = ["ended_with"]

TOLD = tuple(f'"kind":"{kind}"' for kind in ("position", "cash", "accepted", "fill"))


def ended_with(journal: Path) -> dict[str, Any]:
    """{"day", "accounts": {number: {"cash", "holdings"}}}; empty for a journal without a line.

    `cash` is what remains once everything has settled.
    """
    lines = kept_lines(journal)
    if not lines:
        return {}
    cash: dict[str, int] = {}
    held: dict[str, Counter[str]] = {}
    orders: dict[str, dict[str, Any]] = {}
    for record in (json.loads(line) for line in lines if any(kind in line for kind in TOLD)):
        match record["kind"]:
            case "position":
                held.setdefault(record["account"], Counter())[record["ticker"]] += record["qty"]
            case "cash":
                cash[record["account"]] = record["d2_cash"]
            case "accepted":
                orders[record["odno"]] = record
            case "fill":
                order = orders[record["odno"]]
                sign = 1 if order["side"] == "buy" else -1
                mine = held.setdefault(order["account"], Counter())
                mine[order["ticker"]] += sign * record["qty"]
    accounts = {
        number: {"cash": left, "holdings": {c: q for c, q in held.get(number, {}).items() if q}}
        for number, left in cash.items()
    }
    return {"day": json.loads(lines[-1])["vt"][:10], "accounts": accounts}
