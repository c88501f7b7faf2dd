"""What companies report and what others say of them, on the wire; amounts in hundred million won.

Ratios follow from the reports by their definition; interim ones are those of the months reported, not
of a whole year.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice

from trading.simulator.calls.asked import chosen, day_of, instrument
from trading.simulator.calls.quotes import done, look
from trading.simulator.calls.worths import enterprise, times
from trading.simulator.company import company_of
from trading.simulator.dividends import Dividend, dividends, paid_for
from trading.simulator.history import OLDEST
from trading.simulator.http import Reply
from trading.simulator.market import Shown, percent
from trading.simulator.opinions import Opinion, estimated, opinions, standing
from trading.simulator.statements import (
    HUNDRED_MILLION,
    Statement,
    anchor_year,
    growth,
    statement,
    statements,
)
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask, Refusal, fill

__all__ = ["HANDLERS"]

REPORTS = {"0": 10, "1": 30}
"""Years and quarters told at most, by FID_DIV_CLS_CODE."""
OPINIONS, DIVIDENDS = 100, 100
Row = Callable[[Truth, Statement, Statement], dict[str, object]]
"""What a screen says of a report and the one a year before."""


def _before(truth: Truth, shown: Shown, report: Statement) -> Statement:
    anchor = anchor_year(truth.market.first_day)
    return statement(truth.seed, shown.listing, anchor, report.year - 1, report.quarter)


def _screen(call: str, row: Row) -> Callable[[Truth, Ask, bool], Reply]:
    """A screen of reports, the newest first; empty for a fund."""

    def answer(truth: Truth, ask: Ask, mock: bool) -> Reply:
        shown = look(truth, ask)
        by = chosen(ask, "FID_DIV_CLS_CODE", "0", REPORTS)
        anchor = anchor_year(truth.market.first_day)
        today = truth.time.date()
        found = statements(truth.seed, shown.listing, anchor, today, by == "1", REPORTS[by])
        rows = [
            {"stac_yymm": one.yymm} | row(truth, one, _before(truth, shown, one)) for one in found
        ]
        return done(ask, {"output": [fill(call, "output", one) for one in rows]})

    return answer


# --- reports ----------------------------------------------------------------------------------
def _income(truth: Truth, now: Statement, before: Statement) -> dict[str, object]:
    amounts = {
        "sale_account": now.sales,
        "sale_cost": now.cost,
        "depr_cost": now.depreciation,
        "sell_mang": now.selling,
        "bsop_prti": now.operating,
        "bsop_non_ernn": now.other_income,
        "bsop_non_expn": now.other_expense,
        "op_prfi": now.ordinary,
        "spec_prfi": now.special_gain,
        "spec_loss": now.special_loss,
        "thtr_ntin": now.net,
    }
    return _told(amounts) | {"sale_totl_prfi": now.gross}


def _told(amounts: dict[str, int]) -> dict[str, object]:
    """Amounts as the broker writes them."""
    return {name: f"{amount}.00" for name, amount in amounts.items()}


def _sheet(truth: Truth, now: Statement, before: Statement) -> dict[str, object]:
    amounts = {
        "cras": now.current_assets,
        "fxas": now.fixed_assets,
        "total_aset": now.assets,
        "flow_lblt": now.current_debt,
        "fix_lblt": now.fixed_debt,
        "total_lblt": now.debt,
        "cfp_surp": now.capital_surplus,
        "prfi_surp": now.retained,
        "total_cptl": now.equity,
    }
    return _told(amounts) | {"cpfn": now.capital}


def _ratios(truth: Truth, now: Statement, before: Statement) -> dict[str, object]:
    return {
        "grs": growth(now.sales, before.sales),
        "bsop_prfi_inrt": growth(now.operating, before.operating),
        "ntin_inrt": growth(now.net, before.net),
        "roe_val": percent(now.net, now.equity),
        "eps": f"{now.eps}.00",
        "sps": now.sps,
        "bps": f"{now.bps}.00",
        "rsrv_rate": percent(now.capital_surplus + now.retained, now.capital),
        "lblt_rate": percent(now.debt, now.equity),
    }


def _profit(truth: Truth, now: Statement, before: Statement) -> dict[str, object]:
    return {
        "cptl_ntin_rate": percent(now.net, now.assets),
        "self_cptl_ntin_inrt": percent(now.net, now.equity),
        "sale_ntin_rate": percent(now.net, now.sales),
        "sale_totl_rate": percent(now.gross, now.sales),
    }


def _stability(truth: Truth, now: Statement, before: Statement) -> dict[str, object]:
    return {
        "lblt_rate": percent(now.debt, now.equity),
        "bram_depn": percent(now.borrowings, now.assets),
        "crnt_rate": percent(now.current_assets, now.current_debt),
        "quck_rate": percent(now.current_assets - now.inventories, now.current_debt),
    }


def _growth(truth: Truth, now: Statement, before: Statement) -> dict[str, object]:
    return {
        "grs": growth(now.sales, before.sales),
        "bsop_prfi_inrt": growth(now.operating, before.operating),
        "equt_inrt": growth(now.equity, before.equity),
        "totl_aset_inrt": growth(now.assets, before.assets),
    }


def _others(truth: Truth, now: Statement, before: Statement) -> dict[str, object]:
    """Payout, EVA and EV/EBITDA are those of whole years; interim ones are told as zero."""
    whole = now.quarter == 4
    price = _year_end(truth, now.code, now.year) if whole else 0
    paid = paid_for(truth.market, now.code, now.year) if whole else 0
    return {
        "payout_rate": percent(paid, now.net) if now.net > 0 else percent(0, 1),
        "eva": f"{now.eva if whole else 0}.00",
        "ebitda": f"{now.ebitda}.00",
        "ev_ebitda": times(enterprise(now, price), now.ebitda) if price else percent(0, 1),
    }


def _year_end(truth: Truth, code: str, year: int) -> int:
    """The close of a year's last session, 0 of a year that nobody remembers."""
    day = truth.calendar.previous_session(date(year + 1, 1, 1))
    if day < truth.market.first_day - OLDEST + timedelta(days=7):
        return 0
    return truth.market.settled(code, day)


