"""What an instrument is, on the wire: the broker's two registers and the second price screen."""

from __future__ import annotations

from datetime import date

from trading.domain.instruments import InstrumentKind
from trading.simulator.calls.filters import is_preferred
from trading.simulator.calls.funds import UNIT
from trading.simulator.calls.quotes import done, look
from trading.simulator.company import company_of
from trading.simulator.http import Reply, json_reply
from trading.simulator.indices import INDICES, members
from trading.simulator.market import Shown, percent, sign
from trading.simulator.papers import Paper, paper_of
from trading.simulator.truth import Truth
from trading.simulator.us.listings import LISTINGS, PRODUCT_TYPES
from trading.simulator.windows import Board
from trading.simulator.wire import MSG_WIDTH, Ask, fill

__all__ = ["HANDLERS", "sector_index", "size_index"]

DOMESTIC = "300"
NAMES = {"002": "시가총액규모대", "003": "시가총액규모중", "004": "시가총액규모소"}


def _answer(ask: Ask, call: str, values: dict[str, object] | None) -> Reply:
    """One register entry; rt_cd 7 where there is none of that type."""
    told = (
        ("0", "KIOK0530", "조회되었습니다")
        if values
        else ("7", "KIOK0560", "조회할 내용이 없습니다")
    )
    body: dict[str, object] = {"output": fill(call, "output", values)} if values else {}
    rt_cd, msg_cd, msg1 = told
    body |= {"rt_cd": rt_cd, "msg_cd": msg_cd, "msg1": msg1.ljust(MSG_WIDTH)}
    return json_reply(body, headers={"tr_id": ask.tr_id, "tr_cont": "D"})


def _asked(truth: Truth, ask: Ask) -> Shown | None:
    """The instrument, if the product type is that of shares and funds and the code is listed."""
    code = ask.get("PDNO").removeprefix("00000A")
    if ask.get("PRDT_TYPE_CD") != DOMESTIC or code not in truth.market:
        return None
    return truth.market.shown(code, truth.time)


def _paper(truth: Truth, shown: Shown) -> Paper:
    return paper_of(truth.seed, shown.listing, company_of(truth.seed, shown.listing).sector)


def sector_index(truth: Truth, shown: Shown) -> str:
    """The code of the index of an instrument's sector, else of its market; empty for a fund."""
    if shown.listing.kind.is_fund:
        return ""
    sector = company_of(truth.seed, shown.listing).sector
    of_sector = (one for one in INDICES.values() if one.sector == sector)
    found = (one.code for one in of_sector if shown.listing.code in members(truth.market, one))
    return next(found, "1001" if shown.listing.market == "KOSDAQ" else "0001")


def size_index(truth: Truth, shown: Shown) -> str:
    """The code of the index of companies of its size, empty for a fund."""
    codes = ("0002", "0003", "0004", "1002", "1003", "1004")
    found = [c for c in codes if shown.listing.code in members(truth.market, INDICES[c])]
    return found[0] if found else ""


