"""What we booked is what happened: I3 (fills), I6 (nothing unseen), I8 (exact money)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from rebalancing.domain.laws.case import Case, Finding, Row, Rows

__all__ = ["i3", "i6", "i8"]

MOVES = ("deposit", "withdraw", "dividend")
"""Money that came or went without a trade."""


def i3(case: Case) -> Finding:
    """Fill equality: our sums are the broker's, step by step and at the end."""
    found = Finding()
    steps: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(case.view("ledger"), key=lambda one: one["id"]):
        steps[row["odno_key"]].append(row)
    for key, rows in steps.items():
        _chained(key, rows, found)
    for border in case.view("border"):
        if border["owner_intent"] is None or border["orgn_odno"]:
            continue
        _summed(case, border, steps.get(border["odno_key"], []), found)
    return found


def _chained(key: str, rows: list[Row], found: Finding) -> None:
    before = 0
    for row in rows:
        found.examined += 1
        continues = row["cum_before"] == before and row["cum_after"] > before
        if not continues or row["d_qty"] != row["cum_after"] - row["cum_before"]:
            found.broken("I3", "a step that does not continue its order", key, row["id"])
        before = row["cum_after"]


def _summed(case: Case, border: Row, rows: list[Row], found: Finding) -> None:
    key = border["odno_key"]
    found.examined += 1
    shares, won = (sum(row[name] for row in rows) for name in ("d_qty", "d_amt"))
    if (shares, won) != (border["cum_qty"], border["cum_amt"]):
        found.broken("I3", "the ledger is not the order's sum", key, shares, border["cum_qty"])
    parts = border["cum_qty"] + border["cxl_qty"] + border["rmn_qty"]
    if not 0 <= border["cum_qty"] <= border["qty"] or parts not in (
        border["qty"],
        border["cum_qty"],
    ):
        found.broken("I3", "an order whose parts are not the whole", key, parts, border["qty"])
    if case.truth is None:
        return
    order = case.true_orders.get(key)
    if order is None:
        found.broken("I3", "an order that the exchange does not know", key)
    elif (shares, won) != (order["filled"], order["amount"]):
        found.broken("I3", "booked otherwise than it was filled", key, shares, order["filled"])


def i6(case: Case) -> Finding:
    """Nothing unseen: every true order is known, every position is the true one."""
    found = Finding()
    known = {row["odno_key"] for row in case.view("border")}
    ours = {row["account"] for row in case.view("intent")}
    for key, order in case.true_orders.items():
        if order["account"] not in ours:
            continue
        found.examined += 1
        if key not in known:
            found.broken("I6", "an order that was never seen", key)
    held = (case.truth or {}).get("positions", {})
    mine: dict[str, dict[str, int]] = defaultdict(dict)
    for row in case.view("position"):
        mine[row["account"]][row["ticker"]] = row["qty"]
    for account in ours if case.truth is not None else ():
        there = {ticker: count for ticker, count in held.get(account, {}).items() if count}
        for ticker in sorted({*there, *mine[account]}):
            found.examined += 1
            if there.get(ticker, 0) != mine[account].get(ticker, 0):
                found.broken("I6", "another position than the true one", account, ticker)
    return found


def i8(case: Case) -> Finding:
    """Exact arithmetic: no fraction of a won and no rounding anywhere between fills and cash."""
    found = Finding()
    for row in case.evidence:
        for path, value in _leaves(row):
            if isinstance(value, float):
                found.broken("I8", "a number that is not exact", row["view"], path)
    for row in case.view("ledger"):
        found.examined += 1
        if min(row["d_qty"], row["d_amt"], row["fee"], row["tax"]) < 0:
            found.broken("I8", "less than nothing in the ledger", row["id"])
    if case.journal is not None:
        for account in {row["account"] for row in case.kind("cash")}:
            _cash_adds_up(case, account, found)
    return found


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _leaves(inner, path)
    else:
        yield path, value


def _cash_adds_up(case: Case, account: str, found: Finding) -> None:
    """From the first won to the last: fills by our ledger, the rest by the broker's word for it."""
    rows: Rows = tuple(row for row in case.kind("cash") if row["account"] == account)
    booked = Counter[str]()
    for row in case.view("ledger"):
        if row["odno_key"].startswith(f"{account}/"):
            booked[row["odno_key"]] += _moved(case, row)
    foreign = _foreign(case, account, set(booked))
    outside = sum(
        later["d2_cash"] - earlier["d2_cash"]
        for earlier, later in zip(rows, rows[1:], strict=False)
        if later["reason"] in MOVES
    )
    found.examined += 1
    expected = rows[0]["d2_cash"] + sum(booked.values()) + foreign + outside
    if rows[-1]["d2_cash"] != expected:
        found.broken("I8", "cash that no fill explains", account, rows[-1]["d2_cash"], expected)


def _side(case: Case, key: str) -> str:
    border = next((row for row in case.view("border") if row["odno_key"] == key), None)
    return str(border["side"]).upper() if border else ""


def _moved(case: Case, row: Row) -> int:
    way = 1 if _side(case, row["odno_key"]) == "SELL" else -1
    return int(way * row["d_amt"] - row["fee"] - row["tax"])


def _foreign(case: Case, account: str, booked: set[str]) -> int:
    """What orders that are not in our ledger moved, as the journal says."""
    orders = {case.order_of(row): row for row in case.accepted if row["account"] == account}
    total = 0
    for row in case.kind("fill"):
        order = orders.get(case.order_of(row))
        if order is not None and case.key_of(order) not in booked:
            way = 1 if str(order["side"]).upper() == "SELL" else -1
            total += way * row["amt"] - row["fee"] - row["tax"]
    return total
