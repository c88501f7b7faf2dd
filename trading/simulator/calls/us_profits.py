"""What the US side made and traded, on the wire: realised profit by day, transactions by order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import groupby

from trading.domain.matching import Side
from trading.simulator.calls.accounts import SIDE_CODES, SIDE_NAMES
from trading.simulator.calls.us_accounts import (
    CURRENCIES,
    after_of,
    between,
    choice,
    us_paged,
    venues_of,
)
from trading.simulator.http import Reply
from trading.simulator.truth import Truth
from trading.simulator.us.ledger import UsTrade
from trading.simulator.us.listings import LISTINGS
from trading.simulator.us.money import decimals, dollars, share, won
from trading.simulator.wire import Ask, fill, page

__all__ = ["HANDLERS"]

PAGE = 20


def period_profit(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Sales of a span of days, a row a day and listing, in won (01) or dollars (02)."""
    in_won = choice(ask, "WCRC_FRCR_DVSN_CD", ("01", "02")) == "01"
    nation = choice(ask, "NATN_CD", ("", "000", "840", "344", "156", "392", "704"))
    currency = choice(ask, "CRCY_CD", ("", *CURRENCIES))
    first, last = between(ask, "INQR_STRT_DT", "INQR_END_DT")
    venues = venues_of(ask, mock)
    if nation not in ("", "000", "840") or currency not in ("", "USD"):
        venues = ()
    sales = sorted(
        (
            t
            for t in truth.us.shown(ask.account).trades
            if t.side is Side.SELL
            and first <= t.day <= last
            and t.exchange in venues
            and ask.get("PDNO") in ("", "%", t.code)
        ),
        key=lambda t: (t.day, t.code),
    )
    groups = [list(g) for _key, g in groupby(sales, key=lambda t: (t.day, t.code))]
    keys = [f"{g[0].day:%Y%m%d}{g[0].code}" for g in groups]
    chosen, after = page(groups, keys, after_of(ask), PAGE)
    totals = _Sums(sales, in_won)
    call = "overseas_inquire_period_profit"
    output2 = {
        "stck_sll_amt_smtl": totals.text(totals.sold, 5),
        "stck_buy_amt_smtl": totals.text(totals.basis, 5),
        "smtl_fee1": totals.text(totals.fee, 5),
        "excc_dfrm_amt": totals.text(totals.sold - totals.fee, 5),
        "ovrs_rlzt_pfls_tot_amt": totals.text(totals.made, 5),
        "tot_pftrt": share(totals.made, totals.basis, 8),
        "bass_dt": f"{truth.us.time:%Y%m%d}",
        "exrt": dollars(truth.us.rate, 4),
    }
    body = {
        "output1": [_profit_row(group, in_won) for group in chosen],
        "output2": fill(call, "output2", output2),
    }
    return us_paged(ask, mock, body, after, empty=not sales)


class _Sums:
    """Sums of sales: cents, or whole won of each sale at its own rate."""

    def __init__(self, sales: Iterable[UsTrade], in_won: bool) -> None:
        self.in_won = in_won
        self.sold = self.basis = self.fee = self.quantity = 0
        for sale in sales:
            self.quantity += sale.quantity
            self.sold += self._in(sale.amount, sale)
            self.basis += self._in(sale.basis, sale)
            self.fee += self._in(sale.fee, sale)

    def _in(self, cents: int, sale: UsTrade) -> int:
        return won(cents, sale.rate) if self.in_won else cents

    @property
    def made(self) -> int:
        return self.sold - self.fee - self.basis

    def text(self, amount: int, places: int) -> str:
        return decimals(Decimal(amount), places) if self.in_won else dollars(amount, places)

    def average(self, amount: int, places: int) -> str:
        unit = 1 if self.in_won else 100
        return decimals(Decimal(amount) / self.quantity / unit, places)


