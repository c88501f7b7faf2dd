"""Quotations on the wire: the last price, the ten-level book, the holiday calendar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from trading.domain.matching import Side
from trading.domain.price_grid import tick_size
from trading.domain.sessions import Phase
from trading.simulator.calls.venues import NXT, book_of, on_nxt
from trading.simulator.company import company_of
from trading.simulator.history import extremes
from trading.simulator.http import Reply, json_reply
from trading.simulator.investors import short_sold
from trading.simulator.loans import margin_loans
from trading.simulator.market import Shown, percent
from trading.simulator.truth import Truth
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, fill

__all__ = [
    "HANDLERS",
    "chk_holiday",
    "done",
    "inquire_asking_price",
    "inquire_price",
    "intstock_multprice",
    "look",
]

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


def look(truth: Truth, ask: Ask) -> Shown:
    """The instrument that is asked for. Raises Refusal for a market or a code not listed here."""
    if ask.get("FID_COND_MRKT_DIV_CODE") not in MARKETS:
        raise Refusal("OPSQ2001", "ERROR INPUT FIELD NOT FOUND [FID_COND_MRKT_DIV_CODE]")
    code = ask.get("FID_INPUT_ISCD")
    if code not in truth.market:
        raise Refusal("MCA05918", "종목코드 오류입니다.")
    return truth.market.shown(code, truth.time)


def done(ask: Ask, body: Mapping[str, object]) -> Reply:
    """A quotation that worked, in one page."""
    text = {"rt_cd": "0", "msg_cd": "MCA00000", "msg1": "정상처리 되었습니다.".ljust(MSG_WIDTH)}
    return json_reply({**body, **text}, headers={"tr_id": ask.tr_id, "tr_cont": "D"})


def _look_either(truth: Truth, ask: Ask) -> Shown:
    """As `look`, but NX is a market too."""
    nxt = ask.get("FID_COND_MRKT_DIV_CODE") == NXT
    return on_nxt(truth, ask) if nxt else look(truth, ask)


def inquire_price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The last price with the day's range, limits, tick and state."""
    shown = _look_either(truth, ask)
    values = _price(shown) | _marks(shown) | _flows(truth, shown) | _worth(truth, shown)
    values |= _pivots(truth, shown) | _ranges(truth, shown)
    return done(ask, {"output": fill("inquire_price", "output", values)})


def _price(shown: Shown) -> dict[str, object]:
    reference, kind = shown.bar.reference, shown.listing.kind
    average = Decimal(shown.turnover) / shown.volume if shown.volume else Decimal(0)
    return {
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
        "aspr_unit": tick_size(shown.last, kind),
        "hts_deal_qty_unit_val": "1",
        "stck_shrn_iscd": shown.listing.code,
    }


def _marks(shown: Shown) -> dict[str, object]:
    """State and warnings; nothing here is ever warned of."""
    return {
        "iscd_stat_cls_code": "58" if shown.halted else "55",
        "marg_rate": "20.00",
        "temp_stop_yn": "Y" if shown.halted else "N",
        "oprc_rang_cont_yn": "N",
        "clpr_rang_cont_yn": "N",
        "crdt_able_yn": "Y",
        "grmn_rate_cls_code": "40",
        "elw_pblc_yn": "N",
        "ssts_yn": "Y",
        "vi_cls_code": shown.vi,
        "ovtm_vi_cls_code": "N",
        "invt_caful_yn": "N",
        "mrkt_warn_cls_code": "00",
        "short_over_yn": "N",
        "sltr_yn": "N",
        "mang_issu_cls_code": "N",
    }


def _flows(truth: Truth, shown: Shown) -> dict[str, object]:
    """Who owns and who bought; the last session that is over for what is told daily."""
    code, company = shown.listing.code, company_of(truth.seed, shown.listing)
    day = truth.market.session_of(truth.time)
    before = truth.calendar.previous_session(day)
    return {
        "hts_frgn_ehrt": company.foreign_percent,
        "frgn_ntby_qty": truth.market.foreign_net(code, before),
        "pgtr_ntby_qty": truth.market.program_net(code, before),
        "frgn_hldn_qty": int(company.shares * company.foreign_percent / 100),
        "whol_loan_rmnd_rate": percent(
            margin_loans(truth.market, code, before).left, company.shares
        ),
        "last_ssts_cntg_qty": short_sold(truth.market, code, before),
        "vol_tnrt": percent(shown.volume, company.shares),
    }


def _worth(truth: Truth, shown: Shown) -> dict[str, object]:
    listing, company = shown.listing, company_of(truth.seed, shown.listing)
    return {
        "rprs_mrkt_kor_name": "ETF" if listing.kind.is_fund else listing.market,
        "bstp_kor_isnm": company.sector,
        "cpfn": company.capital // 100_000_000,
        "stck_fcam": company.par,
        "lstn_stcn": company.shares,
        "hts_avls": company.market_cap(shown.last),
        "per": company.per(shown.last),
        "pbr": company.pbr(shown.last),
        "eps": f"{company.eps}.00",
        "bps": f"{company.bps}.00",
        "stac_month": company.fiscal_month,
        "fcam_cnnm": "원" if company.par else "",
        "cpfn_cnnm": "억 원" if company.par else "",
    }


