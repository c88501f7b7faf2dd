"""Funds on the wire: what a share is worth beside its price, by the day and minute, and the basket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice

from trading.simulator.calls.asked import day_of, require
from trading.simulator.calls.quotes import done
from trading.simulator.company import company_of
from trading.simulator.funds import UNIT, Holding, basket, value_at, value_of_day, value_of_minute
from trading.simulator.history import Candle, MinuteCandle, candles, extremes, minutes
from trading.simulator.http import Reply
from trading.simulator.indices import INDICES, level, members, present
from trading.simulator.market import Market, Shown, percent, sign
from trading.simulator.papers import is_domestic, paper_of
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask, Refusal, fill

__all__ = ["HANDLERS", "UNIT", "nav_values"]

Reach = tuple[Decimal, Decimal, Decimal]
"""The value at the open, the highest and the lowest."""
MARKETS = ("J", "E", "UN")
HUNDRED_MILLION, TEN_THOUSAND = 100_000_000, 10_000
DAYS, TIMES = 100, 30
WIDTHS = {str(seconds): seconds // 60 for seconds in (60, 180, 300, 600, 1_800, 3_600)}


def _fund(truth: Truth, ask: Ask) -> Shown:
    """The fund that is asked for. Raises Refusal for a share."""
    require(ask, "FID_COND_MRKT_DIV_CODE", MARKETS)
    code = ask.get("FID_INPUT_ISCD")
    if code not in truth.market or not truth.market.listing(code).kind.is_fund:
        raise Refusal("MCA05918", "종목코드 오류입니다.")
    return truth.market.shown(code, truth.time)


def _before(truth: Truth, code: str, at: datetime) -> Decimal:
    """The value at the end of the session before the one on screen."""
    today = truth.market.session_of(at)
    return value_of_day(truth.market, code, truth.calendar.previous_session(today))


def _value(now: Decimal, before: Decimal) -> dict[str, object]:
    change = now - before
    return {
        "nav": now,
        "nav_prdy_vrss": change,
        "nav_prdy_vrss_sign": sign(float(change)),
        "nav_prdy_ctrt": percent(float(change), float(before)),
    }


def _apart(price: int, value: Decimal) -> Decimal:
    """By how many % of the value the price is over it."""
    return percent(float(price - value), float(value))


def _price(shown: Shown) -> dict[str, object]:
    return {
        "stck_prpr": shown.last,
        "prdy_vrss": shown.change,
        "prdy_vrss_sign": shown.sign(shown.last),
        "prdy_ctrt": shown.rate(shown.last),
    }


def nav_values(truth: Truth, code: str, at: datetime) -> dict[str, object]:
    """The value at a moment, its change, and the day's first, highest and lowest by its minutes."""
    now, before = value_at(truth.market, code, at), _before(truth, code, at)
    opened, high, low = _reach(truth, code, at) or (before, now, now)
    return _value(now, before) | {
        "prdy_clpr_nav": before,
        "oprc_nav": opened,
        "hprc_nav": max(high, now),
        "lprc_nav": min(low, now),
    }


def _reach(truth: Truth, code: str, at: datetime) -> Reach | None:
    """The values at the day's open and at the highest and lowest of its minutes; None before the open."""
    market, day = truth.market, truth.market.session_of(at)
    newest_first = minutes(market, code, min(at, truth.calendar.session_hours(day).close), at)
    newest = next(newest_first, None)
    if newest is None:
        return None

    def before_it() -> Reach | None:
        behind = list(newest_first)
        values = [_of_minute(truth, code, one) for one in behind]
        return (_opening(market, code, behind[-1]), max(values), min(values)) if behind else None

    past = market.once(("values", code, day), newest.at, before_it)
    now = _of_minute(truth, code, newest)
    opened, high, low = past or (_opening(market, code, newest), now, now)
    return opened, max(opened, high, now), min(opened, low, now)


def _opening(market: Market, code: str, first: MinuteCandle) -> Decimal:
    return value_of_minute(market, code, first.at.date(), 0, first.open)


def _of_minute(truth: Truth, code: str, one: MinuteCandle) -> Decimal:
    hours = truth.calendar.session_hours(one.at.date())
    minute = int((one.at - hours.open).total_seconds()) // 60
    return value_of_minute(truth.market, code, one.at.date(), minute, one.close)


