"""The account's inquiries on the wire: balance, buying power, orders, what can be revised.

Everything here reads the shown ledger, which follows truth a few seconds behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from trading.domain.matching import OrderType, Side, TimeInForce
from trading.simulator.http import Reply, json_reply
from trading.simulator.ledger import AccountLedger, DayTrade, OrderRow
from trading.simulator.order_types import TYPES
from trading.simulator.truth import Truth
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, fill, found, page

__all__ = [
    "HANDLERS",
    "after_of",
    "calculation_price",
    "cash_values",
    "holding_values",
    "inquire_balance",
    "inquire_daily_ccld",
    "inquire_psbl_order",
    "inquire_psbl_rvsecncl",
    "largest_amount",
    "paged",
    "share_of",
    "still_listed",
]

BALANCE_PAGE = {False: 50, True: 20}
ORDERS_PAGE = {False: 100, True: 15}
OPEN_ORDERS_PAGE = 50
MARGIN_SHARE = 5
"""Buying power on credit as the broker shows it: a fifth of the amount is margin (max_buy_*)."""

ZERO_TEXTS = (
    "ord_psbl_sbst",
    "fund_rpch_chgs",
    "ovrs_re_use_amt_wcrc",
    "ord_psbl_frcr_amt_wcrc",
)
"""Amounts that the broker's table calls texts; the broker sends "0"."""

