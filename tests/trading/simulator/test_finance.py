"""Reports, registers, opinions and dividends: they follow from one another and from the price screens."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import Hand
from trading.domain.price_grid import is_on_tick
from trading.domain.sessions import SEOUL
from trading.simulator import Simulator
from trading.simulator.papers import isin
from trading.simulator.prices import DEMO_LISTINGS

COMPANIES = [one for one in DEMO_LISTINGS if not one.kind.is_fund]
CODES = [one.code for one in COMPANIES]
CENT = Decimal("0.01")
Rows = list[dict[str, str]]


def reports(hand: Hand, call: str, code: str, quarterly: bool = False) -> Rows:
    found: Rows = hand.ask(
        f"finance_{call}",
        FID_COND_MRKT_DIV_CODE="J",
        FID_INPUT_ISCD=code,
        FID_DIV_CLS_CODE="1" if quarterly else "0",
    ).json["output"]
    return found


def rate(part: str, whole: str) -> Decimal:
    return Decimal(part) * 100 / Decimal(whole)


def grown(now: str, before: str) -> Decimal:
    return (Decimal(now) - Decimal(before)) * 100 / abs(Decimal(before))


# --- reports ----------------------------------------------------------------------------------
@pytest.mark.parametrize("code", CODES)
def test_the_last_year_earned_what_the_price_screen_says(hand: Hand, code: str) -> None:
    shown = hand.price(code).json["output"]
    shares = int(shown["lstn_stcn"])
    ratios, income, sheet = (
        reports(hand, call, code)[0]
        for call in ("financial_ratio", "income_statement", "balance_sheet")
    )
    assert ratios["stac_yymm"] == "202512"
    assert (ratios["eps"], ratios["bps"]) == (shown["eps"], shown["bps"])
    for amount, each in ((income["thtr_ntin"], "eps"), (sheet["total_cptl"], "bps")):
        won = Decimal(shown[each]) * shares
        assert abs(Decimal(amount) - won / 100_000_000) <= Decimal("0.5")
    capital = Decimal(shown["stck_fcam"]) * shares / 100_000_000
    assert int(sheet["cpfn"]) == int(capital) == int(shown["cpfn"])


@pytest.mark.parametrize("quarterly", [False, True])
@pytest.mark.parametrize("code", CODES)
def test_reports_add_up(hand: Hand, code: str, quarterly: bool) -> None:
    income = reports(hand, "income_statement", code, quarterly)
    sheet = reports(hand, "balance_sheet", code, quarterly)
    assert len(income) == len(sheet) == (30 if quarterly else 10)
    for row in income:
        n = {name: Decimal(value) for name, value in row.items()}
        assert n["sale_totl_prfi"] == n["sale_account"] - n["sale_cost"]
        assert n["bsop_prti"] == n["sale_totl_prfi"] - n["sell_mang"]
        assert n["op_prfi"] == n["bsop_prti"] + n["bsop_non_ernn"] - n["bsop_non_expn"]
        before_tax = n["op_prfi"] + n["spec_prfi"] - n["spec_loss"]
        assert before_tax >= n["thtr_ntin"] if n["thtr_ntin"] > 0 else before_tax == n["thtr_ntin"]
        assert n["sale_account"] > n["depr_cost"] > 0
    for row in sheet:
        n = {name: Decimal(value) for name, value in row.items()}
        assert n["total_aset"] == n["cras"] + n["fxas"] == n["total_lblt"] + n["total_cptl"]
        assert n["total_lblt"] == n["flow_lblt"] + n["fix_lblt"]
        assert n["total_cptl"] == n["cpfn"] + n["cfp_surp"] + n["prfi_surp"]


@pytest.mark.parametrize("quarterly", [False, True])
@pytest.mark.parametrize("code", CODES[:4])
def test_ratios_follow_from_the_reports(hand: Hand, code: str, quarterly: bool) -> None:
    names = ("income_statement", "balance_sheet", "financial_ratio", "profit_ratio",
             "stability_ratio", "growth_ratio")  # fmt: skip
    found = {name: reports(hand, name, code, quarterly) for name in names}
    back = 4 if quarterly else 1
    periods = {tuple(row["stac_yymm"] for row in rows) for rows in found.values()}
    assert len(periods) == 1
    for place in range(len(found["income_statement"])):
        income, sheet, main, profit, stable, growth = (found[name][place] for name in names)
        for told, part, whole in (
            (main["roe_val"], income["thtr_ntin"], sheet["total_cptl"]),
            (main["lblt_rate"], sheet["total_lblt"], sheet["total_cptl"]),
            (profit["self_cptl_ntin_inrt"], income["thtr_ntin"], sheet["total_cptl"]),
            (profit["cptl_ntin_rate"], income["thtr_ntin"], sheet["total_aset"]),
            (profit["sale_ntin_rate"], income["thtr_ntin"], income["sale_account"]),
            (profit["sale_totl_rate"], income["sale_totl_prfi"], income["sale_account"]),
            (stable["crnt_rate"], sheet["cras"], sheet["flow_lblt"]),
        ):
            assert abs(Decimal(told) - rate(part, whole)) <= CENT
        assert stable["lblt_rate"] == main["lblt_rate"]
        assert Decimal(stable["quck_rate"]) < Decimal(stable["crnt_rate"])
        reserves = Decimal(sheet["cfp_surp"]) + Decimal(sheet["prfi_surp"])
        assert abs(Decimal(main["rsrv_rate"]) - rate(str(reserves), sheet["cpfn"])) <= CENT
        if place + back >= len(found["income_statement"]):
            continue
        income_before = found["income_statement"][place + back]
        sheet_before = found["balance_sheet"][place + back]
        assert income_before["stac_yymm"][4:] == income["stac_yymm"][4:]
        for told, now, before in (
            (main["grs"], income["sale_account"], income_before["sale_account"]),
            (main["ntin_inrt"], income["thtr_ntin"], income_before["thtr_ntin"]),
            (growth["bsop_prfi_inrt"], income["bsop_prti"], income_before["bsop_prti"]),
            (growth["equt_inrt"], sheet["total_cptl"], sheet_before["total_cptl"]),
            (growth["totl_aset_inrt"], sheet["total_aset"], sheet_before["total_aset"]),
        ):
            assert abs(Decimal(told) - grown(now, before)) <= CENT


def test_quarters_count_from_the_beginning_of_their_year(hand: Hand) -> None:
    rows = reports(hand, "income_statement", "000660", quarterly=True)
    for newer, older in zip(rows, rows[1:], strict=False):
        if newer["stac_yymm"][:4] == older["stac_yymm"][:4]:
            assert Decimal(newer["sale_account"]) > Decimal(older["sale_account"])
    years = {row["stac_yymm"]: row for row in reports(hand, "income_statement", "000660")}
    assert all(row == years[row["stac_yymm"]] for row in rows if row["stac_yymm"].endswith("12"))


@pytest.mark.parametrize(
    ("day", "last"), [("2026-11-13", "202606"), ("2026-11-16", "202609"), ("2027-03-30", "202609")]
)
def test_a_report_is_out_when_it_is_due(make: Make, day: str, last: str) -> None:
    start = datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=SEOUL)
    hand = Hand(make(start=start)).login()
    assert reports(hand, "income_statement", "005930", quarterly=True)[0]["stac_yymm"] == last


def test_a_report_that_was_out_stays_as_it_was(sim: Simulator, hand: Hand) -> None:
    before = reports(hand, "income_statement", "005930", quarterly=True)
    sim.advance(timedelta(days=140).total_seconds())
    hand.login()
    after = reports(hand, "income_statement", "005930", quarterly=True)
    assert after[0]["stac_yymm"] == "202612"
    assert after[1:] == before[:-1]


def test_a_fund_reports_nothing(hand: Hand) -> None:
    assert reports(hand, "income_statement", "069500") == []
    body = hand.ask("estimate_perform", SHT_CD="069500").json
    assert (body["output2"], body["output3"], body["output4"]) == ([], [], [])


@pytest.mark.parametrize("code", CODES)
def test_estimates_go_on_from_the_reports(hand: Hand, code: str) -> None:
    body = hand.ask("estimate_perform", SHT_CD=code).json
    assert [row["dt"] for row in body["output4"]] == [
        "2024.12", "2025.12", "2026.12E", "2027.12E", "2028.12E",
    ]  # fmt: skip
    income = reports(hand, "income_statement", code)
    first, second = body["output2"], body["output3"]
    assert (len(first), len(second)) == (6, 8)
    for name, row in (("sale_account", 0), ("bsop_prti", 2), ("thtr_ntin", 4)):
        assert Decimal(first[row]["data2"]) == Decimal(income[0][name])
        assert Decimal(first[row]["data1"]) == Decimal(income[1][name])
    sales = [Decimal(first[0][f"data{n}"]) for n in range(1, 6)]
    for n in range(1, 5):
        told = Decimal(first[1][f"data{n + 1}"])
        assert abs(told - grown(str(sales[n]), str(sales[n - 1])) * 10) <= 1
    eps = Decimal(hand.price(code).json["output"]["eps"])
    assert Decimal(second[1]["data2"]) == eps * 10


# --- opinions and dividends -------------------------------------------------------------------
def test_opinions_measure_their_goals_by_prices(hand: Hand) -> None:
    asked = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "000660"}
    span = {"FID_INPUT_DATE_1": "20260601", "FID_INPUT_DATE_2": "20261120"}
    rows: Rows = hand.ask("invest_opinion", **asked, **span).json["output"]
    assert len(rows) > 5
    days = [row["stck_bsop_date"] for row in rows]
    assert days == sorted(days, reverse=True) and days[-1] >= "20260601"
    last = int(hand.price("000660").json["output"]["stck_prpr"])
    chart: Rows = hand.ask(
        "inquire_daily_itemchartprice",
        **asked,
        **span,
        FID_PERIOD_DIV_CODE="D",
        FID_ORG_ADJ_PRC="0",
    ).json["output2"]
    before = {r["stck_bsop_date"]: int(r["stck_clpr"]) - int(r["prdy_vrss"]) for r in chart}
    for row in rows:
        goal, close = int(row["hts_goal_prc"]), int(row["stck_prdy_clpr"])
        assert close == before.get(row["stck_bsop_date"], close)
        assert is_on_tick(goal, DEMO_LISTINGS[12].kind)
        assert int(row["stck_nday_esdg"]) == close - goal
        assert int(row["stft_esdg"]) == last - goal
        assert abs(Decimal(row["dprt"]) - rate(str(last - goal), str(goal))) <= CENT
        assert row["invt_opnn_cls_code"] in "12345"


def dividends(hand: Hand, **change: str) -> Rows:
    asked = {"GB1": "0", "F_DT": "20150101", "T_DT": "20271231", "SHT_CD": "000660"}
    found: Rows = hand.ask("ksdinfo_dividend", **(asked | change)).json["output1"]
    return found


def test_dividends_are_part_of_what_was_earned(hand: Hand) -> None:
    rows = dividends(hand)
    assert rows and {row["sht_cd"] for row in rows} == {"000660"}
    others = {row["stac_yymm"]: row for row in reports(hand, "other_major_ratios", "000660")}
    eps = {row["stac_yymm"]: row["eps"] for row in reports(hand, "financial_ratio", "000660")}
    for year in {row["record_date"][:4] for row in rows}:
        paid = sum(int(r["per_sto_divi_amt"]) for r in rows if r["record_date"][:4] == year)
        payout = Decimal(others[f"{year}12"]["payout_rate"])
        assert 5 < payout < 45
        assert abs(payout - rate(str(paid), eps[f"{year}12"])) < 1
    for row in rows:
        assert (len(row["face_val"]), len(row["per_sto_divi_amt"])) == (9, 12)
        told = rate(row["per_sto_divi_amt"], row["face_val"])
        assert abs(Decimal(row["divi_rate"].strip()) - told) <= CENT


def test_nothing_is_paid_while_the_world_lives(sim: Simulator, hand: Hand) -> None:
    before = dividends(hand, SHT_CD="")
    sim.advance(timedelta(days=200).total_seconds())
    hand.login()
    assert dividends(hand, SHT_CD="") == before
    assert all(row["divi_pay_dt"] < "2026/11/20" for row in before)


def test_interim_dividends_can_be_asked_for_alone(hand: Hand) -> None:
    every = dividends(hand, SHT_CD="")
    for code, kind in (("1", "결산"), ("2", "중간")):
        wanted = [row for row in every if row["divi_kind"] == kind]
        assert dividends(hand, SHT_CD="", GB1=code)[:20] == wanted[:20]


# --- registers --------------------------------------------------------------------------------
@pytest.mark.parametrize("listing", DEMO_LISTINGS, ids=lambda one: one.code)
def test_the_register_knows_what_the_price_screens_know(hand: Hand, listing: Any) -> None:
    asked = {"PDNO": listing.code, "PRDT_TYPE_CD": "300"}
    row = hand.ask("search_stock_info", **asked).json["output"]
    other = hand.ask("search_info", **asked).json["output"]
    shown = hand.price(listing.code).json["output"]
    assert (row["pdno"], other["shtn_pdno"]) == (f"00000A{listing.code}", listing.code)
    assert row["prdt_abrv_name"] == other["prdt_abrv_name"] == listing.name
    assert row["lstg_stqt"] == shown["lstn_stcn"]
    assert row["papr"] == shown["stck_fcam"]
    assert row["sbst_pric"] == shown["stck_sspr"]
    assert row["mket_id_cd"] == ("KSQ" if listing.market == "KOSDAQ" else "STK")
    assert row["std_pdno"] == other["std_pdno"] == isin(listing.code)
    listed = row["kosdaq_mket_lstg_dt"] or row["scts_mket_lstg_dt"]
    assert listed == other["frst_erlm_dt"] < "2013"
    assert row["thdt_clpr"] == shown["stck_sdpr"], "yesterday's close while today goes on"
    if not listing.kind.is_fund:
        second = hand.ask(
            "inquire_price_2", FID_COND_MRKT_DIV_CODE="J", FID_INPUT_ISCD=listing.code
        )
        assert second.json["output"]["bstp_kor_isnm"] == shown["bstp_kor_isnm"]


@pytest.mark.parametrize(
    ("code", "number"),
    [("005930", "KR7005930003"), ("000660", "KR7000660001"), ("069500", "KR7069500007")],
)
def test_a_share_has_its_international_number(code: str, number: str) -> None:
    assert isin(code) == number


@pytest.mark.parametrize("call", ["search_info", "search_stock_info"])
@pytest.mark.parametrize(
    "asked",
    [
        {"PDNO": "005930", "PRDT_TYPE_CD": "301"},
        {"PDNO": "005930", "PRDT_TYPE_CD": "512"},
        {"PDNO": "999999", "PRDT_TYPE_CD": "300"},
    ],
)
def test_the_register_has_nothing_of_another_type(
    hand: Hand, call: str, asked: dict[str, str]
) -> None:
    answer = hand.ask(call, **asked)
    assert (answer.status, answer.json["rt_cd"], answer.code) == (200, "7", "KIOK0560")


def test_the_second_price_screen_is_the_first(sim: Simulator, hand: Hand) -> None:
    for code in ("005930", "069500", "247540"):
        sim.advance(613)
        asked = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": code}
        second = hand.ask("inquire_price_2", **asked).json["output"]
        first = hand.price(code).json["output"]
        for name in set(first) & set(second) - {"rprs_mrkt_kor_name"}:
            assert second[name] == first[name], name
        for short in ("oprc", "hgpr", "lwpr"):
            change = int(first["stck_prpr"]) - int(first[f"stck_{short}"])
            assert int(second[f"{short}_vrss_prpr"]) == change
