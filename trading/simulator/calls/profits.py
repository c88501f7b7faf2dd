"""What may be sold and what was made: sellable shares, realised profit by trade, day and account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from trading.domain.matching import Side
from trading.simulator.calls.accounts import (
    after_of,
    cash_values,
    holding_values,
    paged,
    share_of,
    still_listed,
)
from trading.simulator.calls.us_accounts import worth_in_won
from trading.simulator.http import Reply, json_reply
from trading.simulator.ledger import AccountLedger, DayTrade
from trading.simulator.truth import Truth
from trading.simulator.us.money import dollars, won
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, fill, found, page

__all__ = [
    "HANDLERS",
    "inquire_account_balance",
    "inquire_balance_rlz_pl",
    "inquire_period_profit",
    "inquire_period_trade_profit",
    "inquire_psbl_sell",
]

PAGE = 50
STOCKS, OVERSEAS, FOREIGN, DEPOSIT, TOTAL = 1, 9, 17, 18, 20
"""Places in the asset table; the others are kinds of assets nobody here holds."""
EIGHT = "0.00000001"


def inquire_psbl_sell(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """How many shares of one instrument may be sold."""
    ledger, code = truth.shown(ask.account, truth.time), ask.get("PDNO")
    if code not in truth.market:
        raise Refusal("APBK0656", "해당종목정보가 없습니다.")
    if code not in ledger.holdings:
        return _single(ask, mock, "inquire_psbl_sell", {"pdno": code}, empty=True)
    held = holding_values(truth, ledger, code)
    sold = sum(t.quantity for t in ledger.trades if t.code == code and t.side is Side.SELL)
    values = {
        "pdno": code,
        "prdt_name": held["prdt_name"],
        "buy_qty": ledger.held(code) + sold,
        "sll_qty": sold,
        "cblc_qty": held["hldg_qty"],
        "ord_psbl_qty": held["ord_psbl_qty"],
        "pchs_avg_pric": held["pchs_avg_pric"],
        "pchs_amt": held["pchs_amt"],
        "now_pric": held["prpr"],
        "evlu_amt": held["evlu_amt"],
        "evlu_pfls_amt": held["evlu_pfls_amt"],
        "evlu_pfls_rt": held["evlu_pfls_rt"],
    }
    return _single(ask, mock, "inquire_psbl_sell", values, empty=False)


def inquire_balance_rlz_pl(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The balance, and what today's sales made."""
    ledger = truth.shown(ask.account, truth.time)
    codes = sorted(c for c in ledger.holdings if still_listed(truth, ledger, c))
    chosen, after = page(codes, codes, after_of(ask), PAGE)
    today = truth.market.session_of(truth.time)
    sales = _sales(ledger, today, today)
    made, basis = sum(t.realised for t in sales), sum(t.basis for t in sales)
    values = cash_values(truth, ledger)
    valued = int(str(values["evlu_pfls_smtl_amt"]))
    cost = int(str(values["pchs_amt_smtl_amt"]))
    values |= {
        "rlzt_pfls": made,
        "rlzt_erng_rt": share_of(made, basis, EIGHT),
        "real_evlu_pfls": valued + made,
        "real_evlu_pfls_erng_rt": share_of(valued + made, cost + basis, EIGHT),
    }
    call = "inquire_balance_rlz_pl"
    rows = [fill(call, "output1", holding_values(truth, ledger, code)) for code in chosen]
    body = {"output1": rows, "output2": [fill(call, "output2", values)]}
    return paged(ask, mock, body, after, empty=not rows)


@dataclass(frozen=True, slots=True)
class _Sum:
    """Shares and won of some trades, by side."""

    bought: int
    paid: int
    buy_fee: int
    sold: int
    got: int
    sell_fee: int
    tax: int
    made: int
    basis: int

    @property
    def rate(self) -> Decimal:
        return share_of(self.made, self.basis, EIGHT)


def _sum(trades: Iterable[DayTrade]) -> _Sum:
    trades = list(trades)
    buys = [t for t in trades if t.side is Side.BUY]
    sells = [t for t in trades if t.side is Side.SELL]
    return _Sum(
        bought=sum(t.quantity for t in buys),
        paid=sum(t.amount for t in buys),
        buy_fee=sum(t.fee for t in buys),
        sold=sum(t.quantity for t in sells),
        got=sum(t.amount for t in sells),
        sell_fee=sum(t.fee for t in sells),
        tax=sum(t.tax for t in sells),
        made=sum(t.realised for t in sells),
        basis=sum(t.basis for t in sells),
    )


