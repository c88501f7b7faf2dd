"""The US side of an account on the wire: holdings, dollars, buying power, orders.

Everything here reads the shown ledger, which follows truth a few seconds behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from trading.domain.matching import Side
from trading.simulator.calls.accounts import SIDE_CODES, SIDE_NAMES
from trading.simulator.calls.us_orders import ASIA, exchange_of
from trading.simulator.http import Reply, json_reply
from trading.simulator.truth import Truth
from trading.simulator.us.ledger import UsHolding, UsLedger, UsOrder
from trading.simulator.us.listings import EXCD, EXCHANGES, LISTINGS, PRODUCT_TYPES
from trading.simulator.us.money import cents_of, decimals, dollars, largest_amount, share, won
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, fill, found, page

__all__ = [
    "HANDLERS",
    "after_of",
    "between",
    "choice",
    "day_of",
    "plain",
    "us_paged",
    "venues_of",
    "worth_in_won",
]

BALANCE_PAGE = 100
OPEN_PAGE = 40
ORDERS_PAGE = {False: 20, True: 15}
ACTION_CODES = {"new": ("00", ""), "revise": ("01", "정정"), "cancel": ("02", "취소")}
CURRENCIES = ("USD", "HKD", "CNY", "JPY", "VND")

Money = Callable[[int], int]
"""Cents to what a screen counts in: cents again, or hundredths of a whole won."""


# --- what is asked for ------------------------------------------------------------------------


def venues_of(ask: Ask, mock: bool) -> tuple[str, ...]:
    """The exchanges that a list covers: nothing or NASD names the whole US on the real host, NAS
    Nasdaq alone; on the mock host NASD is Nasdaq. Asian exchanges are known and hold nothing."""
    text = ask.get("OVRS_EXCG_CD")
    if text in ("", "%") or (text == "NASD" and not mock):
        return tuple(EXCHANGES)
    if text == "NAS" and not mock:
        return ("NASD",)
    if text in EXCHANGES:
        return (text,)
    if text in ASIA:
        return ()
    raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [OVRS_EXCG_CD]")


def day_of(ask: Ask, name: str) -> date:
    """A date of the call. Raises Refusal."""
    try:
        return datetime.strptime(ask.get(name), "%Y%m%d").date()
    except ValueError:
        raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD INVALID [{name}]") from None


def between(ask: Ask, first: str, last: str) -> tuple[date, date]:
    return day_of(ask, first), day_of(ask, last)


def choice(ask: Ask, name: str, known: Sequence[str]) -> str:
    """One of the values that a field may have. Raises Refusal."""
    value = ask.get(name)
    if value not in known:
        raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD INVALID [{name}]")
    return value


# --- paging -----------------------------------------------------------------------------------


def after_of(ask: Ask) -> str:
    """The row to continue behind; a call without `tr_cont: N` starts from the beginning."""
    return ask.get(ask.key_name("NK")) if ask.next_page else ""


def us_paged(
    ask: Ask, mock: bool, body: Mapping[str, Any], after: str, empty: bool, width: int = 200
) -> Reply:
    """One page of a list, with the keys to ask on by."""
    msg_cd, msg1 = found(mock, bool(after), ask.page_number() > 1, empty)
    # the broker joins what it asked for differently for the two widths
    between_values = "^" if width == 200 else "!^"
    query = between_values.join(
        v.strip() for k, v in ask.params.items() if not k.startswith("CTX_AREA")
    )
    keys = {
        f"ctx_area_fk{width}": query[:width].ljust(width),
        f"ctx_area_nk{width}": after.ljust(width),
    }
    text = {"rt_cd": "0", "msg_cd": msg_cd, "msg1": msg1.ljust(MSG_WIDTH)}
    cont = {"tr_id": ask.tr_id, "tr_cont": "M" if after else "D"}
    return json_reply({**keys, **body, **text}, headers=cont)


def plain(ask: Ask, mock: bool, body: Mapping[str, Any], empty: bool = False) -> Reply:
    """A reply in one page."""
    msg_cd, msg1 = found(mock, more=False, later_page=False, empty=empty)
    text = {"rt_cd": "0", "msg_cd": msg_cd, "msg1": msg1.ljust(MSG_WIDTH)}
    return json_reply({**body, **text}, headers={"tr_id": ask.tr_id, "tr_cont": "D"})


# --- holdings ---------------------------------------------------------------------------------


def balance(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Holdings in dollars, and what the day's sales made."""
    venues = venues_of(ask, mock)
    if choice(ask, "TR_CRCY_CD", ("", *CURRENCIES)) not in ("", "USD"):
        venues = ()
    ledger = truth.us.shown(ask.account)
    codes = _held(ledger, venues)
    chosen, after = page(codes, codes, after_of(ask), BALANCE_PAGE)
    rows = [_balance_row(truth, ask, ledger, code) for code in chosen]
    body = {"output1": rows, "output2": _balance_totals(truth, ledger, codes, venues)}
    return us_paged(ask, mock, body, after, empty=not codes)


