"""What a journal's accounts ended with: cash and holdings that another world may begin with."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from trading.simulator.journal import US, kept_lines
from trading.simulator.us.money import dollars

__all__ = ["ended_with"]

KINDS = ("position", "cash", "accepted", "fill")
TOLD = tuple(f'"kind":"{us}{kind}"' for us in ("", US) for kind in KINDS)


def ended_with(journal: Path) -> dict[str, Any]:
    """{"day", "accounts": {number: {"cash", "holdings"}}}; empty for a journal without a line.

    `cash` is what remains once everything has settled. An account that had dollars has `usd` (dollars
    as text) and `overseas` too.
    """
    lines = kept_lines(journal)
    if not lines:
        return {}
    told = [json.loads(line) for line in lines if any(kind in line for kind in TOLD)]
    home = _fold([record for record in told if not record["kind"].startswith(US)], "d2_cash")
    abroad = _fold([record for record in told if record["kind"].startswith(US)], "settled")
    accounts: dict[str, dict[str, Any]] = {
        number: {"cash": left, "holdings": held} for number, (left, held) in home.items()
    }
    for number, (cents, shares) in abroad.items():
        accounts[number] |= {"usd": dollars(cents), "overseas": shares}
    return {"day": json.loads(lines[-1])["vt"][:10], "accounts": accounts}


def _fold(records: list[dict[str, Any]], money: str) -> dict[str, tuple[int, dict[str, int]]]:
    """(money, shares by code) of each account at the end of one side's records."""
    cash: dict[str, int] = {}
    held: dict[str, Counter[str]] = {}
    orders: dict[str, dict[str, Any]] = {}
    for record in records:
        match record["kind"].removeprefix(US):
            case "position":
                held.setdefault(record["account"], Counter())[record["ticker"]] += record["qty"]
            case "cash":
                cash[record["account"]] = record[money]
            case "accepted":
                orders[record["odno"]] = record
            case "fill":
                order = orders[record["odno"]]
                sign = 1 if order["side"] == "buy" else -1
                mine = held.setdefault(order["account"], Counter())
                mine[order["ticker"]] += sign * record["qty"]
    return {
        number: (left, {c: q for c, q in held.get(number, {}).items() if q})
        for number, left in cash.items()
    }