def inquire_period_trade_profit(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Each instrument of each day between two dates, the newest day first."""
    ledger, trades = _between(truth, ask)
    places = sorted({(t.day, t.code) for t in trades}, key=lambda p: (-p[0].toordinal(), p[1]))
    keys = [f"{day:%Y%m%d}{code}" for day, code in places]
    chosen, after = page(places, keys, after_of(ask), PAGE)
    call = "inquire_period_trade_profit"
    rows = [fill(call, "output1", _trade_row(truth, ledger, trades, *place)) for place in chosen]
    total = _sum(trades)
    totals = _totals(total, "buyqty_smtl") | {"tot_pftrt": total.rate}
    body = {"output1": rows, "output2": fill(call, "output2", totals)}
    return paged(ask, mock, body, after, empty=not rows)


def inquire_period_profit(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Each day between two dates, the newest first."""
    _ledger, trades = _between(truth, ask)
    days = sorted({t.day for t in trades}, reverse=ask.get("SORT_DVSN") != "01")
    chosen, after = page(days, [f"{day:%Y%m%d}" for day in days], after_of(ask), PAGE)
    call = "inquire_period_profit"
    rows = []
    for day in chosen:
        one = _sum(t for t in trades if t.day == day)
        rows.append(
            fill(
                call,
                "output1",
                {
                    "trad_dt": f"{day:%Y%m%d}",
                    "buy_amt": one.paid,
                    "sll_amt": one.got,
                    "rlzt_pfls": one.made,
                    "fee": one.buy_fee + one.sell_fee,
                    "loan_int": "0",
                    "tl_tax": one.tax,
                    "pfls_rt": one.rate,
                    "sll_qty1": one.sold,
                    "buy_qty1": one.bought,
                },
            )
        )
    totals = fill(call, "output2", _totals(_sum(trades), "buy_qty_smtl"))
    return paged(ask, mock, {"output1": rows, "output2": totals}, after, empty=not rows)


def _trade_row(
    truth: Truth, ledger: AccountLedger, trades: Sequence[DayTrade], day: date, code: str
) -> dict[str, object]:
    one = _sum(t for t in trades if (t.day, t.code) == (day, code))
    later = [t for t in ledger.trades if t.code == code and t.day > day]
    held = ledger.held(code) - sum(t.quantity if t.side is Side.BUY else -t.quantity for t in later)
    unit = one.basis // one.sold if one.sold else one.paid // max(1, one.bought)
    return {
        "trad_dt": f"{day:%Y%m%d}",
        "pdno": code,
        "prdt_name": truth.market.listing(code).name,
        "trad_dvsn_name": "현금",
        "hldg_qty": held,
        "pchs_unpr": unit,
        "buy_qty": one.bought,
        "buy_amt": one.paid,
        "sll_pric": one.got // one.sold if one.sold else 0,
        "sll_qty": one.sold,
        "sll_amt": one.got,
        "rlzt_pfls": one.made,
        "pfls_rt": one.rate,
        "fee": one.buy_fee + one.sell_fee,
        "tl_tax": one.tax,
        "loan_int": "0",
    }


def _totals(total: _Sum, bought: str) -> dict[str, object]:
    """The sums under a list; the two calls spell the bought quantity in two ways."""
    received = total.got - total.sell_fee - total.tax
    spent = total.paid + total.buy_fee
    return {
        "sll_qty_smtl": total.sold,
        "sll_tr_amt_smtl": total.got,
        "sll_fee_smtl": total.sell_fee,
        "sll_tltx_smtl": total.tax,
        "sll_excc_amt_smtl": received,
        bought: total.bought,
        "buy_tr_amt_smtl": total.paid,
        "buy_fee_smtl": total.buy_fee,
        "buy_tax_smtl": 0,
        "buy_excc_amt_smtl": spent,
        "tot_qty": total.bought + total.sold,
        "tot_tr_amt": total.paid + total.got,
        "tot_fee": total.buy_fee + total.sell_fee,
        "tot_tltx": total.tax,
        "tot_excc_amt": received + spent,
        "tot_rlzt_pfls": total.made,
        "loan_int": "0",
    }


@dataclass(frozen=True, slots=True)
class _Asset:
    """What one kind of asset cost and is worth, in won; money costs nothing."""

    cost: int = 0
    value: int = 0
    profit: int = 0

    @classmethod
    def shares(cls, cost: int, value: int) -> _Asset:
        return cls(cost, value, value - cost)

    def __add__(self, other: _Asset) -> _Asset:
        return _Asset(self.cost + other.cost, self.value + other.value, self.profit + other.profit)

    def row(self, whole: int) -> dict[str, str]:
        weight = self.value * 10_000 // whole if whole else 0  # cut off, as in the broker's example
        values = {
            "pchs_amt": self.cost,
            "evlu_amt": self.value,
            "evlu_pfls_amt": self.profit,
            "real_nass_amt": self.value,
            "whol_weit_rt": dollars(weight, 8),
        }
        return fill("inquire_account_balance", "output1", values)


def inquire_account_balance(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """What the account is worth by kind of asset; kinds that nobody here holds are nothing."""
    ledger = truth.shown(ask.account, truth.time)
    home = cash_values(truth, ledger)
    stocks = _Asset.shares(int(str(home["pchs_amt_smtl_amt"])), int(str(home["evlu_amt_smtl_amt"])))
    overseas, foreign = _abroad(truth, ask.account)
    securities, deposit = stocks + overseas, _Asset(value=ledger.d2_cash)
    total = securities + foreign + deposit
    kinds = {STOCKS: stocks, OVERSEAS: overseas, FOREIGN: foreign, DEPOSIT: deposit, TOTAL: total}
    rows = [kinds.get(place, _Asset()).row(total.value) for place in range(1, TOTAL + 1)]
    totals = {
        "pchs_amt_smtl": total.cost,
        "nass_tot_amt": securities.value,
        "evlu_pfls_amt_smtl": total.profit,
        "evlu_amt_smtl": securities.value,
        "tot_asst_amt": total.value,
        "tot_lnda_tot_ulst_lnda": "0",
        "frcr_evlu_tota": foreign.value,
        "tot_dncl_amt": ledger.d2_cash,
        "dncl_amt": ledger.cash,
        "ovrs_stck_evlu_amt1": f"{overseas.value}.000000",
        "ovrs_bond_evlu_amt": "0.000000",
    }
    body = {"output1": rows, "output2": fill("inquire_account_balance", "output2", totals)}
    msg_cd, msg1 = found(mock, more=False, later_page=False, empty=False)
    text = {"rt_cd": "0", "msg_cd": msg_cd, "msg1": msg1.ljust(MSG_WIDTH)}
    return json_reply({**body, **text}, headers={"tr_id": ask.tr_id, "tr_cont": "D"})


def _abroad(truth: Truth, number: str) -> tuple[_Asset, _Asset]:
    """(US shares, dollars once everything has settled) at today's rate; a look opens no US side."""
    account = truth.us.accounts.get(number)
    if account is None:
        return _Asset(), _Asset()
    ledger = account.shown_at(truth.us.time)
    codes = [code for code, holding in ledger.holdings.items() if holding.quantity]
    shares = _Asset.shares(*worth_in_won(truth, ledger, codes))
    return shares, _Asset(value=won(ledger.settled_cash, truth.us.rate))


def _between(truth: Truth, ask: Ask) -> tuple[AccountLedger, list[DayTrade]]:
    ledger = truth.shown(ask.account, truth.time)
    first, last = _day(ask, "INQR_STRT_DT"), _day(ask, "INQR_END_DT")
    code = ask.get("PDNO")
    trades = [t for t in ledger.trades if first <= t.day <= last and code in ("", t.code)]
    return ledger, trades


def _sales(ledger: AccountLedger, first: date, last: date) -> list[DayTrade]:
    return [t for t in ledger.trades if t.side is Side.SELL and first <= t.day <= last]


def _day(ask: Ask, name: str) -> date:
    try:
        return datetime.strptime(ask.get(name), "%Y%m%d").date()
    except ValueError:
        raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD INVALID [{name}]") from None


def _single(ask: Ask, mock: bool, call: str, values: dict[str, object], empty: bool) -> Reply:
    msg_cd, msg1 = found(mock, more=False, later_page=False, empty=empty)
    return json_reply(
        {
            "output": fill(call, "output", values),
            "rt_cd": "0",
            "msg_cd": msg_cd,
            "msg1": msg1.ljust(MSG_WIDTH),
        },
        headers={"tr_id": ask.tr_id, "tr_cont": "D"},
    )


HANDLERS = {
    "inquire_psbl_sell": inquire_psbl_sell,
    "inquire_balance_rlz_pl": inquire_balance_rlz_pl,
    "inquire_period_trade_profit": inquire_period_trade_profit,
    "inquire_period_profit": inquire_period_profit,
    "inquire_account_balance": inquire_account_balance,
}
