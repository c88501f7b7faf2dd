"""Every domestic inquiry: the keys of the broker's table, numbers where it says numbers, true values.

A value that nothing ever fills is named below with the reason why it is empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import pytest

from tests.conftest import SHARED
from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import ACCOUNT, Hand
from trading.domain.sessions import SEOUL
from trading.kis_wire import Field, calls
from trading.simulator.wire import NUMBERS

CAPTURED = SHARED / "data" / "kis_rest"
Params = dict[str, str]


def quote(code: str = "005930", market: str = "J", **more: str) -> Params:
    return {"FID_COND_MRKT_DIV_CODE": market, "FID_INPUT_ISCD": code, **more}


def index(**more: str) -> Params:
    return quote("0001", "U", **more)


def ranking(screen: str, **more: str) -> Params:
    """The documents' example of a ranking."""
    common = {"FID_DIV_CLS_CODE": "0", "FID_TRGT_CLS_CODE": "0", "FID_TRGT_EXLS_CLS_CODE": "0"}
    return quote("0000", FID_COND_SCR_DIV_CODE=screen, **common, **more)


def reports(sort: str) -> Params:
    """The example of a ranking by reports of a year that is out."""
    option = {"FID_INPUT_OPTION_1": "2025", "FID_INPUT_OPTION_2": "3"}
    return option | {"FID_RANK_SORT_CLS_CODE": sort, "FID_BLNG_CLS_CODE": "0"}


def between(first: str, last: str) -> Params:
    return {"FID_INPUT_DATE_1": first, "FID_INPUT_DATE_2": last}