# --- the present ------------------------------------------------------------------------------
def etf_inquire_price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """A fund's price and value, its size, its holders and whom it follows."""
    shown = _fund(truth, ask)
    code, company = shown.listing.code, company_of(truth.seed, shown.listing)
    paper = paper_of(truth.seed, shown.listing, company.sector)
    now, before = value_at(truth.market, code, truth.time), _before(truth, code, truth.time)
    held = int(company.shares * company.foreign_percent / 100)
    worth = int(now * company.shares / HUNDRED_MILLION)
    domestic = is_domestic(shown.listing)
    values = _price(shown) | _day_range(shown) | _value(now, before) | _year(truth, shown)
    values |= {
        "prdy_last_nav": before,
        "trc_errt": f"{paper.tracking_error:.2f}",
        "stck_sdpr": shown.bar.reference,
        "stck_sspr": shown.bar.reference * 7 // 10,
        "nmix_ctrt": _followed(truth, shown) if domestic else shown.rate(shown.last),
        "etf_crcl_stcn": company.shares,
        "etf_ntas_ttam": worth,
        "etf_crcl_ntas_ttam": worth,
        "etf_frcr_ntas_ttam": "0.00",
        "etf_frcr_crcl_ntas_ttam": "0.00",
        "etf_frcr_last_ntas_wrth_val": "0.00",
        "frgn_limt_rate": "100.00",
        "frgn_oder_able_qty": company.shares - held,
        "frgn_hldn_qty": held,
        "frgn_hldn_qty_rate": company.foreign_percent,
        "etf_cu_unit_scrt_cnt": UNIT,
        "etf_cnfg_issu_cnt": len(basket(truth.market, code, truth.market.session_of(truth.time))),
        "etf_dvdn_cycl": "3",
        "crcd": "KRW",
        "lp_oder_able_cls_code": "Y",
        "bstp_kor_isnm": company.sector,
        "vi_cls_code": shown.vi,
        "lstn_stcn": company.shares,
        "etf_trc_ert_mltp": "1.00",
        "dprt": _apart(shown.last, now),
        "mbcr_name": paper.provider,
        "stck_lstn_date": f"{paper.listed:%Y%m%d}",
        "shrg_type_code": "01",
        "lp_hldn_rate": f"{paper.provider_part:.2f}",
        "lp_hldn_vol": int(company.shares * paper.provider_part / 100),
        "etf_trgt_nmix_bstp_code": "2001" if domestic else "",
        "etf_div_name": "국내주식형" if domestic else "기타",
        "etf_rprs_bstp_kor_isnm": "KOSPI200" if domestic else "",
    }
    return done(ask, {"output": fill("etf_inquire_price", "output", values)})


def _day_range(shown: Shown) -> dict[str, object]:
    values: dict[str, object] = {
        "acml_vol": shown.volume,
        "prdy_vol": shown.previous_volume,
        "stck_mxpr": shown.upper,
        "stck_llam": shown.lower,
        "stck_prdy_clpr": shown.bar.reference,
    }
    for short, price in (("oprc", shown.open), ("hgpr", shown.high), ("lwpr", shown.low)):
        rate = shown.rate(price) if price else percent(0, 0)
        values |= {f"stck_{short}": price, f"prdy_clpr_vrss_{short}_rate": rate}
    return values


def _year(truth: Truth, shown: Shown) -> dict[str, object]:
    since = truth.time.date().replace(month=1, day=1)
    reach = extremes(truth.market, shown.listing.code, since, truth.time)
    if reach is None:
        return {}
    return {
        "stck_dryy_hgpr": reach.high,
        "dryy_hgpr_vrss_prpr_rate": percent(shown.last - reach.high, reach.high),
        "dryy_hgpr_date": f"{reach.high_day:%Y%m%d}",
        "stck_dryy_lwpr": reach.low,
        "dryy_lwpr_vrss_prpr_rate": percent(shown.last - reach.low, reach.low),
        "dryy_lwpr_date": f"{reach.low_day:%Y%m%d}",
    }


def _followed(truth: Truth, shown: Shown) -> Decimal:
    """The change of the index that a domestic fund follows, in %; its own where there is none."""
    index = INDICES["2001"]
    if not members(truth.market, index):
        return shown.rate(shown.last)
    day = present(truth.market, index, truth.time)
    return percent(float(level(day.close) - level(day.before)), float(level(day.before)))


