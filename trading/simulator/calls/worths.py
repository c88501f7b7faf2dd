"""Rankings by what companies reported and paid, on the wire; amounts in hundred million won."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from trading.simulator.calls.asked import chosen, day_of, number_of
from trading.simulator.calls.filters import asked_codes, asked_of, is_common, is_preferred
from trading.simulator.calls.leaders import ROWS, universe
from trading.simulator.calls.quotes import done
from trading.simulator.calls.rankings import head, ranked, span
from trading.simulator.company import company_of
from trading.simulator.dividends import Dividend, dividends
from trading.simulator.http import Reply
from trading.simulator.market import Shown, percent
from trading.simulator.statements import (
    HUNDRED_MILLION,
    Statement,
    anchor_year,
    growth,
    is_reported,
    statement,
)
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask, fill

__all__ = ["HANDLERS", "enterprise", "times"]


def times(part: float, whole: float) -> Decimal:
    """How many times a whole something is, two places; 0.00 of nothing."""
    return percent(part, whole * 100)


def _report(truth: Truth, code: str, year: int, quarter: int) -> Statement:
    anchor = anchor_year(truth.market.first_day)
    return statement(truth.seed, truth.market.listing(code), anchor, year, quarter)


def _period(truth: Truth, ask: Ask) -> tuple[int, int]:
    """The (year, quarter) that is asked for."""
    quarter = int(chosen(ask, "FID_INPUT_OPTION_2", "3", ("0", "1", "2", "3"))) + 1
    return int(number_of(ask, "FID_INPUT_OPTION_1") or truth.time.year - 1), quarter


def _companies(truth: Truth, ask: Ask, screen: str, period: tuple[int, int]) -> list[str]:
    """Those that had reported the period; nobody has before it is due, nor funds ever."""
    codes = asked_codes(truth, ask, screen)
    oldest = anchor_year(truth.market.first_day) - 10
    if period[0] < oldest or not is_reported(*period, truth.time.date()):
        return []
    return [code for code in codes if not truth.market.listing(code).kind.is_fund]


def _told(shown: Shown, truth: Truth, report: Statement, count: int) -> dict[str, object]:
    """What all three say: the price, the fiscal month, the quarter's code and how many there are."""
    return head(shown) | {
        "mksc_shrn_iscd": shown.listing.code,
        "stac_month": company_of(truth.seed, shown.listing).fiscal_month,
        "stac_month_cls_code": report.quarter - 1,
        "iqry_csnu": count,
    }


def _rows(
    truth: Truth,
    ask: Ask,
    screen: str,
    call: str,
    value: Callable[[Statement, int], float],
    row: Callable[[Truth, Statement, Shown], dict[str, object]],
) -> Reply:
    """The thirty companies of the greatest value of (report, price)."""
    period, fits = _period(truth, ask), asked_of(ask)
    codes = _companies(truth, ask, screen, period)

    def bound(code: str) -> float:
        report = _report(truth, code, *period)
        return max(value(report, price) for price in span(truth, code))

    def shown_value(one: Shown) -> float:
        return value(_report(truth, one.listing.code, *period), one.last)

    output = []
    for place, one in enumerate(ranked(truth, codes, fits, bound, shown_value), start=1):
        report = _report(truth, one.listing.code, *period)
        values = _told(one, truth, report, len(codes)) | row(truth, report, one)
        output.append(fill(call, "output", values | {"data_rank": place}))
    return done(ask, {"output": output})


# --- worth ------------------------------------------------------------------------------------
def enterprise(report: Statement, price: int) -> float:
    """100 million won that a company and what it borrowed are worth at a price."""
    return report.shares * price / HUNDRED_MILLION + report.borrowings


def _cash_earned(report: Statement) -> int:
    return report.net + report.depreciation


WORTHS: dict[str, Callable[[Statement, int], float]] = {
    "23": lambda report, price: price / report.eps if report.eps else 0.0,
    "24": lambda report, price: price / report.bps if report.bps else 0.0,
    "25": lambda report, price: _worth(report, price, _cash_earned(report)),
    "26": lambda report, price: _worth(report, price, report.sales),
    "27": lambda report, price: report.eps,
    "28": lambda report, price: report.eva,
    "29": lambda report, price: report.ebitda,
    "30": lambda report, price: enterprise(report, price) / report.ebitda if report.ebitda else 0.0,
    "31": lambda report, price: report.ebitda / report.interest if report.interest else 0.0,
}
"""PER, PBR, PCR, PSR, EPS, EVA, EBITDA, EV/EBITDA and EBITDA over interest by their sort codes."""


def _worth(report: Statement, price: int, whole: int) -> float:
    return report.shares * price / HUNDRED_MILLION / whole if whole else 0.0


