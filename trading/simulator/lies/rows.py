"""Rows of another shape: numbers written as nobody agreed, columns too many, missing or renamed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trading.simulator.faults import Armed
from trading.simulator.lies.telling import NOTHING, Effects, Struck, call_of, rows_of, tell, told

if TYPE_CHECKING:
    from trading.simulator.fault_effects import Strike

__all__ = ["EFFECTS"]

NUMBERS = {
    "inquire_daily_ccld": ("tot_ccld_qty", "ord_qty", "rmn_qty", "cnc_cfrm_qty", "tot_ccld_amt"),
    "inquire_balance": ("hldg_qty", "ord_psbl_qty", "prpr"),
    "inquire_psbl_rvsecncl": ("psbl_qty", "ord_qty", "tot_ccld_qty"),
}
"""The columns that a reader cannot do without; the first is the one that is harmed unless told."""
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
SHAPES: dict[str, Callable[[str], Any]] = {
    "comma": lambda text: f"{int(text):,}",
    "decimal": lambda text: f"{text}.0000",
    "minus": lambda text: "-0" if text == "0" else text,
    "blank": lambda text: f" {text}",
    "wide": lambda text: text.translate(WIDE),
    "null": lambda text: None,
}


def _misspelt(strike: Strike, armed: Armed) -> Struck:
    """One number of one row, the first that the shape changes."""
    body = told(strike)
    if body is None:
        return NOTHING
    shape = SHAPES[str(armed.params.get("shape", "comma"))]
    fields = [str(armed.params["field"])] if "field" in armed.params else NUMBERS[call_of(strike)]
    for field in fields:
        for row in rows_of(strike, body):
            text = row.get(field)
            if isinstance(text, str) and text.isascii() and text.isdigit() and shape(text) != text:
                row[field] = shape(text)
                return tell(strike, body)
    return NOTHING


def _drifted(strike: Strike, armed: Armed) -> Struck:
    """A column of every row."""
    body = told(strike)
    rows = rows_of(strike, body) if body is not None else []
    if body is None or not rows:
        return NOTHING
    shape = str(armed.params.get("shape", "missing"))
    field = str(armed.params.get("field", NUMBERS[call_of(strike)][0]))
    for row in rows:
        if shape == "extra":
            row["new_dvsn_cd"] = "1"
        elif field not in row:
            return NOTHING
        elif shape == "cased":
            row[field.title()] = row.pop(field)
        else:
            del row[field]
    return tell(strike, body)


EFFECTS: Effects = {"B17": _drifted, "B18": _misspelt}