def _held(ledger: UsLedger, venues: Sequence[str]) -> list[str]:
    held = ledger.holdings.items()
    return sorted(c for c, h in held if h.quantity and LISTINGS[c].exchange in venues)


def _value(truth: Truth, code: str, holding: UsHolding) -> int:
    return holding.quantity * truth.us.market.shown(code, truth.us.time).last


def _balance_row(truth: Truth, ask: Ask, ledger: UsLedger, code: str) -> dict[str, str]:
    holding, listing = ledger.holdings[code], LISTINGS[code]
    number, product = ask.account.split("-")
    value = _value(truth, code, holding)
    values = {
        "cano": number,
        "acnt_prdt_cd": product,
        "prdt_type_cd": PRODUCT_TYPES[listing.exchange],
        "ovrs_pdno": code,
        "ovrs_item_name": listing.name,
        "frcr_evlu_pfls_amt": dollars(value - holding.cost, 6),
        "evlu_pfls_rt": share(value - holding.cost, holding.cost),
        "pchs_avg_pric": _average(holding.cost, holding.quantity),
        "ovrs_cblc_qty": holding.quantity,
        "ord_psbl_qty": ledger.sellable(code),
        "frcr_pchs_amt1": dollars(holding.cost, 5),
        "ovrs_stck_evlu_amt": dollars(value, 8),
        "now_pric2": dollars(truth.us.market.shown(code, truth.us.time).last, 6),
        "tr_crcy_cd": "USD",
        "ovrs_excg_cd": listing.exchange,
        "loan_type_cd": "10",
    }
    return fill("overseas_inquire_balance", "output1", values)


def _balance_totals(
    truth: Truth, ledger: UsLedger, codes: Sequence[str], venues: Sequence[str]
) -> dict[str, str]:
    cost = sum(ledger.holdings[code].cost for code in codes)
    value = sum(_value(truth, code, ledger.holdings[code]) for code in codes)
    sales = [
        t
        for t in ledger.trades
        if t.side is Side.SELL and t.day == truth.us.day and t.exchange in venues
    ]
    made, basis = sum(t.realised for t in sales), sum(t.basis for t in sales)
    rate = truth.us.rate
    values = {
        "frcr_pchs_amt1": dollars(cost, 5),
        "ovrs_rlzt_pfls_amt": dollars(made, 5),
        "ovrs_tot_pfls": dollars(value - cost, 5),
        "rlzt_erng_rt": share(made, basis, 8),
        # the broker's example shows the value here, whatever the label says
        "tot_evlu_pfls_amt": dollars(value, 8),
        "tot_pftrt": share(value - cost, cost, 8),
        "frcr_buy_amt_smtl1": dollars(basis, 6),
        "ovrs_rlzt_pfls_amt2": decimals(Decimal(won(made, rate)), 5),
        "frcr_buy_amt_smtl2": decimals(Decimal(won(basis, rate)), 6),
    }
    return fill("overseas_inquire_balance", "output2", values)


def _average(cents: int, quantity: int, places: int = 4) -> str:
    return decimals(Decimal(cents) / quantity / 100 if quantity else Decimal(0), places)