def market_value(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """By PER (23), PBR, PCR, PSR, EPS, EVA, EBITDA, EV/EBITDA or EBITDA over interest (31)."""
    by = chosen(ask, "FID_RANK_SORT_CLS_CODE", "23", WORTHS)
    return _rows(truth, ask, "20179", "market_value", WORTHS[by], _worth_row)


def _worth_row(truth: Truth, report: Statement, shown: Shown) -> dict[str, object]:
    def told(code: str) -> str:
        return f"{WORTHS[code](report, shown.last):.2f}"

    return {
        "per": times(shown.last, report.eps),
        "pbr": times(shown.last, report.bps),
        "pcr": told("25"),
        "psr": told("26"),
        "eps": report.eps,
        "eva": f"{report.eva}.00",
        "ebitda": f"{report.ebitda}.00",
        "pv_div_ebitda": told("30"),
        "ebitda_div_fnnc_expn": told("31"),
    }


# --- ratios -----------------------------------------------------------------------------------
RATIOS: dict[str, Callable[[Statement, int], float]] = {
    "7": lambda report, price: float(percent(report.ordinary, report.assets)),
    "11": lambda report, price: float(percent(report.equity, report.assets)),
    "20": lambda report, price: report.sales / report.assets if report.assets else 0.0,
}


def finance_ratio(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """By ordinary profit over assets (7), equity over assets (11), sales growth (15), turnover (20)."""
    by = chosen(ask, "FID_RANK_SORT_CLS_CODE", "7", (*RATIOS, "15"))

    def grown(report: Statement, price: int) -> float:
        return float(growth(report.sales, _year_before(truth, report).sales))

    return _rows(truth, ask, "20175", "finance_ratio", RATIOS.get(by, grown), _ratio_row)


def _year_before(truth: Truth, report: Statement) -> Statement:
    return _report(truth, report.code, report.year - 1, report.quarter)


def _ratio_row(truth: Truth, now: Statement, shown: Shown) -> dict[str, object]:
    before = _year_before(truth, now)
    return {
        "cptl_op_prfi": percent(now.ordinary, now.assets),
        "cptl_ntin_rate": percent(now.net, now.assets),
        "sale_totl_rate": percent(now.gross, now.sales),
        "sale_ntin_rate": percent(now.net, now.sales),
        "bis": percent(now.equity, now.assets),
        "lblt_rate": percent(now.debt, now.equity),
        "bram_depn": percent(now.borrowings, now.assets),
        "rsrv_rate": percent(now.capital_surplus + now.retained, now.capital),
        "grs": growth(now.sales, before.sales),
        "op_prfi_inrt": growth(now.ordinary, before.ordinary),
        "bsop_prfi_inrt": growth(now.operating, before.operating),
        "ntin_inrt": growth(now.net, before.net),
        "equt_inrt": growth(now.equity, before.equity),
        "cptl_tnrt": times(now.sales, now.assets),
        "sale_bond_tnrt": times(now.sales, now.receivables),
        "totl_aset_inrt": growth(now.assets, before.assets),
    }


# --- profits and assets -----------------------------------------------------------------------
PROFITS: dict[str, Callable[[Statement, int], float]] = {
    "0": lambda report, price: report.gross,
    "1": lambda report, price: report.operating,
    "2": lambda report, price: report.ordinary,
    "3": lambda report, price: report.net,
    "4": lambda report, price: report.assets,
    "5": lambda report, price: report.debt,
    "6": lambda report, price: report.equity,
}
"""By the order of the columns, as the portal counts them."""


def profit_asset_index(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """By gross (0), operating (1), ordinary (2) or net profit (3), assets (4), debt (5), equity (6)."""
    by = chosen(ask, "FID_RANK_SORT_CLS_CODE", "0", PROFITS)
    return _rows(truth, ask, "20173", "profit_asset_index", PROFITS[by], _profit_row)


def _profit_row(truth: Truth, report: Statement, shown: Shown) -> dict[str, object]:
    amounts = {
        "sale_totl_prfi": report.gross,
        "bsop_prti": report.operating,
        "op_prfi": report.ordinary,
        "thtr_ntin": report.net,
        "total_aset": report.assets,
        "total_lblt": report.debt,
        "total_cptl": report.equity,
    }
    return {name: f"{amount}.00" for name, amount in amounts.items()}


# --- dividends --------------------------------------------------------------------------------
MARKETS = {"0": "0000", "1": "0001", "2": "2001", "3": "1001"}


def dividend_rate(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Cash dividends (GB3 2) recorded between two days by their % of par; stock ones (1) were none.

    GB1 chooses the market, GB2 common (6) or preferred (7) shares, GB4 final (1) or interim (2) ones.
    """
    ask.params["FID_INPUT_ISCD"] = MARKETS[chosen(ask, "GB1", "0", MARKETS)]
    first, last = day_of(ask, "F_DT"), day_of(ask, "T_DT")
    kind = {"0": None, "6": is_common, "7": is_preferred}[chosen(ask, "GB2", "0", ("0", "6", "7"))]
    cash = chosen(ask, "GB3", "2", ("1", "2")) == "2"
    interim = {"0": None, "1": False, "2": True}[chosen(ask, "GB4", "0", ("0", "1", "2"))]
    found = [
        one
        for code in (universe(truth, ask) if cash else [])
        if kind is None or kind(truth.market.listing(code))
        for one in dividends(truth.market, code)
        if first <= one.record_day <= last and interim in (None, one.interim)
    ]
    found.sort(
        key=lambda one: (-_of_par(truth, one), one.listing.code, -one.record_day.toordinal())
    )
    rows = [
        fill("dividend_rate", "output", _dividend_row(truth, one) | {"rank": place})
        for place, one in enumerate(found[:ROWS], start=1)
    ]
    return done(ask, {"output": rows})


def _of_par(truth: Truth, one: Dividend) -> Decimal:
    return percent(one.amount, company_of(truth.seed, one.listing).par)


def _dividend_row(truth: Truth, one: Dividend) -> dict[str, object]:
    return {
        "sht_cd": one.listing.code,
        "isin_name": one.listing.name,
        "record_date": f"{one.record_day:%Y%m%d}",
        "per_sto_divi_amt": one.amount,
        "divi_rate": _of_par(truth, one),
        "divi_kind": "중간" if one.interim else "결산",
    }


HANDLERS = {
    "market_value": market_value,
    "finance_ratio": finance_ratio,
    "profit_asset_index": profit_asset_index,
    "dividend_rate": dividend_rate,
}
