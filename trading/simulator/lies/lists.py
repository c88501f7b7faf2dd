"""Lists of orders that are not whole: an order flaps, a fill goes back, pages repeat or shift."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from trading.simulator.calls import HANDLERS
from trading.simulator.faults import Armed
from trading.simulator.lies.telling import (
    NOTHING,
    Effects,
    Struck,
    call_of,
    chosen,
    rows_of,
    tell,
    told,
)
from trading.simulator.wire import Ask

if TYPE_CHECKING:
    from trading.simulator.fault_effects import Strike

__all__ = ["EFFECTS"]

ORDERS = "inquire_daily_ccld"


def _flapping(strike: Strike, armed: Armed) -> Struck:
    """The newest order of this list is on none of the next seconds' lists."""
    body, seconds = told(strike, ORDERS), armed.number_param("seconds", 10)
    ask = strike.ask
    if body is None or ask is None or seconds <= 0:
        return NOTHING
    rows = [row for row in chosen(armed, rows_of(strike, body)) if not row["orgn_odno"].strip("0 ")]
    if not rows:
        return NOTHING
    odno = max(row["odno"] for row in rows)
    now = strike.world.truth.time
    shown = strike.world.truth.shown(ask.account, now).orders
    key = max(key for key in shown if key[1] == odno)
    shown[key].hidden_until = now + timedelta(seconds=seconds)
    return None, True


def _endless(strike: Strike, armed: Armed) -> Struck:
    """There is always one page more: behind the same key, or an empty one behind a new key each time."""
    body, ask = told(strike), strike.ask
    if body is None or ask is None:
        return NOTHING
    rows = rows_of(strike, body)
    if armed.params.get("shape") == "empty":
        if ask.page_number() == 1 and not rows:
            return NOTHING
        if ask.page_number() > 1:
            rows.clear()
        key = f"{strike.seq:010d}"
    else:
        key = ask.get(ask.key_name("NK")) if ask.next_page else ""
        key = key or (f"{rows[-1].get('ord_dt', '')}{rows[-1].get('odno', '')}" if rows else "")
        key = key or (rows[-1]["pdno"] if rows else "")
        if not key:
            return NOTHING
    body["ctx_area_nk100"] = key.ljust(100)
    return tell(strike, body, tr_cont="M")


def _shifted(strike: Strike, armed: Armed) -> Struck:
    """A later page begins with the row that the page before it ended with, and leaves its own first out."""
    body, ask = told(strike, ORDERS), strike.ask
    if body is None or ask is None or ask.page_number() < 2:
        return NOTHING
    rows = rows_of(strike, body)
    before = _last_row_before(strike, ask)
    if not rows or before is None or rows[0] == before:
        return NOTHING
    rows[0] = before
    return tell(strike, body)


def _last_row_before(strike: Strike, ask: Ask) -> dict[str, Any] | None:
    """The row that this page continues behind."""
    key = ask.get(ask.key_name("NK"))
    whole = _asked(strike, ask, ODNO=key[8:])
    return whole[0] if whole else None


def _asked(strike: Strike, ask: Ask, **more: str) -> list[dict[str, Any]]:
    """The same question from its beginning with other parameters, answered as it would have been."""
    other = Ask(ask.service, {**ask.params, **more}, ask.account, ask.tr_id, False, ask.seq, "")
    reply = HANDLERS[ORDERS](strike.world.truth, other, strike.world.options.mock)
    rows: list[dict[str, Any]] = json.loads(reply.body)["output1"]
    return rows


def _gone_back(strike: Strike, armed: Armed) -> Struck:
    """The newest filled order shows only a part of what it has filled."""
    body = told(strike, ORDERS)
    if body is None:
        return NOTHING
    filled = [row for row in chosen(armed, rows_of(strike, body)) if int(row["tot_ccld_qty"]) > 1]
    if not filled:
        return NOTHING
    row = max(filled, key=lambda one: one["odno"])
    was, won = int(row["tot_ccld_qty"]), int(row["tot_ccld_amt"])
    now = min(max(int(was * armed.number_param("share", 0.5)), 0), was - 1)
    row["tot_ccld_qty"], row["tot_ccld_amt"] = str(now), str(won * now // was)
    row["rmn_qty"] = str(int(row["rmn_qty"]) + was - now)
    return tell(strike, body)


def _worthless(strike: Strike, armed: Armed) -> Struck:
    """A filled order shows no amount and no average."""
    body = told(strike, ORDERS)
    if body is None:
        return NOTHING
    filled = [row for row in chosen(armed, rows_of(strike, body)) if int(row["tot_ccld_qty"]) > 0]
    if not filled:
        return NOTHING
    row = max(filled, key=lambda one: one["odno"])
    row["tot_ccld_amt"] = row["avg_prvs"] = str(armed.params.get("value", ""))
    return tell(strike, body)


def _of_another_account(strike: Strike, armed: Armed) -> Struck:
    """The whole answer is another customer's; `trace` own keeps our account in the continuation."""
    body, ask = told(strike, ORDERS, "inquire_balance"), strike.ask
    if body is None or ask is None:
        return NOTHING
    truth = strike.world.truth
    for number in sorted(truth.accounts):
        if number == ask.account:
            continue
        cano, product = number.split("-")
        params = {**ask.params, "CANO": cano, "ACNT_PRDT_CD": product}
        other = Ask(ask.service, params, number, ask.tr_id, ask.next_page, ask.seq, "")
        reply = HANDLERS[call_of(strike)](truth, other, strike.world.options.mock)
        theirs = json.loads(reply.body)
        if not theirs["output1"] or theirs["output1"] == body["output1"]:
            continue
        if armed.params.get("trace") == "own":
            theirs["ctx_area_fk100"] = body["ctx_area_fk100"]
        return tell(strike, theirs, tr_cont=reply.headers["tr_cont"])
    return NOTHING


EFFECTS: Effects = {
    "B02": _flapping,
    "B05": _endless,
    "B07": _shifted,
    "B08": _gone_back,
    "B09": _worthless,
    "B19": _of_another_account,
}