def present_balance(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Holdings and currencies as of the last fill, in won (01) or in dollars (02)."""
    in_won = choice(ask, "WCRC_FRCR_DVSN_CD", ("01", "02")) == "01"
    nation = choice(ask, "NATN_CD", ("000", "840", "344", "156", "392", "704"))
    market = choice(ask, "TR_MKET_CD", ("00", "01", "02", "03", "04", "05"))
    choice(ask, "INQR_DVSN_CD", ("00", "01", "02"))
    markets = {"00": tuple(EXCHANGES), "01": ("NASD",), "02": ("NYSE",), "05": ("AMEX",)}
    venues = markets.get(market, ()) if nation in ("000", "840") else ()
    if ask.get("INQR_DVSN_CD") == "02":
        venues = ()
    ledger = truth.us.shown(ask.account)
    codes = _held(ledger, venues)
    money = _money(truth, in_won)
    rows = [_present_row(truth, ledger, code, in_won, money) for code in codes]
    body = {
        "output1": rows,
        "output2": [_currency_row(truth, ledger)],
        "output3": _present_totals(truth, ask, ledger, codes, money),
    }
    return plain(ask, mock, body)


def _money(truth: Truth, in_won: bool) -> Money:
    rate = truth.us.rate
    return (lambda cents: won(cents, rate) * 100) if in_won else (lambda cents: cents)


def _valued(
    truth: Truth, code: str, holding: UsHolding, in_won: bool, money: Money
) -> dict[str, object]:
    """A holding's worth in the chosen currency, as both balances of that kind show it."""
    us, listing = truth.us, LISTINGS[code]
    last = us.market.shown(code, us.time).last
    cost, value = money(holding.cost), money(_value(truth, code, holding))
    price = Decimal(last) / 100 * (Decimal(us.rate) / 100 if in_won else 1)
    return {
        "pdno": code,
        "prdt_name": listing.name,
        "cblc_qty13": f"{holding.quantity}.00000000",
        "frcr_pchs_amt": dollars(cost, 5),
        "frcr_evlu_amt2": dollars(value, 6),
        "evlu_pfls_amt2": dollars(value - cost, 5),
        "evlu_pfls_rt1": decimals(share(value - cost, cost), 8),
        "bass_exrt": dollars(us.rate, 8),
        "buy_crcy_cd": "USD",
        "ovrs_now_pric1": decimals(price, 5),
        "avg_unpr3": _average(cost, holding.quantity),
        "tr_mket_name": EXCHANGES[listing.exchange],
        "natn_kor_name": "미국",
        "std_pdno": listing.isin,
        "prdt_type_cd": PRODUCT_TYPES[listing.exchange],
        "scts_dvsn_name": "현금",
        "loan_rmnd": "0",
        "ovrs_excg_cd": listing.exchange,
    }


def _today(truth: Truth, ledger: UsLedger, side: Side, code: str = "") -> tuple[int, int]:
    """(shares, cents) of the session's fills."""
    trades = [
        t
        for t in ledger.trades
        if t.day == truth.us.day and t.side is side and code in ("", t.code)
    ]
    return sum(t.quantity for t in trades), sum(t.amount for t in trades)


def _present_row(
    truth: Truth, ledger: UsLedger, code: str, in_won: bool, money: Money
) -> dict[str, str]:
    holding = ledger.holdings[code]
    bought, sold = (_today(truth, ledger, side, code) for side in (Side.BUY, Side.SELL))
    values = _valued(truth, code, holding, in_won, money) | {
        "thdt_buy_ccld_qty1": f"{bought[0]}.00000000",
        "thdt_sll_ccld_qty1": f"{sold[0]}.00000000",
        "ccld_qty_smtl1": f"{holding.quantity}.00000000",
        "ord_psbl_qty1": f"{ledger.sellable(code)}.00000000",
        "pchs_rmnd_wcrc_amt": holding.won,
        "thdt_buy_ccld_frcr_amt": dollars(bought[1], 6),
        "thdt_sll_ccld_frcr_amt": dollars(sold[1], 6),
        "unit_amt": "1",
        "item_lnkg_excg_cd": EXCD[LISTINGS[code].exchange],
    }
    return fill("overseas_inquire_present_balance", "output1", values)


def _currency_row(truth: Truth, ledger: UsLedger) -> dict[str, str]:
    rate, leave = truth.us.rate, ledger.withdrawable()
    values = {
        "crcy_cd": "USD",
        "crcy_cd_name": "미국달러",
        "frcr_buy_amt_smtl": dollars(_today(truth, ledger, Side.BUY)[1], 6),
        "frcr_sll_amt_smtl": dollars(_today(truth, ledger, Side.SELL)[1], 6),
        "frcr_dncl_amt_2": dollars(ledger.cash, 6),
        "frst_bltn_exrt": dollars(rate, 8),
        "frcr_buy_mgn_amt": dollars(ledger.reserved(), 6),
        "frcr_etc_mgna": "0.000000",
        "frcr_drwg_psbl_amt_1": dollars(leave, 6),
        "frcr_evlu_amt2": decimals(Decimal(won(leave, rate)), 6),
        "acpl_cstd_crcy_yn": "Y",
        "nxdy_frcr_drwg_psbl_amt": dollars(max(0, ledger.available()), 6),
    }
    return fill("overseas_inquire_present_balance", "output2", values)


def worth_in_won(truth: Truth, ledger: UsLedger, codes: Iterable[str]) -> tuple[int, int]:
    """(cost, value) of holdings at today's rate, each below a won cut off."""
    rate, held = truth.us.rate, [(code, ledger.holdings[code]) for code in codes]
    cost = sum(won(holding.cost, rate) for _code, holding in held)
    return cost, sum(won(_value(truth, code, holding), rate) for code, holding in held)


def _present_totals(
    truth: Truth, ask: Ask, ledger: UsLedger, codes: Sequence[str], money: Money
) -> dict[str, str]:
    """Purchase, value and profit in the chosen currency and in won, everything else in won.

    The total is of this screen: won, dollars and the US shares asked for, without Korean shares.
    """
    rate, home = truth.us.rate, truth.shown(ask.account, truth.time)
    cost = sum(money(ledger.holdings[c].cost) for c in codes)
    value = sum(money(_value(truth, c, ledger.holdings[c])) for c in codes)
    cost_won, value_won = worth_in_won(truth, ledger, codes)
    dollars_won = won(ledger.settled_cash, rate)
    values = {
        "pchs_amt_smtl": dollars(cost, 6),
        "evlu_amt_smtl": dollars(value, 6),
        "evlu_pfls_amt_smtl": dollars(value - cost, 6),
        "dncl_amt": home.cash,
        "tot_dncl_amt": home.d2_cash,
        "cma_evlu_amt": "0",
        "etc_mgna": "0",
        "wdrw_psbl_tot_amt": home.withdrawable(truth.time.date())
        + won(ledger.withdrawable(), rate),
        "frcr_evlu_tota": dollars_won,
        "evlu_erng_rt1": decimals(share(value_won - cost_won, cost_won), 10),
        "pchs_amt_smtl_amt": cost_won,
        "evlu_amt_smtl_amt": value_won,
        "tot_evlu_pfls_amt": f"{value_won - cost_won}.00000000",
        "tot_asst_amt": value_won + home.d2_cash + dollars_won,
        "buy_mgn_amt": won(ledger.reserved(), rate),
        "mgna_tota": won(ledger.reserved(), rate),
        "frcr_use_psbl_amt": dollars(max(0, ledger.available()), 6),
        "ustl_sll_amt_smtl": won(ledger.unsettled(Side.SELL), rate),
        "ustl_buy_amt_smtl": won(ledger.unsettled(Side.BUY), rate),
        "tot_frcr_cblc_smtl": won(ledger.cash, rate),
        "tot_loan_amt": "0",
    }
    return fill("overseas_inquire_present_balance", "output3", values)


def paymt_stdr_balance(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Holdings, dollars and won of which everything up to a day has settled; not before today."""
    in_won = choice(ask, "WCRC_FRCR_DVSN_CD", ("01", "02")) == "01"
    choice(ask, "INQR_DVSN_CD", ("00", "01", "02"))
    day = day_of(ask, "BASS_DT")
    if day < truth.us.day:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [BASS_DT]")
    ledger, us = truth.us.shown(ask.account), truth.us
    held = {c: h for c, h in sorted(ledger.delivered_by(day).items()) if h.quantity}
    if ask.get("INQR_DVSN_CD") == "02":
        held = {}
    money = _money(truth, in_won)
    call = "overseas_inquire_paymt_stdr_balance"
    rows = []
    for code, holding in held.items():
        bought, sold = (_today(truth, ledger, side, code)[0] for side in (Side.BUY, Side.SELL))
        more = {
            "ord_psbl_qty1": f"{max(0, ledger.sellable(code))}.00000000",
            "oprt_dtl_dtime": f"{us.time:%Y%m%d%H%M%S}000",
            "thdt_buy_ccld_qty1": f"{bought}.00000000",
            "thdt_sll_ccld_qty1": f"{sold}.00000000",
        }
        rows.append(fill(call, "output1", _valued(truth, code, holding, in_won, money) | more))
    cash, own = ledger.cash_by(day), _money(truth, in_won=True)
    cost = sum(own(h.cost) for h in held.values()) // 100
    value = sum(own(_value(truth, c, h)) for c, h in held.items()) // 100
    home = truth.shown(ask.account, truth.time).cash_by(day)
    currency = {
        "crcy_cd": "USD",
        "crcy_cd_name": "미국달러",
        "frcr_dncl_amt_2": dollars(cash, 6),
        "frst_bltn_exrt": dollars(us.rate, 8),
        "frcr_evlu_amt2": decimals(Decimal(won(cash, us.rate)), 6),
    }
    totals = {
        "pchs_amt_smtl_amt": cost,
        "tot_evlu_pfls_amt": f"{value - cost}.00000000",
        "evlu_erng_rt1": decimals(share(value - cost, cost), 10),
        "tot_dncl_amt": home,
        "wcrc_evlu_amt_smtl": f"{value}.000000",
        "tot_asst_amt2": f"{value + home + won(cash, us.rate)}.000000",
        "frcr_cblc_wcrc_evlu_amt_smtl": f"{won(cash, us.rate)}.000000",
    }
    body = {
        "output1": rows,
        "output2": [fill(call, "output2", currency)],
        "output3": fill(call, "output3", totals),
    }
    return plain(ask, mock, body)


# --- buying power -----------------------------------------------------------------------------


def psamount(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """How much may be bought at a price: proceeds of sales count at once, working buys do not."""
    exchange, code = exchange_of(ask), ask.get("ITEM_CD")
    if code not in LISTINGS or LISTINGS[code].exchange != exchange:
        raise Refusal("APBK0656", "해당종목정보가 없습니다.")
    cents = cents_of(ask.get("OVRS_ORD_UNPR") or "0")
    if cents is None or cents < 0:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [OVRS_ORD_UNPR]")
    price = cents or truth.us.market.shown(code, truth.us.time).last
    ledger = truth.us.shown(ask.account)
    free, reused = _free(ledger)
    amount = largest_amount(free)
    values = {
        "tr_crcy_cd": "USD",
        "ord_psbl_frcr_amt": dollars(free - reused),
        "sll_ruse_psbl_amt": dollars(reused),
        "ovrs_ord_psbl_amt": dollars(amount),
        "max_ord_psbl_qty": amount // price,
        "echm_af_ord_psbl_amt": "0.00",
        "echm_af_ord_psbl_qty": "0",
        "ord_psbl_qty": amount // price,
        "exrt": dollars(truth.us.rate, 10),
        "frcr_ord_psbl_amt1": dollars(amount),
        "ovrs_max_ord_psbl_qty": amount // price,
    }
    return plain(ask, mock, {"output": fill("overseas_inquire_psamount", "output", values)})


def _free(ledger: UsLedger) -> tuple[int, int]:
    """(cents that a new buy may use, how many of them are proceeds not settled yet)."""
    free = max(0, ledger.available())
    return free, min(free, ledger.unsettled(Side.SELL))


def foreign_margin(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Dollars as margin: one row, the US."""
    ledger = truth.us.shown(ask.account)
    amount = largest_amount(_free(ledger)[0])
    values = {
        "natn_name": "미국",
        "crcy_cd": "USD",
        "frcr_dncl_amt1": dollars(ledger.cash, 6),
        "ustl_buy_amt": dollars(ledger.unsettled(Side.BUY)),
        "ustl_sll_amt": dollars(ledger.unsettled(Side.SELL)),
        "frcr_rcvb_amt": "0.00",
        "frcr_mgn_amt": dollars(ledger.reserved(), 6),
        "frcr_gnrl_ord_psbl_amt": dollars(amount),
        "frcr_ord_psbl_amt1": dollars(amount, 6),
        "itgr_ord_psbl_amt": dollars(amount),
        "bass_exrt": dollars(truth.us.rate, 8),
    }
    return plain(ask, mock, {"output": [fill("overseas_foreign_margin", "output", values)]})


# --- orders -----------------------------------------------------------------------------------


def nccs(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The session's orders that still work."""
    venues = venues_of(ask, mock)
    ledger = truth.us.shown(ask.account)
    orders = [o for o in ledger.working.values() if o.remaining > 0 and o.exchange in venues]
    return _orders(ask, mock, orders, OPEN_PAGE, _open_row)


def ccnl(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Orders and fills of a span of New York days."""
    if mock:
        _mock_asks_for_all(ask)
    first, last = between(ask, "ORD_STRT_DT", "ORD_END_DT")
    side = choice(ask, "SLL_BUY_DVSN", ("", "00", "01", "02"))
    state = choice(ask, "CCLD_NCCS_DVSN", ("", "00", "01", "02"))
    venues, odno = venues_of(ask, mock), ask.get("ODNO")
    orders = [
        o
        for o in truth.us.shown(ask.account).orders.values()
        if first <= o.day <= last
        and ask.get("PDNO") in ("", "%", o.code)
        and side in ("", "00", SIDE_CODES[o.side])
        and (state != "01" or o.filled)
        and (state != "02" or o.remaining)
        and o.exchange in venues
        and (not odno or odno.zfill(10) == o.odno)
        and ask.get("ORD_GNO_BRNO") in ("", o.orgno)
    ]
    return _orders(ask, mock, orders, ORDERS_PAGE[mock], _order_row)


def _mock_asks_for_all(ask: Ask) -> None:
    for name, known in (
        ("PDNO", ("", "%")),
        ("SLL_BUY_DVSN", ("00",)),
        ("CCLD_NCCS_DVSN", ("00",)),
        ("OVRS_EXCG_CD", ("", "%")),
        ("SORT_SQN", ("", "DS", "AS")),
    ):
        choice(ask, name, known)


def _orders(
    ask: Ask,
    mock: bool,
    orders: list[UsOrder],
    size: int,
    row: Callable[[UsOrder], dict[str, str]],
) -> Reply:
    orders.sort(key=lambda o: o.key, reverse=ask.get("SORT_SQN") != "DS")
    keys = [f"{o.day:%Y%m%d}{o.odno}" for o in orders]
    chosen, after = page(orders, keys, after_of(ask), size)
    return us_paged(ask, mock, {"output": [row(o) for o in chosen]}, after, empty=not orders)


def _common(order: UsOrder) -> dict[str, object]:
    return {
        "ord_dt": f"{order.day:%Y%m%d}",
        "ord_gno_brno": order.orgno,
        "odno": order.odno,
        "orgn_odno": order.orgn_odno,
        "pdno": order.code,
        "prdt_name": LISTINGS[order.code].name,
        "sll_buy_dvsn_cd": SIDE_CODES[order.side],
        "sll_buy_dvsn_cd_name": SIDE_NAMES[order.side],
        "ord_tmd": f"{order.at:%H%M%S}",
        "tr_mket_name": EXCHANGES[order.exchange],
        "tr_crcy_cd": "USD",
        "ft_ord_qty": order.quantity,
        "ft_ccld_qty": order.filled,
        "nccs_qty": order.remaining,
        "ft_ord_unpr3": dollars(order.price, 8),
        "ft_ccld_unpr3": _average(order.amount, order.filled, 8),
        "ft_ccld_amt3": dollars(order.amount, 5),
        "ovrs_excg_cd": order.exchange,
        "loan_type_cd": "10",
        "usa_amk_exts_rqst_yn": "N",
    }


def _open_row(order: UsOrder) -> dict[str, str]:
    code, name = ACTION_CODES[order.action]
    values = _common(order) | {
        "rvse_cncl_dvsn_cd": code,
        "rvse_cncl_dvsn_cd_name": name,
        "natn_cd": "840",
        "natn_kor_name": "미국",
    }
    return fill("overseas_inquire_nccs", "output", values)


def _order_row(order: UsOrder) -> dict[str, str]:
    code, name = ACTION_CODES[order.action]
    values = _common(order) | {
        "rvse_cncl_dvsn": code,
        "rvse_cncl_dvsn_name": name,
        "prcs_stat_name": "접수" if order.remaining else "완료",
        "tr_natn": "840",
        "tr_natn_name": "미국",
        "dmst_ord_dt": f"{order.at:%Y%m%d}",
        "thco_ord_tmd": f"{order.at:%H%M%S}",
        "mdia_dvsn_name": "OpenAPI",
    }
    return fill("overseas_inquire_ccnl", "output", values)


HANDLERS = {
    "overseas_inquire_balance": balance,
    "overseas_inquire_present_balance": present_balance,
    "overseas_inquire_psamount": psamount,
    "overseas_inquire_nccs": nccs,
    "overseas_inquire_ccnl": ccnl,
    "overseas_inquire_paymt_stdr_balance": paymt_stdr_balance,
    "overseas_foreign_margin": foreign_margin,
}