EXAMPLES: dict[str, Params] = {
    "inquire_price_2": quote(),
    "inquire_investor": quote("000660"),
    "inquire_member": quote("000660"),
    "exp_closing_price": quote(
        "0001",
        FID_COND_SCR_DIV_CODE="11173",
        FID_BLNG_CLS_CODE="0",
        FID_RANK_SORT_CLS_CODE="0",
    ),
    "inquire_index_price": index(),
    "inquire_index_daily_price": index(FID_INPUT_DATE_1="20261120", FID_PERIOD_DIV_CODE="D"),
    "inquire_index_category_price": index(
        FID_COND_SCR_DIV_CODE="20214", FID_MRKT_CLS_CODE="K2", FID_BLNG_CLS_CODE="0"
    ),
    "inquire_index_timeprice": quote("1001", "U", FID_INPUT_HOUR_1="120"),
    "inquire_index_tickprice": quote("1001", "U"),
    "inquire_daily_indexchartprice": index(
        **between("20260801", "20261120"), FID_PERIOD_DIV_CODE="D"
    ),
    "inquire_time_indexchartprice": quote(
        "1001", "U", FID_INPUT_HOUR_1="120", FID_PW_DATA_INCU_YN="Y", FID_ETC_CLS_CODE="0"
    ),
    "market_time": {},
    "news_title": {},
    "inquire_vi_status": {
        "FID_COND_SCR_DIV_CODE": "20139",
        "FID_MRKT_CLS_CODE": "0",
        "FID_RANK_SORT_CLS_CODE": "0",
        "FID_INPUT_DATE_1": "20261120",
        "FID_DIV_CLS_CODE": "0",
    },
    "search_stock_info": {"PDNO": "000660", "PRDT_TYPE_CD": "300"},
    "search_info": {"PDNO": "000660", "PRDT_TYPE_CD": "300"},
    "finance_financial_ratio": quote(FID_DIV_CLS_CODE="1"),
    "finance_income_statement": quote(FID_DIV_CLS_CODE="1"),
    "finance_balance_sheet": quote(FID_DIV_CLS_CODE="1"),
    "finance_profit_ratio": quote(FID_DIV_CLS_CODE="1"),
    "finance_stability_ratio": quote(FID_DIV_CLS_CODE="1"),
    "finance_growth_ratio": quote(FID_DIV_CLS_CODE="1"),
    "finance_other_major_ratios": quote(FID_DIV_CLS_CODE="1"),
    "estimate_perform": {"SHT_CD": "005930"},
    "ksdinfo_dividend": {"GB1": "0", "F_DT": "20230301", "T_DT": "20260326", "HIGH_GB": "0"},
    "invest_opinion": quote(FID_COND_SCR_DIV_CODE="16633", **between("20260101", "20261120")),
    "inquire_investor_daily_by_market": index(FID_INPUT_DATE_1="20261119", FID_INPUT_ISCD_1="KSP"),
    "inquire_investor_time_by_market": {"FID_INPUT_ISCD": "KSP", "FID_INPUT_ISCD_2": "0001"},
    "investor_trade_by_stock_daily": quote(FID_INPUT_DATE_1="20261119"),
    "investor_trend_estimate": {"MKSC_SHRN_ISCD": "000660"},
    "foreign_institution_total": quote(
        "0000",
        "V",
        FID_COND_SCR_DIV_CODE="16449",
        FID_DIV_CLS_CODE="0",
        FID_RANK_SORT_CLS_CODE="0",
        FID_ETC_CLS_CODE="0",
    ),
    "program_trade_by_stock": quote(),
    "program_trade_by_stock_daily": quote(FID_INPUT_DATE_1="20261119"),
    "daily_short_sale": quote(**between("20261001", "20261120")),
    "daily_credit_balance": quote(FID_COND_SCR_DIV_CODE="20476", FID_INPUT_DATE_1="20261120"),
    "inquire_daily_trade_volume": quote(**between("20261101", "20261120"), FID_PERIOD_DIV_CODE="D"),
    "volume_rank": ranking("20171", FID_BLNG_CLS_CODE="0", FID_INPUT_DATE_1="0"),
    "fluctuation": ranking("20170", FID_RANK_SORT_CLS_CODE="0", FID_INPUT_CNT_1="0"),
    "market_cap": ranking("20174"),
    "market_value": ranking("20179", **reports("23")),
    "finance_ratio": ranking("20175", **reports("7")),
    "volume_power": ranking("20168"),
    "quote_balance": ranking("20172", FID_RANK_SORT_CLS_CODE="0"),
    "near_new_highlow": ranking("20187", FID_PRC_CLS_CODE="0"),
    "dividend_rate": {
        "GB1": "0",
        "UPJONG": "0001",
        "GB2": "0",
        "GB3": "2",
        "F_DT": "20200101",
        "T_DT": "20261120",
        "GB4": "0",
    },
    "top_interest_stock": ranking("20180", FID_INPUT_CNT_1="1", FID_INPUT_ISCD_2="000000"),
    "profit_asset_index": ranking("20173", **reports("0")),
    "disparity": ranking("20178", FID_RANK_SORT_CLS_CODE="0", FID_HOUR_CLS_CODE="0000"),
    "short_sale": ranking(
        "20482", FID_PERIOD_DIV_CODE="D", FID_INPUT_CNT_1="000000000000", FID_APLY_RANG_VOL="0"
    ),
    "etf_inquire_price": quote("069500"),
    "etf_inquire_component_stock_price": quote("069500", FID_COND_SCR_DIV_CODE="11216"),
    "etf_nav_comparison_trend": quote("069500"),
    "etf_nav_comparison_daily_trend": quote("069500", **between("20260701", "20261120")),
    "etf_nav_comparison_time_trend": quote("069500", "E", FID_HOUR_CLS_CODE="60"),
    "inquire_credit_psamount": {
        "PDNO": "005930",
        "ORD_UNPR": "95000",
        "ORD_DVSN": "01",
        "CRDT_TYPE": "21",
        "CMA_EVLU_AMT_ICLD_YN": "N",
        "OVRS_ICLD_YN": "N",
    },
    "intgr_margin": {
        "CMA_EVLU_AMT_ICLD_YN": "N",
        "WCRC_FRCR_DVSN_CD": "01",
        "FWEX_CTRT_FRCR_DVSN_CD": "01",
    },
    "period_rights": {"INQR_DVSN": "03", "INQR_STRT_DT": "20260508", "INQR_END_DT": "20261106"},
}
"""The documents' example of every call, moved into the days of the tests."""