def _pivots(truth: Truth, shown: Shown) -> dict[str, object]:
    """The day before's pivot point with two resistances and supports, and DeMark's pair."""
    day = truth.market.session_of(truth.time)
    bar = truth.market.bar(shown.listing.code, truth.calendar.previous_session(day))
    high, low, close = bar.high, bar.low, bar.close
    pivot = (high + low + close) // 3
    lean = low if close < bar.open else high if close > bar.open else close
    base = high + low + close + lean
    return {
        "pvt_pont_val": pivot,
        "pvt_frst_dmrs_prc": 2 * pivot - low,
        "pvt_scnd_dmrs_prc": pivot + high - low,
        "pvt_frst_dmsp_prc": 2 * pivot - high,
        "pvt_scnd_dmsp_prc": pivot - (high - low),
        "dmrs_val": base // 2 - low,
        "dmsp_val": base // 2 - high,
    }


def _ranges(truth: Truth, shown: Shown) -> dict[str, object]:
    """The highest and lowest prices of 250 sessions, of the year and of 52 weeks."""
    today, code, last = truth.time.date(), shown.listing.code, shown.last
    found: dict[str, object] = {}
    for name, since, suffix in (
        ("d250", today - timedelta(days=365), "vrss_prpr_rate"),
        ("dryy", today.replace(month=1, day=1), "vrss_prpr_rate"),
        ("w52", today - timedelta(weeks=52), "vrss_prpr_ctrt"),
    ):
        reach = extremes(truth.market, code, since, truth.time)
        if reach is None:
            continue
        price = f"stck_{name}" if name == "dryy" else name
        for which, value, day in (
            ("hgpr", reach.high, reach.high_day),
            ("lwpr", reach.low, reach.low_day),
        ):
            found[f"{price}_{which}"] = value
            found[f"{name}_{which}_date"] = f"{day:%Y%m%d}"
            found[f"{name}_{which}_{suffix}"] = percent(last - value, value)
    return found


def inquire_asking_price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Ten levels a side, empty ones as zero, and the expected match of an auction."""
    shown = _look_either(truth, ask)
    book = book_of(truth, ask.get("FID_COND_MRKT_DIV_CODE"), shown.listing.code)
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
    expected = shown.expected or shown.last
    change = expected - shown.bar.reference
    match = {
        "antc_mkop_cls_code": "311" if truth.phase() is Phase.PRE_OPEN else "112",
        "stck_prpr": shown.last,
        "stck_oprc": shown.open,
        "stck_hgpr": shown.high,
        "stck_lwpr": shown.low,
        "stck_sdpr": shown.bar.reference,
        "antc_cnpr": expected,
        "antc_cntg_vrss_sign": shown.sign(expected),
        "antc_cntg_vrss": change,
        "antc_cntg_prdy_ctrt": shown.rate(expected),
        "stck_shrn_iscd": shown.listing.code,
        "vi_cls_code": shown.vi,
    }
    call = "inquire_asking_price_exp_ccn"
    return done(
        ask, {"output1": fill(call, "output1", values), "output2": fill(call, "output2", match)}
    )


MOST_AT_ONCE = 30


def intstock_multprice(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Up to thirty instruments at once, in the order they were asked for."""
    codes = [ask.get(f"FID_INPUT_ISCD_{n}") for n in range(1, MOST_AT_ONCE + 1)]
    rows = []
    for number, code in enumerate(codes, start=1):
        if not code:
            continue
        if ask.get(f"FID_COND_MRKT_DIV_CODE_{number}") not in MARKETS:
            raise Refusal(
                "OPSQ2001", f"ERROR INPUT FIELD NOT FOUND [FID_COND_MRKT_DIV_CODE_{number}]"
            )
        if code not in truth.market:
            raise Refusal("MCA05918", "종목코드 오류입니다.")
        rows.append(fill("intstock_multprice", "output", _watched(truth, code)))
    return done(ask, {"output": rows})


def _watched(truth: Truth, code: str) -> dict[str, object]:
    shown = truth.market.shown(code, truth.time)
    book = truth.book(code)
    asks, bids = book.levels(Side.SELL), book.levels(Side.BUY)
    return {
        "kospi_kosdaq_cls_name": "코스닥" if shown.listing.market == "KOSDAQ" else "거래소",
        "mrkt_trtm_cls_name": "거래정지" if shown.halted else "정상",
        "hour_cls_code": "0" if truth.phase() is Phase.REGULAR else "B",
        "inter_shrn_iscd": code,
        "inter_kor_isnm": shown.listing.name,
        "inter2_prpr": shown.last,
        "inter2_prdy_vrss": shown.change,
        "prdy_vrss_sign": shown.sign(shown.last),
        "prdy_ctrt": shown.rate(shown.last),
        "acml_vol": shown.volume,
        "inter2_oprc": shown.open,
        "inter2_hgpr": shown.high,
        "inter2_lwpr": shown.low,
        "inter2_llam": shown.lower,
        "inter2_mxpr": shown.upper,
        "inter2_askp": asks[0].price if asks else 0,
        "inter2_bidp": bids[0].price if bids else 0,
        "seln_rsqn": asks[0].quantity if asks else 0,
        "shnu_rsqn": bids[0].quantity if bids else 0,
        "total_askp_rsqn": sum(level.quantity for level in asks),
        "total_bidp_rsqn": sum(level.quantity for level in bids),
        "acml_tr_pbmn": shown.turnover,
        "inter2_prdy_clpr": shown.bar.reference,
        "oprc_vrss_hgpr_rate": percent(shown.high - shown.open, shown.open),
        "intr_antc_cntg_vrss": 0,
        "intr_antc_cntg_vrss_sign": "3",
        "intr_antc_cntg_prdy_ctrt": "0.00",
        "intr_antc_vol": 0,
        "inter2_sdpr": shown.bar.reference,
    }


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


HANDLERS = {
    "inquire_price": inquire_price,
    "inquire_asking_price_exp_ccn": inquire_asking_price,
    "intstock_multprice": intstock_multprice,
    "chk_holiday": chk_holiday,
}
