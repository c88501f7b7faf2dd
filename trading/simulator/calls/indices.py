"""Indices on the wire: the present level, days, minutes and seconds of one, and all of a family.

Volumes are in thousand shares and turnovers in million won, each rounded down once of the whole day, so
that a bar's volume is what the day's grew by.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from trading.simulator.calls.asked import chosen, day_of, last_day_of, require
from trading.simulator.calls.books import resting
from trading.simulator.calls.quotes import done
from trading.simulator.history import OLDEST
from trading.simulator.http import Reply
from trading.simulator.indices import (
    INDICES,
    Index,
    IndexBar,
    IndexDay,
    bars,
    days,
    grouped,
    level,
    listed,
    members,
    present,
)
from trading.simulator.market import percent, sign
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask, Refusal, fill

__all__ = ["HANDLERS", "MILLION", "THOUSAND", "index_of", "latest", "present_values"]

THOUSAND, MILLION = 1_000, 1_000_000
DAYS, CHART_DAYS = 100, 100
TIMED, CHART_BARS = 100, 102
SENTIMENT_DAYS, DISPARITY_DAYS = 10, 20
TICK_SECONDS = 10
WIDTHS = {str(seconds): seconds for seconds in (30, 60, 120, 180, 300, 600, 900, 1_800, 3_600)}
PERIODS = ("D", "W", "M", "Y")
FAMILIES = {"K": "K", "Q": "Q", "K2": "K2"}


def index_of(truth: Truth, ask: Ask, market: str = "FID_COND_MRKT_DIV_CODE") -> Index:
    """The index that is asked for. Raises Refusal for another market or a code without members."""
    if market:
        require(ask, market, ("U",))
    index = INDICES.get(ask.get("FID_INPUT_ISCD"))
    if index is None or not members(truth.market, index):
        raise Refusal("MCA05918", "업종코드 오류입니다.")
    return index


def _change(day: IndexDay, value: float) -> Decimal:
    return level(value) - level(day.before)


def _now(day: IndexDay) -> dict[str, object]:
    """What every screen says of the present."""
    change = _change(day, day.close)
    return {
        "bstp_nmix_prpr": level(day.close),
        "bstp_nmix_prdy_vrss": change,
        "prdy_vrss_sign": sign(float(change)),
        "bstp_nmix_prdy_ctrt": _rate(change, level(day.before)),
        "acml_vol": day.volume // THOUSAND,
        "acml_tr_pbmn": day.turnover // MILLION,
    }


def _rate(part: Decimal, whole: Decimal) -> Decimal:
    return (part * 100 / whole).quantize(Decimal("0.01")) if whole else Decimal("0.00")


def _range(day: IndexDay) -> dict[str, object]:
    return {
        "bstp_nmix_oprc": level(day.open),
        "bstp_nmix_hgpr": level(day.high),
        "bstp_nmix_lwpr": level(day.low),
    }


def _before(truth: Truth, index: Index) -> IndexDay:
    """The session before the one on screen."""
    today = truth.market.session_of(truth.time)
    day = truth.calendar.previous_session(today)
    return days(truth.market, index, day, day, truth.time)[0]


# --- now --------------------------------------------------------------------------------------
def inquire_index_price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The level with the day's range, who rose and fell, the year's range and what rests in books."""
    index = index_of(truth, ask)
    day = present(truth.market, index, truth.time)
    before = _before(truth, index)
    values = present_values(truth, index, truth.time) | _year(truth, index, day)
    values |= {"prdy_vol": before.volume // THOUSAND, "prdy_tr_pbmn": before.turnover // MILLION}
    return done(
        ask, {"output": fill("inquire_index_price", "output", values | _books(truth, index))}
    )


def present_values(truth: Truth, index: Index, at: datetime) -> dict[str, object]:
    """The level at a moment, the day's range against the day before, and who rose and fell."""
    day = present(truth.market, index, at)
    values = _now(day) | _range(day) | _counts(truth, index, at)
    for how, told, rate, value in (
        ("oprc", "prdy_nmix_vrss_nmix_oprc", "bstp_nmix_oprc_prdy_ctrt", day.open),
        ("hgpr", "prdy_nmix_vrss_nmix_hgpr", "bstp_nmix_hgpr_prdy_ctrt", day.high),
        ("lwpr", "prdy_clpr_vrss_lwpr", "prdy_clpr_vrss_lwpr_rate", day.low),
    ):
        change = _change(day, value)
        values |= {told: change, rate: _rate(change, level(day.before))}
        values[f"{how}_vrss_prpr_sign"] = sign(float(change))
    return values


def _counts(truth: Truth, index: Index, at: datetime) -> dict[str, object]:
    """Members by direction; those at a limit are counted among the risen and the fallen too."""
    shown = [truth.market.shown(code, at) for code in members(truth.market, index)]
    return {
        "ascn_issu_cnt": sum(one.change > 0 for one in shown),
        "stnr_issu_cnt": sum(one.change == 0 for one in shown),
        "down_issu_cnt": sum(one.change < 0 for one in shown),
        "uplm_issu_cnt": sum(one.last == one.upper for one in shown),
        "lslm_issu_cnt": sum(one.last == one.lower for one in shown),
    }


def _year(truth: Truth, index: Index, now: IndexDay) -> dict[str, object]:
    """The year's highest and lowest levels, and how far the present is from them in % of them."""
    rows = days(truth.market, index, now.day.replace(month=1, day=1), now.day, truth.time)
    if not rows:
        return {}
    high, low = max(rows, key=lambda one: one.high), min(rows, key=lambda one: one.low)
    found: dict[str, object] = {}
    for which, value, day in (("hgpr", high.high, high.day), ("lwpr", low.low, low.day)):
        found[f"dryy_bstp_nmix_{which}"] = level(value)
        found[f"dryy_bstp_nmix_{which}_date"] = f"{day:%Y%m%d}"
        found[f"dryy_{which}_vrss_prpr_rate"] = _rate(level(value) - level(now.close), level(value))
    return found


def _books(truth: Truth, index: Index) -> dict[str, object]:
    """What rests in the ten levels of every member's book, in shares."""
    totals = [resting(truth, code) for code in members(truth.market, index)]
    asks, bids = sum(ask for ask, _bid in totals), sum(bid for _ask, bid in totals)
    return {
        "total_askp_rsqn": asks,
        "total_bidp_rsqn": bids,
        "seln_rsqn_rate": percent(asks, asks + bids),
        "shnu_rsqn_rate": percent(bids, asks + bids),
        "ntby_rsqn": bids - asks,
    }


def _summary(truth: Truth, index: Index) -> dict[str, object]:
    """The head of the daily screens."""
    day, before = present(truth.market, index, truth.time), _before(truth, index)
    values = _now(day) | _range(day) | _counts(truth, index, truth.time)
    values |= _year(truth, index, day)
    values |= {"prdy_vol": before.volume // THOUSAND, "prdy_tr_pbmn": before.turnover // MILLION}
    return {name: value for name, value in values.items() if not name.endswith("_rate")}


def inquire_index_category_price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Every index of a family (K, Q, K2) with its share of the volume and turnover of the first."""
    index = index_of(truth, ask)
    require(ask, "FID_COND_SCR_DIV_CODE", ("20214",))
    family = FAMILIES[require(ask, "FID_MRKT_CLS_CODE", FAMILIES)]
    chosen(ask, "FID_BLNG_CLS_CODE", "0", ("0", "1", "2", "3"))
    found = [one for one in listed(truth.market) if one.family == family]
    rows = [(one, present(truth.market, one, truth.time)) for one in found]
    call, whole = "inquire_index_category_price", rows[0][1] if rows else None
    output = [fill(call, "output2", _category_row(one, day, whole)) for one, day in rows if whole]
    return done(ask, {"output1": fill(call, "output1", _summary(truth, index)), "output2": output})


def _category_row(index: Index, day: IndexDay, whole: IndexDay) -> dict[str, object]:
    return _now(day) | {
        "bstp_cls_code": index.code,
        "hts_kor_isnm": index.name,
        "acml_vol_rlim": percent(day.volume, whole.volume),
        "acml_tr_pbmn_rlim": percent(day.turnover, whole.turnover),
    }


# --- days -------------------------------------------------------------------------------------
def inquire_index_daily_price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Up to 100 days, weeks or months back from a day, the newest first."""
    index = index_of(truth, ask)
    period = require(ask, "FID_PERIOD_DIV_CODE", PERIODS[:3])
    last = last_day_of(ask, "FID_INPUT_DATE_1", truth.time.date())
    found = latest(truth, index, last, period, DAYS + DISPARITY_DAYS)
    present_volume = present(truth.market, index, truth.time).volume
    call = "inquire_index_daily_price"
    rows = [
        fill(call, "output2", _daily_row(one, found[i:], present_volume))
        for i, one in enumerate(found[:DAYS])
    ]
    return done(ask, {"output1": fill(call, "output1", _summary(truth, index)), "output2": rows})


def latest(truth: Truth, index: Index, last: date, period: str, count: int) -> list[IndexDay]:
    """The latest `count` candles of `period` up to a day, the newest first."""
    span = {"D": 2, "W": 8, "M": 32, "Y": 367}[period]
    first = last - min(timedelta(days=count * span + 30), OLDEST)
    return grouped(days(truth.market, index, first, last, truth.time), period)[:count]


def _daily_row(day: IndexDay, behind: Sequence[IndexDay], present_volume: int) -> dict[str, object]:
    """One candle; `behind` begins with it. Its volume share is the present volume in % of its own."""
    return (
        _now(day)
        | _range(day)
        | {
            "stck_bsop_date": f"{day.day:%Y%m%d}",
            "acml_vol_rlim": percent(present_volume, day.volume),
            "invt_new_psdg": _sentiment(behind[:SENTIMENT_DAYS]),
            "d20_dsrt": _disparity(behind[:DISPARITY_DAYS]),
        }
    )


def _sentiment(rows: Sequence[IndexDay]) -> Decimal:
    """What was gained less what was lost, in % of both, over ten candles."""
    moves = [_change(one, one.close) for one in rows]
    return _rate(sum(moves, Decimal(0)), sum((abs(move) for move in moves), Decimal(0)))


def _disparity(rows: Sequence[IndexDay]) -> Decimal:
    """The close in % of the mean of the latest twenty."""
    mean = sum(one.close for one in rows) / len(rows)
    return level(rows[0].close / mean * 100)


def inquire_daily_indexchartprice(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Up to 100 candles between two days, the newest first, and the present."""
    index = index_of(truth, ask)
    period = require(ask, "FID_PERIOD_DIV_CODE", PERIODS)
    first, last = day_of(ask, "FID_INPUT_DATE_1"), day_of(ask, "FID_INPUT_DATE_2")
    found = grouped(days(truth.market, index, first, last, truth.time), period)
    call = "inquire_daily_indexchartprice"
    rows = [fill(call, "output2", _chart_row(one)) for one in found[:CHART_DAYS]]
    return done(ask, {"output1": fill(call, "output1", _head(truth, index)), "output2": rows})


def _chart_row(day: IndexDay) -> dict[str, object]:
    return _range(day) | {
        "stck_bsop_date": f"{day.day:%Y%m%d}",
        "bstp_nmix_prpr": level(day.close),
        "acml_vol": day.volume // THOUSAND,
        "acml_tr_pbmn": day.turnover // MILLION,
        "mod_yn": "N",
    }


def _head(truth: Truth, index: Index) -> dict[str, object]:
    """The present as both charts tell it."""
    day, before = present(truth.market, index, truth.time), _before(truth, index)
    return (
        _now(day)
        | _range(day)
        | {
            "prdy_nmix": level(day.before),
            "hts_kor_isnm": index.name,
            "bstp_cls_code": index.code,
            "prdy_vol": before.volume // THOUSAND,
            "futs_prdy_oprc": level(before.open),
            "futs_prdy_hgpr": level(before.high),
            "futs_prdy_lwpr": level(before.low),
        }
    )


# --- minutes and seconds ----------------------------------------------------------------------
def inquire_index_timeprice(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Today by so many seconds (FID_INPUT_HOUR_1), the forming one first; 100 rows at most."""
    index = index_of(truth, ask)
    seconds = WIDTHS[require(ask, "FID_INPUT_HOUR_1", WIDTHS)]
    rows = _timed(truth, index, seconds, "inquire_index_timeprice", "bsop_hour")
    return done(ask, {"output": rows})


def inquire_index_tickprice(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The last hundred levels of today, one every ten seconds, the forming one first."""
    index = index_of(truth, ask)
    rows = _timed(truth, index, TICK_SECONDS, "inquire_index_tickprice", "stck_cntg_hour")
    return done(ask, {"output": rows})


def _timed(truth: Truth, index: Index, seconds: int, call: str, hour: str) -> list[dict[str, str]]:
    day = present(truth.market, index, truth.time)
    found = bars(truth.market, index, day.day, seconds, truth.time, TIMED)
    return [
        fill(call, "output", _timed_row(day, bar) | {hour: f"{bar.at:%H%M%S}"}) for bar in found
    ]


def _timed_row(day: IndexDay, bar: IndexBar) -> dict[str, object]:
    change = _change(day, bar.close)
    return {
        "bstp_nmix_prpr": level(bar.close),
        "bstp_nmix_prdy_vrss": change,
        "prdy_vrss_sign": sign(float(change)),
        "bstp_nmix_prdy_ctrt": _rate(change, level(day.before)),
        "acml_tr_pbmn": bar.turnover // MILLION,
        "acml_vol": bar.volume // THOUSAND,
        "cntg_vol": _grown(bar),
    }


def _grown(bar: IndexBar) -> int:
    """Thousand shares by which the day's volume grew in a bar."""
    return bar.volume // THOUSAND - (bar.volume - bar.traded) // THOUSAND


def inquire_time_indexchartprice(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Up to 102 bars of so many seconds, the forming one first.

    FID_PW_DATA_INCU_YN `Y` lets the sessions before follow, back to the one before the world's first.
    """
    index = index_of(truth, ask)
    seconds = WIDTHS[require(ask, "FID_INPUT_HOUR_1", WIDTHS)]
    past = chosen(ask, "FID_PW_DATA_INCU_YN", "N", ("Y", "N")) == "Y"
    chosen(ask, "FID_ETC_CLS_CODE", "0", ("0", "1"))
    day = truth.market.session_of(truth.time)
    oldest = truth.calendar.previous_session(truth.market.first_day)
    found = bars(truth.market, index, day, seconds, truth.time, CHART_BARS)
    while past and len(found) < CHART_BARS and day > oldest:
        day = truth.calendar.previous_session(day)
        found += bars(truth.market, index, day, seconds, truth.time, CHART_BARS - len(found))
    call = "inquire_time_indexchartprice"
    rows = [fill(call, "output2", _minute_row(bar)) for bar in found]
    return done(ask, {"output1": fill(call, "output1", _head(truth, index)), "output2": rows})


def _minute_row(bar: IndexBar) -> dict[str, object]:
    return {
        "stck_bsop_date": f"{bar.at:%Y%m%d}",
        "stck_cntg_hour": f"{bar.at:%H%M%S}",
        "bstp_nmix_prpr": level(bar.close),
        "bstp_nmix_oprc": level(bar.open),
        "bstp_nmix_hgpr": level(bar.high),
        "bstp_nmix_lwpr": level(bar.low),
        "cntg_vol": _grown(bar),
        "acml_tr_pbmn": bar.turnover // MILLION,
    }


HANDLERS = {
    "inquire_index_price": inquire_index_price,
    "inquire_index_daily_price": inquire_index_daily_price,
    "inquire_index_category_price": inquire_index_category_price,
    "inquire_index_timeprice": inquire_index_timeprice,
    "inquire_index_tickprice": inquire_index_tickprice,
    "inquire_daily_indexchartprice": inquire_daily_indexchartprice,
    "inquire_time_indexchartprice": inquire_time_indexchartprice,
}
