"""What an account may still spend, on the wire: on credit, at every margin rate; and its rights.

Everything follows from the shown ledgers. There is no foreign money but dollars, and integrated margin is not
subscribed, so what is told of those is zero.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from trading.domain.matching import Side
from trading.kis_wire import calls
from trading.simulator.calls.accounts import calculation_price, largest_amount, paged
from trading.simulator.calls.asked import day_of, require
from trading.simulator.http import Reply, json_reply
from trading.simulator.truth import Truth
from trading.simulator.us.money import dollars
from trading.simulator.us.money import largest_amount as largest_dollars
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, fill, found

__all__ = ["HANDLERS"]

CREDIT_TYPES = ("21", "23", "26", "28")
"""Own and market loans for buying; the others sell or repay."""
CREDIT_DEPOSIT = 45
CASH_RATES, LOAN_RATES = (20, 30, 40, 50, 60, 100), (45, 50, 60, 70)
COLLATERAL = (7, 10)
ACCOUNT_RATE = 20
"""The margin rate of the account in %: buying power is told at a fifth of what it buys, too."""
DECIMALS = {184: ".0000", 182: ".00", 172: ".00", 114: ".0000", 19: ""}
"""What follows a whole number in a field of a width: 184 means 18 digits, 4 of them decimals."""
POSTED = {"hkd": 188.6, "jpy": 10.06, "cny": 200.7}
"""Won for a unit of foreign money (a yen for JPY), about which posted rates move; the dollar has its own."""


@dataclass(frozen=True, slots=True)
class _Means:
    """Won: what is there, what working orders hold back, and how much a buy could come to."""

    cash: int
    proceeds: int
    collateral: int
    valued: int
    held_back: int
    free: int
    amount: int


def _means(truth: Truth, ask: Ask, fund: bool = False) -> _Means:
    ledger = truth.shown(ask.account, truth.time)
    top, bottom = COLLATERAL
    shown = [
        (holding.quantity, truth.market.shown(code, truth.time))
        for code, holding in ledger.holdings.items()
        if holding.quantity
    ]
    free = max(0, ledger.available() - truth.account(ask.account).blocked_at(truth.time))
    settled = min(ledger.cash, ledger.d2_cash)
    return _Means(
        cash=settled,
        proceeds=ledger.d2_cash - settled,
        collateral=sum(q * (one.bar.reference * top // bottom) for q, one in shown),
        valued=sum(q * one.last for q, one in shown),
        held_back=ledger.d2_cash - free,
        free=free,
        amount=largest_amount(free, truth.rates.fund if fund else truth.rates.stock),
    )


def _queried(ask: Ask, mock: bool, call: str, values: dict[str, object]) -> Reply:
    msg_cd, msg1 = found(mock, more=False, later_page=False, empty=False)
    body = {"rt_cd": "0", "msg_cd": msg_cd, "msg1": msg1.ljust(MSG_WIDTH)}
    cont = {"tr_id": ask.tr_id, "tr_cont": "D"}
    return json_reply({"output": fill(call, "output", values), **body}, headers=cont)


# --- buying on credit -------------------------------------------------------------------------
def inquire_credit_psamount(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """How much could be bought with cash alone, and on credit with 45 % of it from one's own."""
    require(ask, "CRDT_TYPE", CREDIT_TYPES)
    code = ask.get("PDNO")
    if code not in truth.market:
        raise Refusal("APBK0656", "해당종목정보가 없습니다.")
    means = _means(truth, ask, truth.market.listing(code).kind.is_fund)
    price = calculation_price(truth, code, ask.get("ORD_DVSN"), ask.get("ORD_UNPR"))
    most = means.amount * 100 // CREDIT_DEPOSIT
    values: dict[str, object] = {
        "ord_psbl_cash": means.free,
        "ord_psbl_sbst": means.collateral,
        "ruse_psbl_amt": means.proceeds,
        "psbl_qty_calc_unpr": price,
        "nrcvb_buy_amt": means.amount,
        "nrcvb_buy_qty": means.amount // price,
        "max_buy_amt": most,
        "max_buy_qty": most // price,
        "fund_rpch_chgs": "0",
        "ovrs_re_use_amt_wcrc": "0",
        "ord_psbl_frcr_amt_wcrc": "0",
    }
    return _queried(ask, mock, "inquire_credit_psamount", values)


