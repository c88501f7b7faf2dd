"""Quotations on the wire: the last price, the ten-level book, the holiday calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from trading.domain.matching import Side
from trading.domain.price_grid import tick_size
from trading.domain.sessions import Phase
from trading.simulator.http import Reply, json_reply
from trading.simulator.market import Shown
from trading.simulator.truth import Truth
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, fill

__all__ = ["chk_holiday", "inquire_asking_price", "inquire_price"]

HOLIDAY_ROWS = 24
PHASE_CODES = {
    Phase.PRE_OPEN: "11",
    Phase.REGULAR: "20",
    Phase.CLOSING_AUCTION: "21",
    Phase.AFTER_CLOSE: "31",
    Phase.AFTER_SINGLE: "41",
    Phase.AFTER_MARKET: "41",
    Phase.CLOSED: "31",
}
MARKETS = ("J", "UN")


def _look(truth: Truth, ask: Ask) -> Shown:
    if ask.get("FID_COND_MRKT_DIV_CODE") not in MARKETS:
        raise Refusal("OPSQ2001", "ERROR INPUT FIELD NOT FOUND [FID_COND_MRKT_DIV_CODE]")
    code = ask.get("FID_INPUT_ISCD")
    if code not in truth.market:
        raise Refusal("MCA05918", "종목코드 오류입니다.")
    return truth.market.shown(code, truth.time)


def _done(ask: Ask, body: dict[str, object]) -> Reply:
    text = {"rt_cd": "0", "msg_cd": "MCA00000", "msg1": "정상처리 되었습니다.".ljust(MSG_WIDTH)}
    return json_reply({**body, **text}, headers={"tr_id": ask.tr_id, "tr_cont": "D"})


def inquire_price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The last price with the day's range, limits, tick and state."""
    shown = _look(truth, ask)
    listing, reference = shown.listing, shown.bar.reference
    average = Decimal(shown.turnover) / shown.volume if shown.volume else Decimal(0)
    shares = listing.shares
    values = {
        "iscd_stat_cls_code": "58" if shown.halted else "55",
        "marg_rate": "20.00",
        "rprs_mrkt_kor_name": "ETF" if listing.kind.is_fund else listing.market,
        "bstp_kor_isnm": "ETF" if listing.kind.is_fund else "",
        "temp_stop_yn": "Y" if shown.halted else "N",
        "oprc_rang_cont_yn": "N",
        "clpr_rang_cont_yn": "N",
        "crdt_able_yn": "Y",
        "grmn_rate_cls_code": "40",
        "elw_pblc_yn": "N",
        "stck_prpr": shown.last,
        "prdy_vrss": shown.change,
        "prdy_vrss_sign": shown.sign(shown.last),
        "prdy_ctrt": shown.rate(shown.last),
        "acml_tr_pbmn": shown.turnover,
        "acml_vol": shown.volume,
        "prdy_vrss_vol_rate": shown.volume_rate,
        "stck_oprc": shown.open,
        "stck_hgpr": shown.high,
        "stck_lwpr": shown.low,
        "stck_mxpr": shown.upper,
        "stck_llam": shown.lower,
        "stck_sdpr": reference,
        "wghn_avrg_stck_prc": average.quantize(Decimal("0.01")),
        "rstc_wdth_prc": shown.upper - reference,
        "stck_sspr": reference * 7 // 10,
        "aspr_unit": tick_size(shown.last, listing.kind),
        "hts_deal_qty_unit_val": "1",
        "lstn_stcn": shares,
        "hts_avls": shares * shown.last // 100_000_000,
        "stac_month": "12",
        "ssts_yn": "Y",
        "stck_shrn_iscd": listing.code,
        "vi_cls_code": "N",
        "ovtm_vi_cls_code": "N",
        "invt_caful_yn": "N",
        "mrkt_warn_cls_code": "00",
        "short_over_yn": "N",
        "sltr_yn": "N",
        "mang_issu_cls_code": "N",
    }
    return _done(ask, {"output": fill("inquire_price", "output", values)})


def inquire_asking_price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Ten levels a side, empty ones as zero, and the expected match of an auction."""
    shown = _look(truth, ask)
    book = truth.book(shown.listing.code)
    values: dict[str, object] = {
        "aspr_acpt_hour": f"{truth.time:%H%M%S}",
        "new_mkop_cls_code": PHASE_CODES[truth.phase()],
    }
    totals = {}
    for name, side in (("ask", Side.SELL), ("bid", Side.BUY)):
        levels = book.levels(side)
        for i, level in enumerate(levels, start=1):
            values[f"{name}p{i}"] = level.price
            values[f"{name}p_rsqn{i}"] = level.quantity
        totals[name] = sum(level.quantity for level in levels)
    values |= {
        "total_askp_rsqn": totals["ask"],
        "total_bidp_rsqn": totals["bid"],
        "ntby_aspr_rsqn": totals["bid"] - totals["ask"],
    }
    match = {
        "antc_mkop_cls_code": "311" if truth.phase() is Phase.PRE_OPEN else "112",
        "stck_prpr": shown.last,
        "stck_oprc": shown.open,
        "stck_hgpr": shown.high,
        "stck_lwpr": shown.low,
        "stck_sdpr": shown.bar.reference,
        "antc_cnpr": shown.last,
        "antc_cntg_vrss_sign": shown.sign(shown.last),
        "antc_cntg_vrss": shown.change,
        "antc_cntg_prdy_ctrt": shown.rate(shown.last),
        "stck_shrn_iscd": shown.listing.code,
        "vi_cls_code": "N",
    }
    call = "inquire_asking_price_exp_ccn"
    return _done(
        ask, {"output1": fill(call, "output1", values), "output2": fill(call, "output2", match)}
    )


def chk_holiday(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Twenty-four days from the base date: weekday and the four flags."""
    text = (
        ask.get("CTX_AREA_NK") if ask.next_page and ask.get("CTX_AREA_NK") else ask.get("BASS_DT")
    )
    try:
        first = datetime.strptime(text, "%Y%m%d").date()
        days = [first + timedelta(days=i) for i in range(HOLIDAY_ROWS)]
        rows = [_holiday_row(truth, day) for day in days]
    except ValueError:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [BASS_DT]") from None
    following = days[-1] + timedelta(days=1)
    body = {
        "ctx_area_nk": f"{following:%Y%m%d}".ljust(20),
        "ctx_area_fk": ask.get("BASS_DT").ljust(20),
        "output": rows,
        "rt_cd": "0",
        "msg_cd": "KIOK0500",
        "msg1": "조회가 계속됩니다..다음버튼을 Click 하십시오.".ljust(MSG_WIDTH),
    }
    return json_reply(body, headers={"tr_id": ask.tr_id, "tr_cont": "M"})


def _holiday_row(truth: Truth, day: date) -> dict[str, str]:
    opened = "Y" if truth.calendar.is_session(day) else "N"
    return fill(
        "chk_holiday",
        "output",
        {
            "bass_dt": f"{day:%Y%m%d}",
            "wday_dvsn_cd": f"{(day.weekday() + 1) % 7 + 1:02d}",
            "bzdy_yn": opened,
            "tr_day_yn": "Y" if day.weekday() < 5 else "N",
            "opnd_yn": opened,
            "sttl_day_yn": opened,
        },
    )