def etf_nav_comparison_trend(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Price and value of the present side by side."""
    shown = _fund(truth, ask)
    code, call = shown.listing.code, "etf_nav_comparison_trend"
    price = _price(shown) | {
        "acml_vol": shown.volume,
        "acml_tr_pbmn": shown.turnover,
        "stck_prdy_clpr": shown.bar.reference,
        "stck_oprc": shown.open,
        "stck_hgpr": shown.high,
        "stck_lwpr": shown.low,
        "stck_mxpr": shown.upper,
        "stck_llam": shown.lower,
    }
    value = nav_values(truth, code, truth.time)
    return done(
        ask,
        {
            "output1": fill(call, "output1", price),
            "output2": fill(call, "output2", value),
        },
    )


# --- days and minutes -------------------------------------------------------------------------
def etf_nav_comparison_daily_trend(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Price and value by the day between two days, the newest hundred first."""
    shown = _fund(truth, ask)
    first, last = day_of(ask, "FID_INPUT_DATE_1"), day_of(ask, "FID_INPUT_DATE_2")
    code, call = shown.listing.code, "etf_nav_comparison_daily_trend"
    found = candles(truth.market, code, first, last, "D", truth.time)
    rows = [fill(call, "output", _day_row(truth, code, one)) for one in islice(found, DAYS)]
    return done(ask, {"output": rows})


def _day_row(truth: Truth, code: str, one: Candle) -> dict[str, object]:
    over = truth.time >= truth.calendar.session_hours(one.day).close
    now = (
        value_of_day(truth.market, code, one.day)
        if over
        else value_at(truth.market, code, truth.time)
    )
    before = value_of_day(truth.market, code, truth.calendar.previous_session(one.day))
    return _value(now, before) | {
        "stck_bsop_date": f"{one.day:%Y%m%d}",
        "stck_clpr": one.close,
        "prdy_vrss": one.change,
        "prdy_vrss_sign": sign(one.change),
        "prdy_ctrt": percent(one.change, one.before),
        "acml_vol": one.volume,
        "cntg_vol": one.volume,
        "dprt": _apart(one.close, now),
        "nav_vrss_prpr": one.close - now,
    }


def etf_nav_comparison_time_trend(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Price and value at the end of the last thirty spans of FID_HOUR_CLS_CODE seconds today."""
    shown = _fund(truth, ask)
    width = WIDTHS[require(ask, "FID_HOUR_CLS_CODE", WIDTHS)]
    code, call = shown.listing.code, "etf_nav_comparison_time_trend"
    hours = truth.calendar.session_hours(truth.market.session_of(truth.time))
    found = list(minutes(truth.market, code, min(truth.time, hours.close), truth.time))[::-1]
    spans = [found[at : at + width] for at in range(0, len(found), width)]
    volume, rows = 0, []
    for span in spans:
        traded = sum(one.volume for one in span)
        volume += traded
        rows.append(_time_row(truth, shown, span, volume, traded))
    return done(ask, {"output": [fill(call, "output", row) for row in rows[::-1][:TIMES]]})


def _time_row(
    truth: Truth, shown: Shown, span: Sequence[MinuteCandle], volume: int, traded: int
) -> dict[str, object]:
    code, price = shown.listing.code, span[-1].close
    now = _of_minute(truth, code, span[-1])
    return _value(now, _before(truth, code, truth.time)) | {
        "bsop_hour": f"{span[0].at:%H%M%S}",
        "stck_prpr": price,
        "prdy_vrss": price - shown.bar.reference,
        "prdy_vrss_sign": shown.sign(price),
        "prdy_ctrt": shown.rate(price),
        "nav_vrss_prpr": price - now,
        "dprt": _apart(price, now),
        "acml_vol": volume,
        "cntg_vol": traded,
    }


# --- what a fund holds ------------------------------------------------------------------------
def etf_inquire_component_stock_price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The basket of a creation unit at present prices; empty where nothing of it is listed here.

    Amounts of a holding are in won, the basket's in 10,000 won; weights make 100 %.
    """
    shown = _fund(truth, ask)
    code, call = shown.listing.code, "etf_inquire_component_stock_price"
    held = basket(truth.market, code, truth.market.session_of(truth.time))
    prices = {one.code: truth.market.shown(one.code, truth.time) for one in held}
    worth = {one.code: one.shares * prices[one.code].last for one in held}
    whole = sum(worth.values())
    now = value_at(truth.market, code, truth.time)
    head = _price(shown) | nav_values(truth, code, truth.time)
    head |= {
        "etf_cnfg_issu_avls": whole // TEN_THOUSAND,
        "etf_ntas_ttam": int(now * shown.listing.shares / HUNDRED_MILLION),
        "etf_cu_unit_scrt_cnt": UNIT,
        "etf_cnfg_issu_cnt": len(held),
    }
    parts = [percent(worth[one.code], whole) for one in held]
    if parts:
        parts[0] += 100 - sum(parts)
    rows = [
        fill(call, "output2", _holding_row(truth, one, prices[one.code], part))
        for one, part in zip(held, parts, strict=True)
    ]
    return done(ask, {"output1": fill(call, "output1", head), "output2": rows})


def _holding_row(truth: Truth, one: Holding, shown: Shown, part: Decimal) -> dict[str, object]:
    company = company_of(truth.seed, shown.listing)
    return _price(shown) | {
        "stck_shrn_iscd": one.code,
        "hts_kor_isnm": shown.listing.name,
        "acml_vol": shown.volume,
        "acml_tr_pbmn": shown.turnover,
        "tday_rsfl_rate": percent(shown.high - shown.low, shown.bar.reference),
        "prdy_vrss_vol": shown.volume - shown.previous_volume,
        "tr_pbmn_tnrt": percent(shown.turnover, company.shares * shown.last),
        "hts_avls": company.market_cap(shown.last),
        "etf_cnfg_issu_avls": one.shares * shown.last,
        "etf_cnfg_issu_rlim": part,
        "etf_vltn_amt": one.shares * shown.bar.reference,
    }


HANDLERS = {
    "etf_inquire_price": etf_inquire_price,
    "etf_inquire_component_stock_price": etf_inquire_component_stock_price,
    "etf_nav_comparison_trend": etf_nav_comparison_trend,
    "etf_nav_comparison_daily_trend": etf_nav_comparison_daily_trend,
    "etf_nav_comparison_time_trend": etf_nav_comparison_time_trend,
}