SWEEP: dict[str, list[Params]] = {
    "search_stock_info": [{"PDNO": "069500"}, {"PDNO": "247540"}],
    "fluctuation": [{"FID_INPUT_CNT_1": "5"}],
    "finance_other_major_ratios": [{"FID_DIV_CLS_CODE": "0", "FID_INPUT_ISCD": "000660"}],
    "etf_inquire_price": [{"FID_INPUT_ISCD": "102110"}],
    "ksdinfo_dividend": [{"GB1": "2"}],
    "dividend_rate": [{"GB4": "2"}],
}
"""What is asked beside the example to see every field filled once."""

NEVER: dict[str, tuple[str, ...]] = {
    "other corporations and organisations trade nothing": (r".*\.etc_(\w+_)?(ntby|seln|shnu)_.*",),
    "rights never happen, and no interruption looks from trade to trade": (
        r"period_rights\..*",
        r"inquire_vi_status\.vi_dmc_.*",
    ),
    "nothing is delisted, traded beside the exchange or registered beside the listing": (
        r"search_stock_info\.(scts_mket_lstg_abol_dt|kosdaq_mket_lstg_abol_dt|lstg_abol_dt)",
        r"search_stock_info\.(frbd_mket_lstg_dt|frbd_mket_lstg_abol_dt|dpsi_erlm_cncl_dt)",
        r"search_stock_info\.(reits_kind_cd|mfnd_opng_dt|mfnd_end_dt)",
        r"search_stock_info\.frnr_psnl_lmt_rt",
    ),
    "nothing is warned of, revalued, newly listed or without a dividend": (
        r"inquire_price_2\.(new_hgpr_lwpr_cls_code|divi_app_cls_code|short_over_cls_code)",
        r"inquire_price_2\.(new_lstn_cls_name|vlnt_deal_cls_name|flng_cls_name)",
        r"inquire_price_2\.(revl_issu_reas_name|mrkt_warn_cls_name|fcam_mod_cls_name)",
    ),
    "the exchange keeps no limit to foreigners; one analyst signs": (
        r"estimate_perform\.(forn_item_lmtrt|name2)",
    ),
    "there were no dividends in shares": (
        r"ksdinfo_dividend\.(stk_divi_rate|stk_div_pay_dt|odd_pay_dt)",
    ),
    "a headline is about one instrument at most": (r"news_title\.iscd[2-5]",),
    "a fund here is in won and never ends": (r"etf_inquire_price\.(etf_frcr_\w+|mtrt_date)",),
    "no foreign money, no funds or bonds to redeem, no loans, no integrated margin": (
        r"inquire_credit_psamount\.(fund_rpch_chgs|cma_evlu_amt|ovrs_re_use_amt_wcrc)",
        r"inquire_credit_psamount\.ord_psbl_frcr_amt_wcrc",
        r"intgr_margin\.(usd|hkd|jpy|cny|hgkg_cny)_.*(amt)",
        r"intgr_margin\.stck_itgr_.*",
        r"intgr_margin\.\w+_ovrs_use_amt",
        r"intgr_margin\.(bond_ruse_psbl|stck_fund_rpch|stck_fncg_rdpt|bond_itgr|bond_re_use)_.*",
        r"intgr_margin\.(stck_sbst_use_amt|stck_evlu_use_amt|stck_loan_grta_ruse_psbl_amt)",
        r"intgr_margin\.(rcvb_amt|lmt_amt|acmga_pct100_aptm_rson|ovrs_stck_itgr_mgna_dvsn_name)",
    ),
}
"""Fields that may be empty or zero in every row, by the reason."""


UNLISTED = {
    "hgkg_cny_re_use_objt_amt",
    "hgkg_cny_re_use_oth_use_amt",
    "hgkg_cny_re_use_ord_psbl_amt",
}
"""Keys that an example body has and the broker's own table of fields has not."""


