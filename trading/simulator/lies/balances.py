"""A balance that shows what is not held, or does not show what is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trading.simulator.faults import Armed
from trading.simulator.lies.telling import NOTHING, Effects, Struck, chosen, rows_of, tell, told

if TYPE_CHECKING:
    from trading.simulator.fault_effects import Strike

__all__ = ["EFFECTS"]

BALANCE = "inquire_balance"
COUNTS = ("hldg_qty", "ord_psbl_qty")


def _held(strike: Strike, armed: Armed) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    body = told(strike, BALANCE)
    if body is None:
        return None, []
    return body, [row for row in chosen(armed, rows_of(strike, body)) if int(row["hldg_qty"]) > 0]


def _too_much(strike: Strike, armed: Armed) -> Struck:
    """A row that comes twice, one with twice the shares, or one of a name that is not held."""
    body, held = _held(strike, armed)
    if body is None or not held:
        return NOTHING
    rows, row = rows_of(strike, body), held[0]
    shape = str(armed.params.get("shape", "twice"))
    if shape == "double":
        row.update({name: str(2 * int(row[name])) for name in COUNTS})
    elif shape == "phantom":
        listed = strike.world.market.source.listings
        known = {one["pdno"] for one in rows}
        name = str(
            armed.params.get("as") or next(code for code in sorted(listed) if code not in known)
        )
        if name in known or name not in listed:
            return NOTHING
        rows.append({**row, "pdno": name, "prdt_name": listed[name].name})
    else:
        rows.insert(rows.index(row) + 1, dict(row))
    return tell(strike, body)


def _too_little(strike: Strike, armed: Armed) -> Struck:
    """No row at all, or one holding at zero; the totals stay what they were."""
    body, held = _held(strike, armed)
    if body is None or not held:
        return NOTHING
    if armed.params.get("shape") == "zero":
        held[0].update(dict.fromkeys(COUNTS, "0"))
    else:
        rows_of(strike, body).clear()
    return tell(strike, body)


EFFECTS: Effects = {"B10": _too_much, "B11": _too_little}