# --- estimates and opinions -------------------------------------------------------------------
def estimate_perform(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Two reported years and three estimated ones, oldest first; nothing of a fund.

    output2: sales, operating and net profit, each with its growth; output3: EBITDA, EPS and its growth,
    PER, EV/EBITDA, ROE, debt and interest cover. Growth, EPS and ratios are in tenths.
    """
    shown = instrument(truth, ask.get("SHT_CD").removeprefix("A"))
    code, company = shown.listing.code, company_of(truth.seed, shown.listing)
    call, fund = "estimate_perform", shown.listing.kind.is_fund
    day = truth.market.session_of(truth.time)
    stance = standing(truth.market, code, day)
    head = {
        "sht_cd": f"A{code}",
        "item_kor_nm": shown.listing.name,
        "name1": "" if fund else stance.analyst,
        "estdate": f"{day:%Y%m%d}",
        "rcmd_name": "" if fund else stance.name,
        "capital": f"{company.capital / HUNDRED_MILLION:.1f}",
        "forn_item_lmtrt": "0.00",
    }
    years = [] if fund else estimated(truth.market, code, truth.time.date())
    earlier = [one for one, _guess in years]
    columns = [
        _estimate(truth, shown, one, before, guess)
        for (one, guess), before in zip(years[1:], earlier, strict=False)
    ]
    return done(
        ask,
        {
            "output1": fill(call, "output1", head),
            "output2": _turned(call, "output2", [column[0] for column in columns]),
            "output3": _turned(call, "output3", [column[1] for column in columns]),
            "output4": [
                fill(call, "output4", {"dt": f"{one.year}.12{'E' if guess else ''}"})
                for one, guess in years[1:]
            ],
        },
    )


def _estimate(
    truth: Truth, shown: Shown, now: Statement, before: Statement, guess: bool
) -> tuple[list[float], list[float]]:
    price = shown.last if guess else _year_end(truth, now.code, now.year) or shown.last
    first = [
        now.sales, _tenths(growth(now.sales, before.sales)),
        now.operating, _tenths(growth(now.operating, before.operating)),
        now.net, _tenths(growth(now.net, before.net)),
    ]  # fmt: skip
    second = [
        now.ebitda, now.eps * 10, _tenths(growth(now.eps, before.eps)),
        _tenths(times(price, now.eps)), _tenths(times(enterprise(now, price), now.ebitda)),
        _tenths(percent(now.net, now.equity)), _tenths(percent(now.debt, now.equity)),
        _tenths(times(now.operating, now.interest)),
    ]  # fmt: skip
    return first, second


def _tenths(value: Decimal) -> float:
    return float(round(value * 10))


def _turned(call: str, key: str, columns: list[list[float]]) -> list[dict[str, str]]:
    """Columns of years as rows of items."""
    return [
        fill(call, key, {f"data{n}": f"{float(v):.1f}" for n, v in enumerate(row, start=1)})
        for row in zip(*columns, strict=True)
    ]


def invest_opinion(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """What firms thought of a company between two days, the newest hundred first."""
    shown = look(truth, ask)
    chosen(ask, "FID_COND_SCR_DIV_CODE", "16633", ("16633",))
    first, last = day_of(ask, "FID_INPUT_DATE_1"), day_of(ask, "FID_INPUT_DATE_2")
    last = min(last, truth.time.date())
    found = islice(opinions(truth.market, shown.listing.code, first, last), OPINIONS)
    rows = [fill("invest_opinion", "output", _opinion_row(shown, one)) for one in found]
    return done(ask, {"output": rows})


def _opinion_row(shown: Shown, one: Opinion) -> dict[str, object]:
    return {
        "stck_bsop_date": f"{one.day:%Y%m%d}",
        "invt_opnn": one.name,
        "invt_opnn_cls_code": one.code,
        "rgbf_invt_opnn": one.before_name,
        "rgbf_invt_opnn_cls_code": one.before_code,
        "mbcr_name": one.firm,
        "hts_goal_prc": one.goal,
        "stck_prdy_clpr": one.close_before,
        "stck_nday_esdg": one.close_before - one.goal,
        "nday_dprt": percent(one.close_before - one.goal, one.goal),
        "stft_esdg": shown.last - one.goal,
        "dprt": percent(shown.last - one.goal, one.goal),
    }


# --- dividends --------------------------------------------------------------------------------
def ksdinfo_dividend(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Dividends recorded between two days, the latest hundred first, in the register's fixed widths.

    GB1 chooses all (0), final (1) or interim (2) ones; an empty SHT_CD means everybody's.
    """
    first, last = day_of(ask, "F_DT"), day_of(ask, "T_DT")
    interim = {"0": None, "1": False, "2": True}[chosen(ask, "GB1", "0", ("0", "1", "2"))]
    code = ask.get("SHT_CD").removeprefix("A")
    if code and code not in truth.market:
        raise Refusal("MCA05918", "종목코드 오류입니다.")
    found = [
        one
        for listed in ([code] if code else truth.market.source.listings)
        for one in dividends(truth.market, listed)
        if first <= one.record_day <= last and interim in (None, one.interim)
    ]
    found.sort(key=lambda one: (-one.record_day.toordinal(), one.listing.code))
    rows = [fill("ksdinfo_dividend", "output1", _dividend(truth, one)) for one in found[:DIVIDENDS]]
    return done(ask, {"output1": rows})


def _dividend(truth: Truth, one: Dividend) -> dict[str, object]:
    par = company_of(truth.seed, one.listing).par
    return {
        "record_date": f"{one.record_day:%Y%m%d}",
        "sht_cd": one.listing.code,
        "isin_name": one.listing.name,
        "divi_kind": "중간" if one.interim else "결산",
        "face_val": f"{par:09d}",
        "per_sto_divi_amt": f"{one.amount:012d}",
        "divi_rate": f"{percent(one.amount, par):>6}",
        "stk_divi_rate": f"{Decimal('0.00'):>6}",
        "divi_pay_dt": f"{one.pay_day:%Y/%m/%d}",
        "stk_kind": "보통",
        "high_divi_gb": "N",
    }


HANDLERS = {
    "finance_financial_ratio": _screen("finance_financial_ratio", _ratios),
    "finance_income_statement": _screen("finance_income_statement", _income),
    "finance_balance_sheet": _screen("finance_balance_sheet", _sheet),
    "finance_profit_ratio": _screen("finance_profit_ratio", _profit),
    "finance_stability_ratio": _screen("finance_stability_ratio", _stability),
    "finance_growth_ratio": _screen("finance_growth_ratio", _growth),
    "finance_other_major_ratios": _screen("finance_other_major_ratios", _others),
    "estimate_perform": estimate_perform,
    "invest_opinion": invest_opinion,
    "ksdinfo_dividend": ksdinfo_dividend,
}