CONDITION_NAMES = {TimeInForce.DAY: "없음", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
BEFORE_HOURS = "61"
SIDE_CODES = {Side.SELL: "01", Side.BUY: "02"}
SIDE_NAMES = {Side.SELL: "매도", Side.BUY: "매수"}
ACTION_NAMES = {"new": "", "revise": "정정", "cancel": "취소"}


def inquire_balance(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Holdings with today's sold-out rows, and the cash of today, tomorrow and the day after."""
    ledger = truth.shown(ask.account, truth.time)
    codes = sorted(c for c in ledger.holdings if still_listed(truth, ledger, c))
    size = BALANCE_PAGE[mock]
    chosen, after = page(codes, codes, after_of(ask), size)
    rows = [_holding_row(truth, ledger, code) for code in chosen]
    body = {"output1": rows, "output2": [_cash_row(truth, ledger)]}
    return paged(ask, mock, body, after, empty=not rows)


def inquire_psbl_order(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """How much may be bought: cash after D+2 settlement, less what working buys hold back."""
    ledger = truth.shown(ask.account, truth.time)
    free = max(0, ledger.available() - truth.account(ask.account).blocked_at(truth.time))
    values: dict[str, object] = {"ord_psbl_cash": free, **dict.fromkeys(ZERO_TEXTS, "0")}
    code, dvsn = ask.get("PDNO"), ask.get("ORD_DVSN")
    if code and code not in truth.market:
        raise Refusal("APBK0656", "해당종목정보가 없습니다.")
    fund = bool(code) and truth.market.listing(code).kind.is_fund
    rate = truth.rates.fund if fund else truth.rates.stock
    amount = largest_amount(free, rate)
    values |= {"nrcvb_buy_amt": amount, "max_buy_amt": amount * MARGIN_SHARE}
    if code:
        price = calculation_price(truth, code, dvsn, ask.get("ORD_UNPR"))
        values |= {
            "psbl_qty_calc_unpr": price,
            "nrcvb_buy_qty": amount // price,
            "max_buy_qty": amount * MARGIN_SHARE // price,
        }
    msg_cd, msg1 = found(mock, more=False, later_page=False, empty=False)
    return json_reply(
        {
            "output": fill("inquire_psbl_order", "output", values),
            "rt_cd": "0",
            "msg_cd": msg_cd,
            "msg1": msg1.ljust(MSG_WIDTH),
        },
        headers={"tr_id": ask.tr_id, "tr_cont": "D"},
    )


def inquire_daily_ccld(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Orders and fills of a span of days, newest or oldest first."""
    orders = [o for o in _visible_orders(truth, ask) if _wanted(o, ask)]
    orders.sort(key=lambda o: o.key, reverse=ask.get("INQR_DVSN") != "01")
    keys = [f"{o.day:%Y%m%d}{o.odno}" for o in orders]
    chosen, after = page(orders, keys, after_of(ask), ORDERS_PAGE[mock])
    body = {
        "output1": [_order_row(truth, order) for order in chosen],
        "output2": _order_totals(orders),
    }
    return paged(ask, mock, body, after, empty=not orders)


def inquire_psbl_rvsecncl(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Orders that can still be revised or cancelled."""
    side = {"1": "01", "2": "02"}.get(ask.get("INQR_DVSN_2"), "00")
    today = truth.time.date()
    orders = [
        o
        for o in _visible_orders(truth, ask)
        if o.day == today and o.remaining > 0 and side in ("00", SIDE_CODES[o.side])
    ]
    orders.sort(key=lambda o: (o.code, o.odno) if ask.get("INQR_DVSN_1") == "1" else ("", o.odno))
    chosen, after = page(orders, [o.odno for o in orders], after_of(ask), OPEN_ORDERS_PAGE)
    body = {"output": [_open_row(truth, order) for order in chosen]}
    return paged(ask, mock, body, after, empty=not orders)


# --- paging -----------------------------------------------------------------------------------


def after_of(ask: Ask) -> str:
    """The row to continue behind; a call without `tr_cont: N` starts from the beginning."""
    return ask.get(ask.key_name("NK")) if ask.next_page else ""


def paged(ask: Ask, mock: bool, body: dict[str, Any], after: str, empty: bool) -> Reply:
    later = ask.page_number() > 1
    msg_cd, msg1 = found(mock, more=bool(after), later_page=later, empty=empty)
    query = "!^".join(v.strip() for k, v in ask.params.items() if not k.startswith("CTX_AREA"))
    keys = {"ctx_area_fk100": query[:100].ljust(100), "ctx_area_nk100": after.ljust(100)}
    text = {"rt_cd": "0", "msg_cd": msg_cd, "msg1": msg1.ljust(MSG_WIDTH)}
    cont = {"tr_id": ask.tr_id, "tr_cont": "M" if after else "D"}
    return json_reply({**keys, **body, **text}, headers=cont)


# --- balance ----------------------------------------------------------------------------------


def still_listed(truth: Truth, ledger: AccountLedger, code: str) -> bool:
    """A sold-out holding stays at zero for the day and two sessions after it."""
    if ledger.holdings[code].quantity:
        return True
    last = max((t.day for t in ledger.trades if t.code == code), default=None)
    return last is not None and truth.calendar.settlement_date(last) >= truth.time.date()


def _trades(ledger: AccountLedger, day: date, side: Side, code: str = "") -> list[DayTrade]:
    return [t for t in ledger.trades if t.day == day and t.side is side and code in ("", t.code)]


def _quantity(trades: Sequence[DayTrade]) -> int:
    return sum(t.quantity for t in trades)


def _days(truth: Truth) -> tuple[date, date]:
    """(the session the screen calls today, the one before)."""
    today = truth.time.date()
    if not truth.calendar.is_session(today):
        today = truth.calendar.previous_session(today)
    return today, truth.calendar.previous_session(today)


def share_of(part: int, whole: int, digits: str = "0.01") -> Decimal:
    return (Decimal(part * 100) / whole if whole else Decimal(0)).quantize(Decimal(digits))


def _holding_row(truth: Truth, ledger: AccountLedger, code: str) -> dict[str, str]:
    more = {"item_mgna_rt_name": "20%"}
    return fill("inquire_balance", "output1", holding_values(truth, ledger, code) | more)


def holding_values(truth: Truth, ledger: AccountLedger, code: str) -> dict[str, object]:
    """One holding as every balance screen shows it."""
    holding, today = ledger.holdings[code], _days(truth)
    shown = truth.market.shown(code, truth.time)
    value = holding.quantity * shown.last
    average = Decimal(holding.cost) / holding.quantity if holding.quantity else Decimal(0)
    change = shown.last - shown.bar.reference
    return {
        "pdno": code,
        "prdt_name": shown.listing.name,
        "trad_dvsn_name": "현금",
        "bfdy_buy_qty": _quantity(_trades(ledger, today[1], Side.BUY, code)),
        "bfdy_sll_qty": _quantity(_trades(ledger, today[1], Side.SELL, code)),
        "thdt_buyqty": _quantity(_trades(ledger, today[0], Side.BUY, code)),
        "thdt_sll_qty": _quantity(_trades(ledger, today[0], Side.SELL, code)),
        "hldg_qty": holding.quantity,
        "ord_psbl_qty": ledger.sellable(code),
        "pchs_avg_pric": average.quantize(Decimal("0.0001")),
        "pchs_amt": holding.cost,
        "prpr": shown.last,
        "evlu_amt": value,
        "evlu_pfls_amt": value - holding.cost,
        "evlu_pfls_rt": share_of(value - holding.cost, holding.cost),
        "evlu_erng_rt": "0.00000000",
        "fltt_rt": share_of(change, shown.bar.reference, "0.00000001"),
        "bfdy_cprs_icdc": change,
        "stln_slng_chgs": "0",
        "stck_loan_unpr": "0.0000",
    }


def _cash_row(truth: Truth, ledger: AccountLedger) -> dict[str, str]:
    return fill("inquire_balance", "output2", cash_values(truth, ledger))


def cash_values(truth: Truth, ledger: AccountLedger) -> dict[str, object]:
    """Cash and totals as every balance screen shows them."""
    today, before = _days(truth)
    tomorrow = truth.calendar.next_session(today)
    value = sum(
        h.quantity * truth.market.shown(code, truth.time).last
        for code, h in ledger.holdings.items()
        if h.quantity
    )
    cost = sum(h.cost for h in ledger.holdings.values())
    total = value + ledger.d2_cash
    money = {
        f"{prefix}_{name}_amt": sum(t.amount for t in _trades(ledger, day, side))
        for prefix, day in (("thdt", today), ("bfdy", before))
        for name, side in (("buy", Side.BUY), ("sll", Side.SELL))
    }
    costs = {
        f"{prefix}_tlex_amt": sum(t.costs for t in ledger.trades if t.day == day)
        for prefix, day in (("thdt", today), ("bfdy", before))
    }
    return {
        "dnca_tot_amt": ledger.cash,
        "nxdy_excc_amt": ledger.cash_by(tomorrow),
        "prvs_rcdl_excc_amt": ledger.d2_cash,
        **money,
        **costs,
        "scts_evlu_amt": value,
        "tot_evlu_amt": total,
        "nass_amt": total,
        "pchs_amt_smtl_amt": cost,
        "evlu_amt_smtl_amt": value,
        "evlu_pfls_smtl_amt": value - cost,
        "tot_stln_slng_chgs": "0",
        "bfdy_tot_asst_evlu_amt": total,
        "asst_icdc_erng_rt": "0.00000000",
    }


# --- buying power -----------------------------------------------------------------------------


def largest_amount(free: int, rate: Decimal) -> int:
    """The largest amount that, with its commission, fits into `free` won."""
    amount = int(Decimal(free) / (1 + rate))
    while amount + 1 + int((amount + 1) * rate) <= free:
        amount += 1
    while amount > 0 and amount + int(amount * rate) > free:
        amount -= 1
    return amount


def calculation_price(truth: Truth, code: str, dvsn: str, price_text: str) -> int:
    """The price that a quantity is counted with: the limit, or what a price-less order may cost."""
    kind = TYPES.get(dvsn)
    limited = kind is None or kind.order_type is OrderType.LIMIT
    if limited and price_text.isdigit() and int(price_text) > 0:
        return int(price_text)
    return truth.floor.most(dvsn, code, truth.time) or truth.market.shown(code, truth.time).upper


# --- orders -----------------------------------------------------------------------------------


def _visible_orders(truth: Truth, ask: Ask) -> list[OrderRow]:
    ledger = truth.shown(ask.account, truth.time)
    now = truth.time
    return [o for o in ledger.orders.values() if o.hidden_until is None or o.hidden_until <= now]


def _day_of(text: str, name: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD INVALID [{name}]") from None


def _wanted(order: OrderRow, ask: Ask) -> bool:
    start = _day_of(ask.get("INQR_STRT_DT"), "INQR_STRT_DT")
    end = _day_of(ask.get("INQR_END_DT"), "INQR_END_DT")
    state = ask.get("CCLD_DVSN")
    venue = ask.get("EXCG_ID_DVSN_CD") or "KRX"
    odno = ask.get("ODNO")
    return (
        start <= order.day <= end
        and ask.get("SLL_BUY_DVSN_CD") in ("00", "", SIDE_CODES[order.side])
        and ask.get("PDNO") in ("", order.code)
        and (state != "01" or order.filled > 0)
        and (state != "02" or order.remaining > 0)
        and (not odno or odno.zfill(10) == order.odno)
        and venue in ("ALL", order.venue)
        and ask.get("ORD_GNO_BRNO") in ("", order.orgno)
    )


def _average(order: OrderRow) -> str:
    if not order.filled:
        return "0"
    average = (Decimal(order.amount) / order.filled).quantize(Decimal("0.0001"))
    return f"{average.normalize():f}"


def _order_row(truth: Truth, order: OrderRow) -> dict[str, str]:
    return fill(
        "inquire_daily_ccld",
        "output1",
        {
            "ord_dt": f"{order.day:%Y%m%d}",
            "ord_gno_brno": order.orgno,
            "odno": order.odno,
            "orgn_odno": order.orgn_odno,
            "ord_dvsn_name": TYPES[order.dvsn].name,
            "sll_buy_dvsn_cd": SIDE_CODES[order.side],
            "sll_buy_dvsn_cd_name": SIDE_NAMES[order.side] + ACTION_NAMES[order.action],
            "pdno": order.code,
            "prdt_name": truth.market.listing(order.code).name,
            "ord_qty": order.quantity,
            "ord_unpr": order.price,
            "ord_tmd": f"{order.at:%H%M%S}",
            "tot_ccld_qty": order.filled,
            "avg_prvs": _average(order),
            "cncl_yn": "Y" if order.cancelled else "N",
            "tot_ccld_amt": order.amount,
            "ord_dvsn_cd": order.dvsn,
            # the four quantities make up the ordered one, so what expired stands here too
            "cnc_cfrm_qty": order.cancelled + order.revised + order.expired,
            "rmn_qty": order.remaining,
            "ccld_cndt_name": CONDITION_NAMES[order.tif],
            "prdt_type_cd": "300",
            "excg_dvsn_cd": BEFORE_HOURS if order.dvsn == "05" else "02",
            "ord_orgno": order.orgno,
            "excg_id_dvsn_Cd": order.venue,
        },
    )


def _order_totals(orders: Sequence[OrderRow]) -> dict[str, str]:
    filled, amount = sum(o.filled for o in orders), sum(o.amount for o in orders)
    average = Decimal(amount) / filled if filled else Decimal(0)
    return fill(
        "inquire_daily_ccld",
        "output2",
        {
            "tot_ord_qty": sum(o.quantity for o in orders if o.action != "cancel"),
            "tot_ccld_qty": filled,
            "tot_ccld_amt": amount,
            "prsm_tlex_smtl": sum(o.costs for o in orders),
            "pchs_avg_pric": average.quantize(Decimal("0.0001")),
        },
    )


def _open_row(truth: Truth, order: OrderRow) -> dict[str, str]:
    return fill(
        "inquire_psbl_rvsecncl",
        "output",
        {
            "ord_gno_brno": order.orgno,
            "odno": order.odno,
            "orgn_odno": order.orgn_odno,
            "ord_dvsn_name": TYPES[order.dvsn].name,
            "pdno": order.code,
            "prdt_name": truth.market.listing(order.code).name,
            "rvse_cncl_dvsn_name": SIDE_NAMES[order.side] + "정정*" if order.orgn_odno else "",
            "ord_qty": order.quantity,
            "ord_unpr": order.price,
            "ord_tmd": f"{order.at:%H%M%S}",
            "tot_ccld_qty": order.filled,
            "tot_ccld_amt": order.amount,
            "psbl_qty": order.remaining,
            "sll_buy_dvsn_cd": SIDE_CODES[order.side],
            "ord_dvsn_cd": order.dvsn,
            "excg_dvsn_cd": BEFORE_HOURS if order.dvsn == "05" else "02",
            "excg_id_dvsn_cd": order.venue,
            "excg_id_dvsn_name": order.venue,
        },
    )


HANDLERS = {
    "inquire_psbl_rvsecncl": inquire_psbl_rvsecncl,
    "inquire_balance": inquire_balance,
    "inquire_psbl_order": inquire_psbl_order,
    "inquire_daily_ccld": inquire_daily_ccld,
}