def _profit_row(sales: Sequence[UsTrade], in_won: bool) -> dict[str, str]:
    sums, one = _Sums(sales, in_won), sales[0]
    values = {
        "trad_day": f"{one.day:%Y%m%d}",
        "ovrs_pdno": one.code,
        "ovrs_item_name": LISTINGS[one.code].name,
        "slcl_qty": sums.quantity,
        "pchs_avg_pric": sums.average(sums.basis, 4),
        "frcr_pchs_amt1": sums.text(sums.basis, 5),
        "avg_sll_unpr": sums.average(sums.sold, 4),
        "frcr_sll_amt_smtl1": sums.text(sums.sold, 5),
        "stck_sll_tlex": sums.text(sums.fee, 5),
        "ovrs_rlzt_pfls_amt": sums.text(sums.made, 5),
        "pftrt": share(sums.made, sums.basis, 8),
        "exrt": dollars(one.rate, 4),
        "ovrs_excg_cd": one.exchange,
        "frst_bltn_exrt": dollars(one.rate, 4),
    }
    return fill("overseas_inquire_period_profit", "output1", values)


def period_trans(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """What was traded in a span of days, a row an order, the oldest first."""
    first, last = between(ask, "ERLM_STRT_DT", "ERLM_END_DT")
    side, venues = choice(ask, "SLL_BUY_DVSN_CD", ("", "00", "01", "02")), venues_of(ask, mock)
    trades = sorted(
        (
            t
            for t in truth.us.shown(ask.account).trades
            if first <= t.day <= last
            and side in ("", "00", SIDE_CODES[t.side])
            and t.exchange in venues
            and ask.get("PDNO") in ("", "%", t.code)
        ),
        key=lambda t: (t.day, t.odno),
    )
    groups = [list(g) for _key, g in groupby(trades, key=lambda t: (t.day, t.odno))]
    keys = [f"{g[0].day:%Y%m%d}{g[0].odno}" for g in groups]
    chosen, after = page(groups, keys, after_of(ask), PAGE)
    sums = {s: sum(t.amount for t in trades if t.side is s) for s in Side}
    call = "overseas_inquire_period_trans"
    output2 = {
        "frcr_buy_amt_smtl": dollars(sums[Side.BUY], 6),
        "frcr_sll_amt_smtl": dollars(sums[Side.SELL], 6),
        "dmst_fee_smtl": dollars(sum(t.fee for t in trades), 6),
        "ovrs_fee_smtl": "0.000000",
    }
    body = {
        "output1": [_trans_row(group) for group in chosen],
        "output2": fill(call, "output2", output2),
    }
    return us_paged(ask, mock, body, after, empty=not trades, width=100)


def _trans_row(trades: Sequence[UsTrade]) -> dict[str, str]:
    one, quantity = trades[0], sum(t.quantity for t in trades)
    amount, fee = sum(t.amount for t in trades), sum(t.fee for t in trades)
    flow, rate = abs(sum(t.flow for t in trades)), one.rate
    average = Decimal(amount) / quantity / 100
    values = {
        "trad_dt": f"{one.day:%Y%m%d}",
        "sttl_dt": f"{one.settles:%Y%m%d}",
        "sll_buy_dvsn_cd": SIDE_CODES[one.side],
        "sll_buy_dvsn_name": SIDE_NAMES[one.side],
        "pdno": one.code,
        "ovrs_item_name": LISTINGS[one.code].name,
        "ccld_qty": quantity,
        "amt_unit_ccld_qty": f"{quantity}.00000000",
        "ft_ccld_unpr2": decimals(average, 8),
        "ovrs_stck_ccld_unpr": decimals(average * rate / 100, 8),
        "tr_frcr_amt2": dollars(amount, 6),
        "tr_amt": won(amount, rate),
        "frcr_excc_amt_1": dollars(flow, 6),
        "wcrc_excc_amt": won(flow, rate),
        "dmst_frcr_fee1": dollars(fee, 5),
        "frcr_fee1": "0.000000",
        "dmst_wcrc_fee": won(fee, rate),
        "ovrs_wcrc_fee": "0",
        "crcy_cd": "USD",
        "std_pdno": LISTINGS[one.code].isin,
        "erlm_exrt": dollars(rate, 8),
        "loan_dvsn_cd": "01",
        "loan_dvsn_name": "현금",
    }
    return fill("overseas_inquire_period_trans", "output1", values)


HANDLERS = {
    "overseas_inquire_period_profit": period_profit,
    "overseas_inquire_period_trans": period_trans,
}