# --- registers --------------------------------------------------------------------------------
def search_info(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The register of products; rt_cd 7 for a product type that the code is not of."""
    shown = _asked(truth, ask)
    if shown is None:
        return _answer(ask, "search_info", _abroad(ask))
    fund = shown.listing.kind.is_fund
    values: dict[str, object] = {
        "shtn_pdno": shown.listing.code,
        "prdt_sale_stat_cd": "01",
        "prdt_risk_grad_cd": "02" if fund else "01",
        "prdt_clsf_cd": "101130" if fund else "101110",
        "prdt_clsf_name": "ETF" if fund else "주권",
        "sale_strt_dt": f"{_paper(truth, shown).listed:%Y%m%d}",
        "sale_end_dt": "99991231",
        "wrap_asst_type_cd": "06",
        "ivst_prdt_type_cd": "1011",
        "ivst_prdt_type_cd_name": "국내주식",
        "frst_erlm_dt": f"{_paper(truth, shown).listed:%Y%m%d}",
    }
    return _answer(ask, "search_info", _names(truth, shown) | values)


def _abroad(ask: Ask) -> dict[str, object] | None:
    """A US listing, if the product type is that of its exchange."""
    listing = LISTINGS.get(ask.get("PDNO"))
    if listing is None or PRODUCT_TYPES[listing.exchange] != ask.get("PRDT_TYPE_CD"):
        return None
    names = {
        "prdt_name": listing.name,
        "prdt_name120": listing.name,
        "prdt_abrv_name": listing.name,
    }
    english = dict.fromkeys(
        ("prdt_eng_name", "prdt_eng_name120", "prdt_eng_abrv_name"), listing.english
    )
    return {
        "pdno": listing.code,
        "prdt_type_cd": ask.get("PRDT_TYPE_CD"),
        **names,
        **english,
        "std_pdno": listing.isin,
        "shtn_pdno": listing.code,
        "prdt_sale_stat_cd": "01",
        "prdt_risk_grad_cd": "01",
        "prdt_clsf_cd": "201310" if listing.fund else "201110",
        "prdt_clsf_name": "해외ETF" if listing.fund else "해외주식",
        "sale_end_dt": "99991231",
        "wrap_asst_type_cd": "07",
        "ivst_prdt_type_cd": "1021",
        "ivst_prdt_type_cd_name": "해외주식",
    }


def _names(truth: Truth, shown: Shown) -> dict[str, object]:
    listing, paper = shown.listing, _paper(truth, shown)
    full = listing.name if listing.kind.is_fund else f"{listing.name}보통주"
    full = f"{listing.name}우선주" if is_preferred(listing) else full
    return {
        "pdno": f"00000A{listing.code}",
        "prdt_type_cd": DOMESTIC,
        "prdt_name": full,
        "prdt_name120": full,
        "prdt_abrv_name": listing.name,
        "prdt_eng_name": paper.english,
        "prdt_eng_name120": paper.english,
        "prdt_eng_abrv_name": paper.english,
        "std_pdno": paper.isin,
    }


def search_stock_info(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The register of shares and funds: numbers, dates, classes, closes."""
    shown = _asked(truth, ask)
    if shown is None:
        return _answer(ask, "search_stock_info", None)
    values = _names(truth, shown) | _classes(truth, shown) | _shares(truth, shown)
    return _answer(ask, "search_stock_info", values | _closes(truth, shown) | _marks(truth, shown))


def _classes(truth: Truth, shown: Shown) -> dict[str, object]:
    listing, paper = shown.listing, _paper(truth, shown)
    kosdaq, fund = listing.market == "KOSDAQ", listing.kind.is_fund
    listed = f"{paper.listed:%Y%m%d}"
    sector, size = sector_index(truth, shown)[1:], size_index(truth, shown)[1:]
    name = company_of(truth.seed, listing).sector if sector else ""
    return {
        "mket_id_cd": "KSQ" if kosdaq else "STK",
        "scty_grp_id_cd": "EF" if fund else "ST",
        "excg_dvsn_cd": "03" if kosdaq else "02",
        "kospi200_item_yn": "Y" if listing.code in members(truth.market, INDICES["2001"]) else "N",
        "scts_mket_lstg_dt": "" if kosdaq else listed,
        "kosdaq_mket_lstg_dt": listed if kosdaq else "",
        "etf_dvsn_cd": "1" if listing.kind is InstrumentKind.ETF else "0",
        "oilf_fund_yn": "N",
        "idx_bztp_lcls_cd": size,
        "idx_bztp_lcls_cd_name": NAMES.get(size, ""),
        "idx_bztp_mcls_cd": sector,
        "idx_bztp_mcls_cd_name": name,
        "idx_bztp_scls_cd": sector,
        "idx_bztp_scls_cd_name": name,
        "stck_kind_cd": "201" if is_preferred(listing) else "101",
        "std_idst_clsf_cd": paper.industry[0],
        "std_idst_clsf_cd_name": paper.industry[1],
        "etf_type_cd": "01" if fund else "",
        "etf_txtn_type_cd": "00",
        "nwst_odst_dvsn_cd": "1",
        "ocr_no": paper.ocr,
        "issu_istt_cd": listing.code[:5],
        "lstg_rqsr_issu_istt_cd": listing.code[:5],
        "lstg_rqsr_item_cd": paper.isin,
        "trst_istt_issu_istt_cd": listing.code[:5] if fund else "",
        "stln_int_rt_dvsn_cd": "01",
    }


def _shares(truth: Truth, shown: Shown) -> dict[str, object]:
    company, fund = company_of(truth.seed, shown.listing), shown.listing.kind.is_fund
    return {
        "setl_mmdd": company.fiscal_month,
        "lstg_stqt": company.shares,
        "lstg_cptl_amt": company.capital,
        "cpta": company.capital,
        "papr": company.par,
        "issu_pric": company.par,
        "etf_cu_qty": UNIT if fund else 0,
        "etf_chas_erng_rt_dbnb": "1.00" if fund else "0.00",
    }


def _closes(truth: Truth, shown: Shown) -> dict[str, object]:
    """The close of the last session that is over, the one before it, and what collateral is worth."""
    code, day = shown.listing.code, _last_over(truth)
    before = truth.calendar.previous_session(day)
    collateral = shown.bar.reference * 7 // 10
    return {
        "thdt_clpr": truth.market.settled(code, day),
        "bfdy_clpr": truth.market.settled(code, before),
        "clpr_chng_dt": f"{day:%Y%m%d}",
        "sbst_pric": collateral,
        "thco_sbst_pric": collateral,
        "thco_sbst_pric_chng_dt": f"{truth.market.session_of(truth.time):%Y%m%d}",
    }


def _last_over(truth: Truth) -> date:
    day = truth.market.session_of(truth.time)
    over = truth.time >= truth.calendar.session_hours(day).close
    return day if over else truth.calendar.previous_session(day)


def _marks(truth: Truth, shown: Shown) -> dict[str, object]:
    """State; nobody here is administered."""
    on_nxt = truth.floor.trades(Board.NXT, shown.listing.code)
    return {
        "tr_stop_yn": "Y" if shown.halted else "N",
        "admn_item_yn": "N",
        "crfd_item_yn": "N",
        "elec_scty_yn": "Y",
        "dpsi_aptm_erlm_yn": "Y",
        "etf_etn_ivst_heed_item_yn": "N",
        "frnr_psnl_lmt_rt": "0.00000000",
        "cptt_trad_tr_psbl_yn": "Y" if on_nxt else "N",
        "nxt_tr_stop_yn": "Y" if on_nxt and shown.halted else "N",
    }


# --- the second price screen ------------------------------------------------------------------
def inquire_price_2(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The last price against the day's open, high and low, with state and sector."""
    shown = look(truth, ask)
    values: dict[str, object] = {
        "rprs_mrkt_kor_name": _market_name(truth, shown),
        "mxpr_llam_cls_code": {shown.upper: "1", shown.lower: "2"}.get(shown.last, "0"),
        "crdt_able_yn": "Y",
        "crdt_rate": "40.00",
        "marg_rate": "20.00",
        "stck_mxpr": shown.upper,
        "stck_llam": shown.lower,
        "stck_sdpr": shown.bar.reference,
        "stck_prdy_clpr": shown.bar.reference,
        "bstp_cls_code": sector_index(truth, shown),
        "bstp_kor_isnm": company_of(truth.seed, shown.listing).sector,
        "stck_prpr": shown.last,
        "prdy_vrss": shown.change,
        "prdy_vrss_sign": shown.sign(shown.last),
        "prdy_ctrt": shown.rate(shown.last),
        "acml_tr_pbmn": shown.turnover,
        "acml_vol": shown.volume,
        "prdy_vol": shown.previous_volume,
        "prdy_vrss_vol_rate": shown.volume_rate,
        "mrkt_warn_cls_code": "00",
        "trht_yn": "Y" if shown.halted else "N",
    }
    for short, price in (("oprc", shown.open), ("hgpr", shown.high), ("lwpr", shown.low)):
        change = shown.last - price if price else 0
        values |= {
            f"stck_{short}": price,
            f"{short}_vrss_prpr": change,
            f"{short}_vrss_prpr_sign": sign(change),
            f"prdy_clpr_vrss_{short}_rate": shown.rate(price) if price else percent(0, 0),
        }
    never = ("elw_pblc", "mang_issu", "short_over", "invt_caful", "stange_runup", "ssts_hot",
             "low_current", "insn_pbnt", "sltr", "oprc_rang_cont")  # fmt: skip
    values |= {f"{name}_yn": "N" for name in never}
    values |= {"vi_cls_code": shown.vi, "vlnt_fin_cls_code": "N"}
    return done(ask, {"output": fill("inquire_price_2", "output", values)})


def _market_name(truth: Truth, shown: Shown) -> str:
    if shown.listing.kind.is_fund:
        return "ETF"
    large = shown.listing.code in members(truth.market, INDICES["2001"])
    return "KOSPI200" if large else shown.listing.market


HANDLERS = {
    "search_stock_info": search_stock_info,
    "search_info": search_info,
    "inquire_price_2": inquire_price_2,
}
