"""Headlines that tell what screens show, the calendar's hours, auctions, and what may be spent."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import ACCOUNT, Hand
from trading.domain.sessions import SEOUL
from trading.simulator import Simulator

Rows = list[dict[str, str]]


def titles(hand: Hand, **params: str) -> Rows:
    found: Rows = hand.ask("news_title", **params).json["output"]
    return found


# --- headlines --------------------------------------------------------------------------------
def test_headlines_are_the_latest_and_none_is_of_the_future(sim: Simulator, hand: Hand) -> None:
    sim.advance(3_600)
    rows = titles(hand)
    stamps = [row["data_dt"] + row["data_tm"] for row in rows]
    assert len(rows) == 40
    assert stamps == sorted(stamps, reverse=True)
    assert stamps[0] <= f"{sim.now():%Y%m%d%H%M%S}"
    numbers = [row["cntt_usiq_srno"] for row in rows]
    assert len(set(numbers)) == 40
    assert numbers == sorted(numbers, reverse=True)


def test_a_headline_says_what_the_minute_showed(hand: Hand) -> None:
    about = next(row for row in titles(hand) if row["iscd1"])
    asked = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": about["iscd1"]}
    minutes: Rows = hand.ask(
        "inquire_time_dailychartprice",
        **asked,
        FID_INPUT_DATE_1=about["data_dt"],
        FID_INPUT_HOUR_1=about["data_tm"],
        FID_PW_DATA_INCU_YN="N",
    ).json["output2"]
    low, high = int(minutes[0]["stck_lwpr"]), int(minutes[0]["stck_hgpr"])
    price = int(about["hts_pbnt_titl_cntt"].split("원")[0].split()[-1].replace(",", ""))
    assert low <= price <= high


def test_the_markets_close_is_told_as_the_index_shows_it(sim: Simulator, hand: Hand) -> None:
    sim.advance(6.2 * 3_600)
    index = hand.ask("inquire_index_price", FID_COND_MRKT_DIV_CODE="U", FID_INPUT_ISCD="0001")
    level = Decimal(index.json["output"]["bstp_nmix_prpr"])
    assert f"{level:,}" in titles(hand)[0]["hts_pbnt_titl_cntt"]


def test_headlines_can_be_asked_for_by_moment_code_word_and_number(hand: Hand) -> None:
    rows = titles(hand)
    code = next(row["iscd1"] for row in rows if row["iscd1"])
    assert {row["iscd1"] for row in titles(hand, FID_INPUT_ISCD=code)} == {code}
    assert all("마감" in r["hts_pbnt_titl_cntt"] for r in titles(hand, FID_TITL_CNTT="마감"))
    padded = titles(hand, FID_INPUT_DATE_1="0020261119", FID_INPUT_HOUR_1="0000103000")
    assert padded == titles(hand, FID_INPUT_DATE_1="20261119", FID_INPUT_HOUR_1="103000")
    assert padded[0]["data_dt"] + padded[0]["data_tm"] <= "20261119103000"
    assert titles(hand, FID_INPUT_SRNO=rows[9]["cntt_usiq_srno"])[:30] == rows[10:]
    assert hand.ask("news_title", FID_INPUT_ISCD="999999").code == "MCA05918"
    assert hand.ask("news_title", FID_INPUT_HOUR_1="9").code == "OPSQ2001"


# --- hours, interruptions, auctions -----------------------------------------------------------
@pytest.mark.parametrize(
    ("start", "days", "hours"),
    [
        (
            "2026-11-20T09:35",
            ["20261118", "20261119", "20261120", "20261123", "20261124"],
            ("084500", "154500"),
        ),
        (
            "2026-11-19T09:35",
            ["20261117", "20261118", "20261119", "20261120", "20261123"],
            ("094500", "164500"),
        ),
        (
            "2026-11-21T09:35",
            ["20261118", "20261119", "20261120", "20261123", "20261124"],
            ("084500", "154500"),
        ),
    ],
)
def test_the_hours_around_a_day(
    make: Make, start: str, days: list[str], hours: tuple[str, str]
) -> None:
    sim = make(start=datetime.fromisoformat(start).replace(tzinfo=SEOUL))
    row = Hand(sim).login().ask("market_time").json["output1"]
    assert [row[f"date{n}"] for n in range(1, 6)] == days
    assert (row["s_time"], row["e_time"]) == hours
    assert row["today"] == start[:10].replace("-", "")


def test_there_are_no_interruptions(hand: Hand) -> None:
    asked = {"FID_COND_SCR_DIV_CODE": "20139", "FID_INPUT_DATE_1": "20261120"}
    assert hand.ask("inquire_vi_status", **asked).json["output"] == []
    assert hand.ask("inquire_vi_status", **asked, FID_INPUT_ISCD="999999").code == "MCA05918"


def test_a_close_is_expected_while_the_auction_lasts(make: Make) -> None:
    sim = make(start=datetime(2026, 11, 20, 15, 19, tzinfo=SEOUL))
    hand = Hand(sim).login()
    asked = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "0000"}
    assert hand.ask("exp_closing_price", **asked).json["output"] == []
    sim.advance(300)
    rows: Rows = hand.ask("exp_closing_price", **asked).json["output"]
    rates = [Decimal(row["prdy_ctrt"]) for row in rows]
    assert len(rows) == 19 and rates == sorted(rates, reverse=True)
    fallen: Rows = hand.ask("exp_closing_price", **asked, FID_RANK_SORT_CLS_CODE="4").json["output"]
    assert fallen == [row for row in rows[::-1] if int(row["prdy_vrss"]) < 0]
    sim.advance(600)
    assert hand.ask("exp_closing_price", **asked).json["output"] == []
    for row in rows:
        assert hand.price(row["stck_shrn_iscd"]).json["output"]["stck_prpr"] == row["stck_prpr"]


# --- what may be spent ------------------------------------------------------------------------
MARGIN = {
    "CMA_EVLU_AMT_ICLD_YN": "N",
    "WCRC_FRCR_DVSN_CD": "01",
    "FWEX_CTRT_FRCR_DVSN_CD": "01",
}
CREDIT = {"PDNO": "005930", "ORD_DVSN": "00", "ORD_UNPR": "98000", "CRDT_TYPE": "21"}

DOLLARS = (
    "objt", "use", "ord_psbl", "ruse_objt", "ruse", "ruse_ord_psbl", "gnrl_ord_psbl", "itgr_ord_psbl",
)  # fmt: skip


@pytest.fixture
def trader(make: Make) -> Hand:
    """An account with holdings, sales of today and a working buy."""
    entry = {"appkey": "K" * 36, "appsecret": "S" * 180, "account": ACCOUNT}
    sim = make(accounts=[{**entry, "cash": 3_000_000, "holdings": {"069500": 50, "000660": 3}}])
    hand = Hand(sim, appkey="K" * 36, appsecret="S" * 180).login()
    hand.order("sell", "069500", 40)
    hand.order("buy", "005930", 45, 90_000)
    return hand


def test_margins_are_what_the_other_screens_leave(trader: Hand) -> None:
    row = trader.ask("intgr_margin", **MARGIN).json["output"]
    power = trader.power("005930", 98_000).json["output"]
    rows, totals = trader.balance()
    amounts = {name: Decimal(text) for name, text in row.items() if text.endswith(".0000")}
    free = amounts["stck_cash_ord_psbl_amt"] + amounts["stck_ruse_psbl_ord_psbl_amt"]
    assert free == int(power["ord_psbl_cash"])
    there = amounts["stck_cash_objt_amt"] + amounts["stck_ruse_psbl_objt_amt"]
    assert there == int(totals["prvs_rcdl_excc_amt"])
    for name in ("cash", "ruse_psbl"):
        used = "stck_cash_use_amt" if name == "cash" else "stck_ruse_psbl_amt_use_amt"
        left = amounts[f"stck_{name}_objt_amt"] - amounts[used]
        assert amounts[f"stck_{name}_ord_psbl_amt"] == left
    assert amounts["stck_evlu_objt_amt"] == int(totals["scts_evlu_amt"])
    assert amounts["stck_cash100_max_ord_psbl_amt"] == int(power["nrcvb_buy_amt"])
    assert amounts["stck_cash20_max_ord_psbl_amt"] == int(power["max_buy_amt"])
    held = {one["pdno"]: int(one["hldg_qty"]) for one in rows}
    worth = sum(
        quantity * int(trader.price(code).json["output"]["stck_sspr"])
        for code, quantity in held.items()
        if quantity
    )
    assert amounts["stck_sbst_objt_amt"] == worth


def test_proceeds_that_come_late_are_in_no_margin_before_they_come(trader: Hand) -> None:
    trader.sim.arm("F02", params={"seconds": 60})
    trader.order("sell", "000660", 3)
    told = []
    for _moment in range(2):
        row = trader.ask("intgr_margin", **MARGIN).json["output"]
        credit = trader.ask("inquire_credit_psamount", **CREDIT).json["output"]
        free = Decimal(row["stck_cash_ord_psbl_amt"]) + Decimal(row["stck_ruse_psbl_ord_psbl_amt"])
        power = trader.power("005930", 98_000).json["output"]
        assert free == int(power["ord_psbl_cash"]) == int(credit["ord_psbl_cash"])
        told.append(free)
        trader.sim.advance(61)
    assert told[0] < told[1]


def test_dollars_and_their_rate_are_those_of_the_overseas_screens(make: Make) -> None:
    entry = {"appkey": "K" * 36, "appsecret": "S" * 180, "account": ACCOUNT}
    start = datetime(2026, 11, 20, 23, 45, tzinfo=SEOUL)
    held = {"overseas": {"AAPL": {"qty": 3, "avg": "200.00"}}}
    sim = make(start=start, accounts=[{**entry, "cash": 3_000_000, "usd": "20000.00", **held}])
    hand = Hand(sim, appkey="K" * 36, appsecret="S" * 180).login()
    hand.us_order("sell", "AAPL", 2, f"{Decimal(hand.us_price('AAPL')['last']) - 5:.2f}")
    hand.us_order("buy", "KO", 100, "30.00")
    sim.advance(10)
    row, power = hand.ask("intgr_margin", **MARGIN).json["output"], hand.us_power("AAPL")
    told = {name: Decimal(row[f"usd_{name}_amt"]) for name in DOLLARS}
    assert Decimal(row["usd_frst_bltn_exrt"]) == Decimal(power["exrt"])
    assert told["use"] > 3_000 and told["ord_psbl"] == told["objt"] - told["use"]
    assert told["ruse_ord_psbl"] == Decimal(power["sll_ruse_psbl_amt"]) > 0
    assert told["ord_psbl"] == Decimal(power["ord_psbl_frcr_amt"])
    assert told["gnrl_ord_psbl"] == told["itgr_ord_psbl"] == Decimal(power["ovrs_ord_psbl_amt"])


def test_looking_at_margins_opens_no_dollars(trader: Hand) -> None:
    row = trader.ask("intgr_margin", **MARGIN).json["output"]
    assert {Decimal(row[f"usd_{name}_amt"]) for name in DOLLARS} == {Decimal(0)}
    assert "us" not in trader.sim.truth()


def test_buying_on_credit_reaches_further_than_cash(trader: Hand) -> None:
    row = trader.ask("inquire_credit_psamount", **CREDIT).json["output"]
    power = trader.power("005930", 98_000).json["output"]
    for name in ("ord_psbl_cash", "nrcvb_buy_amt", "nrcvb_buy_qty", "psbl_qty_calc_unpr"):
        assert row[name] == power[name]
    assert int(row["max_buy_amt"]) == int(row["nrcvb_buy_amt"]) * 100 // 45
    assert int(row["max_buy_qty"]) == int(row["max_buy_amt"]) // 98_000
    margin = trader.ask("intgr_margin", **MARGIN).json["output"]
    assert Decimal(margin["stck_fncg45_max_ord_psbl_amt"]) == int(row["max_buy_amt"])
    assert trader.ask("inquire_credit_psamount", **(CREDIT | {"PDNO": "1"})).code == "APBK0656"
    assert trader.ask("inquire_credit_psamount", **(CREDIT | {"CRDT_TYPE": "9"})).code == "OPSQ2001"


def test_no_rights_are_allotted(trader: Hand) -> None:
    asked = {"INQR_DVSN": "03", "INQR_STRT_DT": "20260101", "INQR_END_DT": "20261120"}
    answer = trader.ask("period_rights", **asked)
    assert (answer.json["rt_cd"], answer.code, answer.json["output"]) == ("0", "KIOK0560", [])
    assert len(answer.json["ctx_area_nk100"]) == 100
    assert trader.ask("period_rights", **(asked | {"INQR_END_DT": "2026"})).code == "OPSQ2001"
