"""Own-order notices: what happened to an order, told within a second, now and then not at all."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from trading.domain.matching import Side
from trading.simulator.accounts import Account
from trading.simulator.ledger import Accepted, Cancelled, Event, Filled, OrderRow, Revised

__all__ = ["LOST", "delay_of", "notice_of"]

DELAY = (0.05, 0.8)
LOST = 0.02
"""One notice in fifty never comes: whoever relies on them alone loses an order."""
ACTIONS = {"new": "0", "revise": "1", "cancel": "2"}
SIDES = {Side.SELL: "01", Side.BUY: "02"}
VENUES = {"KRX": "1", "NXT": "2", "SOR": "3"}


def delay_of(seed: int, account: str, number: int, tame: bool) -> timedelta | None:
    """How late the account's notice `number` comes; None when it is lost."""
    if tame:
        return timedelta()
    rng = random.Random(f"{seed}:notice:{account}:{number}")
    if rng.random() < LOST:
        return None
    return timedelta(seconds=rng.uniform(*DELAY))


def notice_of(
    account: Account, event: Event, at: datetime, hts_id: str, name: str
) -> Mapping[str, object] | None:
    """The notice of one event, None for events that the broker tells nobody."""
    match event:
        case Accepted(order):
            return _head(order, at, hts_id, name) | _receipt(order, "1", order.quantity)
        case Filled():
            order = account.truth.orders[event.key]
            return _head(order, at, hts_id, name) | {
                "CNTG_QTY": f"{event.quantity:010d}",
                "CNTG_UNPR": f"{event.price:09d}",
                "CNTG_YN": "2",
                "ACPT_YN": "2",
                "ODER_PRC": f"{order.price:09d}",
            }
        case Cancelled(key, quantity) if account.truth.orders[key].tif.name != "DAY":
            order = account.truth.orders[key]
            return _head(order, at, hts_id, name) | _receipt(order, "3", quantity)
        case Cancelled(key, quantity) | Revised(key, quantity):
            return None  # told by the notice of the order that did it
    return None


def _head(order: OrderRow, at: datetime, hts_id: str, name: str) -> dict[str, object]:
    return {
        "CUST_ID": hts_id,
        "ACNT_NO": order.account.replace("-", ""),
        "ODER_NO": order.odno,
        "OODER_NO": order.orgn_odno,
        "SELN_BYOV_CLS": SIDES[order.side],
        "RCTF_CLS": ACTIONS[order.action],
        "ODER_KIND": order.dvsn,
        "ODER_COND": "0",
        "STCK_SHRN_ISCD": order.code,
        "STCK_CNTG_HOUR": f"{at:%H%M%S}",
        "RFUS_YN": "0",
        "BRNC_NO": order.orgno,
        "ODER_QTY": f"{order.quantity:09d}",
        "ACNT_NAME": "홍길동",
        "ORD_COND_PRC": f"{0:09d}",
        "ORD_EXG_GB": "4" if order.venue == "SOR" and order.board else VENUES.get(order.venue, "1"),
        "POPUP_YN": "Y",
        "FILLER": "",
        "CRDT_CLS": "10",
        "CRDT_LOAN_DATE": "",
        "CNTG_ISNM40": name,
    }


def _receipt(order: OrderRow, state: str, quantity: int) -> dict[str, object]:
    """A receipt's price stands where a fill's would, its own place stays empty of one."""
    return {
        "CNTG_QTY": f"{quantity:010d}",
        "CNTG_UNPR": f"{order.price:09d}",
        "CNTG_YN": "1",
        "ACPT_YN": "2" if order.action == "cancel" else state,
        "ODER_PRC": f"{0:09d}",
    }