def fields_of(call: str) -> Iterator[tuple[str, Field]]:
    for output in calls()[call].outputs:
        for field in output.fields:
            yield output.key, field


def rows_of(body: dict[str, Any], key: str) -> list[dict[str, str]]:
    found = body.get(key, [])
    return found if isinstance(found, list) else [found]


def may_be_empty(call: str, name: str) -> bool:
    return any(
        re.fullmatch(pattern, f"{call}.{name}") for group in NEVER.values() for pattern in group
    )


def is_number(text: str) -> bool:
    if "E" in text.upper():  # the broker never writes an exponent
        return False
    try:
        return Decimal(text.strip()).is_finite()
    except InvalidOperation:
        return False


@cache
def captured() -> dict[str, Any]:
    """The documents' bodies by path."""
    found: dict[str, Any] = {}
    for file in sorted(CAPTURED.glob("*.json")):
        body = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(body, dict) and "_meta" in body:
            found.setdefault(str(body["_meta"].get("url", "")), body["body"])
    return found


def test_every_domestic_inquiry_has_its_example() -> None:
    groups = {
        "domestic quotations",
        "domestic index / calendar / news",
        "domestic instrument info / finance",
        "domestic market analysis",
        "domestic ranking",
        "ETF/ETN",
    }
    older = {
        "inquire_price", "inquire_asking_price_exp_ccn", "inquire_ccnl", "inquire_daily_price",
        "inquire_daily_itemchartprice", "inquire_time_itemchartprice", "intstock_multprice",
        "inquire_time_dailychartprice", "inquire_time_itemconclusion", "chk_holiday",
    }  # fmt: skip
    account = {"inquire_credit_psamount", "intgr_margin", "period_rights"}
    wanted = {call.name for call in calls().values() if call.group in groups} - older
    assert set(EXAMPLES) == wanted | account


@pytest.fixture
def auction(make: Make) -> Hand:
    """In the closing auction, when every screen has something to show."""
    start = datetime(2026, 11, 20, 15, 25, tzinfo=SEOUL)
    return Hand(make(start=start)).login()


@pytest.mark.parametrize("call", EXAMPLES)
def test_a_reply_has_the_keys_of_the_table_and_numbers_where_it_says_numbers(
    auction: Hand, call: str
) -> None:
    answer = auction.ask(call, **EXAMPLES[call])
    assert (answer.status, answer.json["rt_cd"]) == (200, "0"), answer.json
    assert answer.headers["tr_cont"] == "D"
    for output in calls()[call].outputs:
        block = answer.json[output.key]
        assert isinstance(block, list) is (output.kind == "array")
        rows = rows_of(answer.json, output.key)
        if call not in ("inquire_vi_status", "period_rights"):
            assert rows, output.key
        for row in rows:
            assert list(row) == [field.name for field in output.fields]
            for field in output.fields:
                value = row[field.name]
                assert isinstance(value, str)
                if field.meaning in NUMBERS:
                    assert is_number(value), (field.name, value)
                if field.meaning == "date" and call != "ksdinfo_dividend":
                    assert re.fullmatch(r"(\d{8})?|\d{4}\.\d\dE?", value), (field.name, value)
                if field.meaning == "flag":
                    assert value in ("Y", "N"), (field.name, value)


@pytest.mark.parametrize("call", [c for c in EXAMPLES if calls()[c].path in captured()] or [""])
@pytest.mark.skipif(not CAPTURED.exists(), reason="the broker's example bodies are not here")
def test_a_reply_looks_like_the_documents_example(auction: Hand, call: str) -> None:
    body = captured()[calls()[call].path]
    ours = auction.ask(call, **EXAMPLES[call]).json
    for key, block in body.items():
        assert key in ours, key
        if not isinstance(block, dict | list):
            continue
        assert isinstance(ours[key], type(block)), key
        examples, rows = rows_of(body, key), rows_of(ours, key)
        if not examples or not rows:
            continue
        assert set(examples[0]) - set(rows[0]) <= UNLISTED, key
        for name in set(examples[0]) - UNLISTED:
            told = [row[name] for row in examples if row.get(name, "").strip()]
            if told and all(is_number(text) for text in told):
                assert all(is_number(row[name] or "0") for row in rows), name


