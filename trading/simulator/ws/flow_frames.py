"""What the channels of program trades and of member firms say: how things stand, told when they change.

The numbers are the ones that program-trade-by-stock and inquire-member show of the same second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from trading.simulator.calls.flows import member_values, program_minutes, program_values
from trading.simulator.truth import Truth

__all__ = ["FLOW_FRAMES", "firms_row", "in_session", "program_row"]

Row = Mapping[str, object]
PROGRAM_NAMES = {
    "SELN_CNQN": "whol_smtn_seln_vol",
    "SELN_TR_PBMN": "whol_smtn_seln_tr_pbmn",
    "SHNU_CNQN": "whol_smtn_shnu_vol",
    "SHNU_TR_PBMN": "whol_smtn_shnu_tr_pbmn",
    "NTBY_CNQN": "whol_smtn_ntby_qty",
    "NTBY_TR_PBMN": "whol_smtn_ntby_tr_pbmn",
}
"""Fields of a record and what the screen calls the same number."""
MEMBER_NAMES = {"SELN2_MBCR_NAME": "seln_mbcr_name", "BYOV_MBCR_NAME": "shnu_mbcr_name"}
"""Firms' names are called otherwise than on the screen; all other fields are called alike."""
PLACES = range(1, 6)


def in_session(truth: Truth, at: datetime) -> bool:
    """From the open to the close, both included."""
    if not truth.calendar.is_session(at.date()):
        return False
    hours = truth.calendar.session_hours(at.date())
    return hours.open <= at <= hours.close


def programs(truth: Truth, key: str, at: datetime) -> Sequence[Row]:
    """What programs have bought and sold today."""
    if not in_session(truth, at):
        return ()
    _minute, _volume, deal = program_minutes(truth, key, at, 1)[0]
    return (program_row(key, at, program_values(deal)),)


def program_row(key: str, at: datetime, values: Row) -> Row:
    """A record of a screen's numbers; what programs still have in the book is not known here."""
    row = {told: values[name] for told, name in PROGRAM_NAMES.items()}
    row |= {"MKSC_SHRN_ISCD": key, "STCK_CNTG_HOUR": f"{at:%H%M%S}"}
    return row | dict.fromkeys(("SELN_RSQN", "SHNU_RSQN", "WHOL_NTBY_QTY"), 0)


def firms(truth: Truth, key: str, at: datetime) -> Sequence[Row]:
    """The five firms that bought and sold most today."""
    if not in_session(truth, at):
        return ()
    return (firms_row(key, member_values(truth, key, at)),)


def firms_row(key: str, values: Row) -> Row:
    """A record of a screen's numbers; English names stay empty, as the broker sends them."""
    row = {name.upper(): value for name, value in values.items()} | {"MKSC_SHRN_ISCD": key}
    for told, name in MEMBER_NAMES.items():
        row |= {f"{told}{place}": values[f"{name}{place}"] for place in PLACES}
    return row


FLOW_FRAMES: Mapping[str, Callable[[Truth, str, datetime], Sequence[Row]]] = {
    "program_trade_krx": programs,
    "program_trade_total": programs,
    "member_krx": firms,
    "member_total": firms,
}