# --- margins ----------------------------------------------------------------------------------
def intgr_margin(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """What is there, in use and left, and how much could be bought at each margin rate."""
    for name in ("WCRC_FRCR_DVSN_CD", "FWEX_CTRT_FRCR_DVSN_CD"):
        require(ask, name, ("01", "02"))
    require(ask, "CMA_EVLU_AMT_ICLD_YN", ("Y", "N"))
    means = _means(truth, ask)
    of_cash = min(means.cash, means.held_back)
    of_proceeds = means.held_back - of_cash
    amounts = {
        "stck_cash_objt_amt": means.cash,
        "stck_cash_use_amt": of_cash,
        "stck_cash_ord_psbl_amt": means.cash - of_cash,
        "stck_ruse_psbl_objt_amt": means.proceeds,
        "stck_ruse_psbl_amt_use_amt": of_proceeds,
        "stck_ruse_psbl_ord_psbl_amt": means.proceeds - of_proceeds,
        "stck_sbst_objt_amt": means.collateral,
        "stck_sbst_ord_psbl_amt": means.collateral,
        "stck_evlu_objt_amt": means.valued,
        "stck_evlu_ord_psbl_amt": means.valued,
        "stck_rsip100_max_ord_psbl_amt": max(0, means.amount - means.proceeds),
        "stck_stln_max_ord_psbl_amt": means.amount,
        "bond_max_ord_psbl_amt": means.free,
    }
    amounts |= {f"stck_cash{r}_max_ord_psbl_amt": means.amount * 100 // r for r in CASH_RATES}
    loans = {f"stck_fncg{r}_max_ord_psbl_amt": means.amount * 100 // r for r in LOAN_RATES}
    values = _written({"acmga_rt": ACCOUNT_RATE} | amounts | loans)
    values |= _dollars(truth, ask.account)
    values |= {f"{name}_frst_bltn_exrt": rate for name, rate in _posted(truth).items()}
    return _queried(ask, mock, "intgr_margin", values)


def _written(amounts: Mapping[str, int]) -> dict[str, object]:
    """Every amount of the table with as many decimals as its width says; one not given is nothing."""
    return {
        field.name: f"{amounts.get(field.name, 0)}" + DECIMALS[field.width]
        for field in calls()["intgr_margin"].outputs[0].fields
        if field.width in DECIMALS
    }


def _dollars(truth: Truth, account: str) -> dict[str, object]:
    """Dollars that are there, in use and left; an account that never had any is not opened by looking."""
    if account not in truth.us.accounts:
        return {}
    ledger = truth.us.shown(account)
    reused = max(0, min(ledger.settled_cash, ledger.unsettled(Side.SELL)))
    there = max(0, ledger.settled_cash - reused)
    of_cash = min(there, ledger.reserved())
    of_reused = min(reused, ledger.reserved() - of_cash)
    free = there - of_cash + reused - of_reused
    told = {
        "usd_objt_amt": there,
        "usd_use_amt": of_cash,
        "usd_ord_psbl_amt": there - of_cash,
        "usd_ruse_objt_amt": reused,
        "usd_ruse_amt": of_reused,
        "usd_ruse_ord_psbl_amt": reused - of_reused,
        "usd_gnrl_ord_psbl_amt": largest_dollars(free),
        "usd_itgr_ord_psbl_amt": largest_dollars(free),
    }
    return {name: dollars(cents) for name, cents in told.items()}


def _posted(truth: Truth) -> dict[str, str]:
    """The rates that were posted first and are in force, eight decimals."""
    rng = random.Random(f"{truth.seed}:posted:{truth.market.session_of(truth.time)}")
    others = {name: usual * rng.uniform(0.99, 1.01) for name, usual in POSTED.items()}
    told = {name: f"{rate:.2f}000000" for name, rate in others.items()}
    return {"usd": dollars(truth.us.rate, 8)} | told


# --- rights -----------------------------------------------------------------------------------
def period_rights(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """No right is ever allotted here: corporate actions are not modelled."""
    day_of(ask, "INQR_STRT_DT"), day_of(ask, "INQR_END_DT")
    require(ask, "INQR_DVSN", ("03",))
    return paged(ask, mock, {"output": []}, "", empty=True)


HANDLERS = {
    "inquire_credit_psamount": inquire_credit_psamount,
    "intgr_margin": intgr_margin,
    "period_rights": period_rights,
}