def test_no_field_is_left_to_its_schema(make: Make) -> None:
    """Every field of every call has a true value in some row of a day, or a reason not to."""
    holdings = {"069500": 40, "005930": 25}
    entry = {"appkey": "K" * 36, "appsecret": "S" * 180, "account": ACCOUNT}
    start = datetime(2026, 11, 20, 9, 35, tzinfo=SEOUL)
    sim = make(start=start, accounts=[{**entry, "cash": 9_000_000, "holdings": holdings}])
    hand = Hand(sim, appkey="K" * 36, appsecret="S" * 180).login()
    filled: set[str] = set()

    def look() -> None:
        for call, params in EXAMPLES.items():
            for change in ({}, *SWEEP.get(call, [])):
                body = hand.ask(call, **(params | change)).json
                for key, field in fields_of(call):
                    rows = rows_of(body, key)
                    if any(tells(field, row[field.name].strip()) for row in rows):
                        filled.add(f"{call}.{key}.{field.name}")

    hand.order("sell", "069500", 40)
    hand.order("buy", "005930", 100, 90_000)
    sim.arm("E02", params={"ticker": "005930"})
    look()
    shown = {code: hand.price(code).json["output"] for code in ("005930", "000660")}
    sim.set_price("000660", int(shown["000660"]["stck_mxpr"]))
    sim.set_price("005930", int(shown["005930"]["stck_llam"]))
    sim.advance(3 * 3_600)
    look()
    sim.advance(2.8 * 3_600)
    look()
    every = {f"{call}.{key}.{f.name}" for call in EXAMPLES for key, f in fields_of(call)}
    empty = {
        name for name in every - filled if not may_be_empty(name.split(".")[0], name.split(".")[-1])
    }
    assert not empty, sorted(empty)
    unused = {
        pattern
        for group in NEVER.values()
        for pattern in group
        if not any(
            re.fullmatch(pattern, f"{name.split('.')[0]}.{name.split('.')[-1]}")
            for name in every - filled
        )
    }
    assert not unused, f"never matched: {sorted(unused)}"


def tells(field: Field, text: str) -> bool:
    """True of anything but nothing; a code of zeros is a code."""
    if field.meaning == "code":
        return bool(text)
    return bool(text) and not (is_number(text) and Decimal(text) == 0)


@pytest.mark.parametrize("call", EXAMPLES)
def test_mock_answers_what_mock_offers_and_nothing_else(make: Make, call: str) -> None:
    hand = Hand(make(profile="mock")).login()
    row = calls()[call]
    if row.mock:
        assert hand.ask(call, **EXAMPLES[call]).json["rt_cd"] == "0"
        return
    hand.extra = {"tr_id": row.trs[0].real or ""}
    assert hand.ask(call, **EXAMPLES[call]).code == "OPSQ0002"


@pytest.mark.parametrize("tame", [True, False])
@pytest.mark.parametrize(
    "start",
    ["2026-11-20T08:35", "2026-11-20T09:00", "2026-11-20T15:29", "2026-11-21T11:00",
     "2026-11-19T09:30", "2026-01-02T10:01", "2026-01-01T03:00", "2026-11-20T23:59"],
)  # fmt: skip
def test_every_call_answers_at_any_hour(make: Make, start: str, tame: bool) -> None:
    moment = datetime.fromisoformat(start).replace(tzinfo=SEOUL)
    hand = Hand(make(start=moment, tame=tame, seed=3)).login()
    for call, params in EXAMPLES.items():
        answer = hand.ask(call, **params)
        assert (answer.status, answer.json["rt_cd"]) == (200, "0"), (call, answer.text)
