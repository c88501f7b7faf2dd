"""Who trades: every share is bought once and sold once, and every screen counts the same shares."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import Hand
from trading.domain.sessions import KRX, SEOUL
from trading.simulator import Simulator
from trading.simulator.investors import INSTITUTIONS
from trading.simulator.prices import DEMO_LISTINGS

CODE = "005930"
ASK = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": CODE}
STOCKS = [one.code for one in DEMO_LISTINGS if one.market == "KOSPI" and not one.kind.is_fund]
PERSONS, FOREIGN, HOUSES = "prsn", "frgn", "orgn"
KINDS = ("prsn", "frgn", "orgn", *INSTITUTIONS)
Rows = list[dict[str, str]]


def rows(hand: Hand, call: str, key: str = "output", **params: str) -> Rows:
    found: Rows = hand.ask(call, **params).json[key]
    return found


def net(row: dict[str, str], name: str) -> int:
    return int(row.get(f"{name}_ntby_qty") or row[f"{name}_ntby_vol"])


# --- investors of one instrument --------------------------------------------------------------
@pytest.mark.parametrize("code", [CODE, "069500", "247540"])
def test_three_groups_buy_and_sell_everything(hand: Hand, code: str) -> None:
    asked = ASK | {"FID_INPUT_ISCD": code}
    found = rows(hand, "inquire_investor", **asked)
    chart = rows(hand, "inquire_daily_price", **asked, FID_PERIOD_DIV_CODE="D", FID_ORG_ADJ_PRC="0")
    assert len(found) == 30
    assert [row["stck_bsop_date"] for row in found[:29]] == [
        row["stck_bsop_date"] for row in chart[1:]
    ], "today is told when it is over"
    for row, day in zip(found, chart[1:], strict=False):
        groups = (PERSONS, FOREIGN, HOUSES)
        assert sum(net(row, name) for name in groups) == 0
        assert sum(int(row[f"{name}_ntby_tr_pbmn"]) for name in groups) == 0
        for side in ("shnu", "seln"):
            assert sum(int(row[f"{name}_{side}_vol"]) for name in groups) == int(day["acml_vol"])
        for name in groups:
            assert int(row[f"{name}_shnu_vol"]) - int(row[f"{name}_seln_vol"]) == net(row, name)
            paid = int(row[f"{name}_shnu_tr_pbmn"]) - int(row[f"{name}_seln_tr_pbmn"])
            assert paid == int(row[f"{name}_ntby_tr_pbmn"])
        assert row["frgn_ntby_qty"] == day["frgn_ntby_qty"]
        assert (row["stck_clpr"], row["prdy_vrss"]) == (day["stck_clpr"], day["prdy_vrss"])


def test_the_price_screen_and_the_days_know_the_same_flows(hand: Hand) -> None:
    shown = hand.price(CODE).json["output"]
    assert rows(hand, "inquire_investor", **ASK)[0]["frgn_ntby_qty"] == shown["frgn_ntby_qty"]
    program = rows(hand, "program_trade_by_stock_daily", **ASK, FID_INPUT_DATE_1="20261119")
    assert program[0]["whol_smtn_ntby_qty"] == shown["pgtr_ntby_qty"]
    short = rows(hand, "daily_short_sale", "output2", **ASK)
    assert short[0]["ssts_cntg_qty"] == shown["last_ssts_cntg_qty"]
    loans = rows(hand, "daily_credit_balance", **ASK, FID_INPUT_DATE_1="20261123")
    assert loans[0]["deal_date"] == "20261119"
    assert loans[0]["whol_loan_rmnd_rate"] == shown["whol_loan_rmnd_rate"]


def test_kinds_of_investors_make_their_groups(hand: Hand) -> None:
    found = rows(
        hand, "investor_trade_by_stock_daily", "output2", **ASK, FID_INPUT_DATE_1="20261119"
    )
    short = rows(hand, "inquire_investor", **ASK)
    assert len(found) == 30
    for row, other in zip(found, short, strict=True):
        assert net(row, HOUSES) == sum(net(row, name) for name in INSTITUTIONS)
        assert net(row, FOREIGN) == net(row, "frgn_reg") + net(row, "frgn_nreg")
        assert int(row["frgn_reg_bidp_qty"]) - int(row["frgn_reg_askp_qty"]) == net(row, "frgn_reg")
        for name in KINDS:
            assert int(row[f"{name}_shnu_vol"]) - int(row[f"{name}_seln_vol"]) == net(row, name)
        for name in (PERSONS, FOREIGN, HOUSES):
            assert row[f"{name}_shnu_tr_pbmn"] == other[f"{name}_shnu_tr_pbmn"]
            assert row[f"{name}_seln_vol"] == other[f"{name}_seln_vol"]


def test_today_follows_when_it_is_over(sim: Simulator, hand: Hand) -> None:
    assert rows(hand, "inquire_investor", **ASK)[0]["stck_bsop_date"] == "20261119"
    sim.advance(6 * 3_600)
    assert rows(hand, "inquire_investor", **ASK)[0]["stck_bsop_date"] == "20261120"


# --- a market ---------------------------------------------------------------------------------
MARKET = {"FID_COND_MRKT_DIV_CODE": "U", "FID_INPUT_ISCD": "0001", "FID_INPUT_ISCD_1": "KSP"}


def test_a_market_is_the_sum_of_its_instruments(hand: Hand) -> None:
    whole = rows(hand, "inquire_investor_daily_by_market", **MARKET, FID_INPUT_DATE_1="20261119")
    single = [
        rows(
            hand,
            "investor_trade_by_stock_daily",
            "output2",
            **(ASK | {"FID_INPUT_ISCD": code}),
            FID_INPUT_DATE_1="20261119",
        )
        for code in STOCKS
    ]
    assert len(whole) == 30
    for number, row in enumerate(whole):
        for name in KINDS:
            shares = sum(net(days[number], name) for days in single)
            limit = 8 if name in ("fund", HOUSES) else 3
            assert abs(net(row, name) - shares / 1_000) <= limit, "thousands, rounded down"
        assert sum(net(row, name) for name in (PERSONS, FOREIGN, HOUSES)) == 0
        assert net(row, HOUSES) == sum(net(row, name) for name in INSTITUTIONS)
    index = hand.ask(
        "inquire_index_daily_price",
        FID_COND_MRKT_DIV_CODE="U",
        FID_INPUT_ISCD="0001",
        FID_INPUT_DATE_1="20261119",
        FID_PERIOD_DIV_CODE="D",
    ).json["output2"]
    for row, day in zip(whole, index, strict=False):
        for name in ("stck_bsop_date", "bstp_nmix_prpr", "bstp_nmix_prdy_ctrt", "bstp_nmix_lwpr"):
            assert row[name] == day[name]


def test_a_market_so_far_today(sim: Simulator, hand: Hand) -> None:
    asked = {"FID_INPUT_ISCD": "KSP", "FID_INPUT_ISCD_2": "0001"}
    for _ in range(3):
        row = rows(hand, "inquire_investor_time_by_market", **asked)[0]
        index = hand.ask(
            "inquire_index_price", FID_COND_MRKT_DIV_CODE="U", FID_INPUT_ISCD="0001"
        ).json["output"]
        for side in ("shnu", "seln"):
            groups = (PERSONS, FOREIGN, HOUSES)
            assert sum(int(row[f"{name}_{side}_vol"]) for name in groups) == int(index["acml_vol"])
            paid = sum(int(row[f"{name}_{side}_tr_pbmn"]) for name in groups)
            assert paid == int(index["acml_tr_pbmn"])
        sim.advance(8_000)
    sim.advance(24_000)
    day = rows(hand, "inquire_investor_daily_by_market", **MARKET, FID_INPUT_DATE_1="20261120")[0]
    end = rows(hand, "inquire_investor_time_by_market", **asked)[0]
    assert {name: net(end, name) for name in KINDS} == {name: net(day, name) for name in KINDS}


@pytest.mark.parametrize(
    "wrong", [{"FID_INPUT_ISCD_1": "KSQ"}, {"FID_INPUT_ISCD_1": "X"}, {"FID_INPUT_DATE_1": "1"}]
)
def test_a_market_that_is_not_the_indexs_is_refused(hand: Hand, wrong: dict[str, str]) -> None:
    asked = {**MARKET, "FID_INPUT_DATE_1": "20261119"}
    assert hand.ask("inquire_investor_daily_by_market", **asked).json["rt_cd"] == "0"
    assert hand.ask("inquire_investor_daily_by_market", **(asked | wrong)).json["rt_cd"] == "1"


# --- estimates --------------------------------------------------------------------------------
TOTAL = {"FID_COND_MRKT_DIV_CODE": "V", "FID_COND_SCR_DIV_CODE": "16449", "FID_INPUT_ISCD": "0000"}


@pytest.mark.parametrize(
    ("clock", "made"),
    [("08:50", []), ("09:20", []), ("09:31", ["1"]), ("11:21", ["3", "2", "1"]),
     ("15:00", ["5", "4", "3", "2", "1"]), ("20:00", ["5", "4", "3", "2", "1"])],
)  # fmt: skip
def test_estimates_are_made_five_times_a_day(make: Make, clock: str, made: list[str]) -> None:
    start = datetime.fromisoformat(f"2026-11-20T{clock}").replace(tzinfo=SEOUL)
    hand = Hand(make(start=start)).login()
    found = rows(hand, "investor_trend_estimate", "output2", MKSC_SHRN_ISCD=CODE)
    assert [row["bsop_hour_gb"] for row in found] == made
    for row in found:
        parts = [row[f"{name}_fake_ntby_qty"] for name in ("frgn", "orgn", "sum")]
        assert {len(part) for part in parts} == {18}
        assert int(parts[0]) + int(parts[1]) == int(parts[2])
    if made:
        assert int(found[-1]["orgn_fake_ntby_qty"]) == 0
    assert bool(rows(hand, "foreign_institution_total", **TOTAL)) is bool(made)


@pytest.mark.parametrize(("sort", "way"), [("0", -1), ("1", 1)])
@pytest.mark.parametrize("who", ["0", "1", "2"])
def test_the_estimates_of_all_are_in_order(
    sim: Simulator, hand: Hand, sort: str, way: int, who: str
) -> None:
    sim.advance(7_000)
    asked = {**TOTAL, "FID_RANK_SORT_CLS_CODE": sort, "FID_ETC_CLS_CODE": who}
    found = rows(hand, "foreign_institution_total", **asked, FID_DIV_CLS_CODE="0")
    nets = [way * int(row["ntby_qty"]) for row in found]
    assert len(nets) == len(DEMO_LISTINGS)
    assert nets == sorted(nets)
    for row in found:
        parts = {"0": (FOREIGN, HOUSES), "1": (FOREIGN,), "2": (HOUSES,)}[who]
        assert int(row["ntby_qty"]) == sum(net(row, name) for name in parts)
        assert row["stck_prpr"] == hand.price(row["mksc_shrn_iscd"]).json["output"]["stck_prpr"]


# --- programs, firms, loans, short sales ------------------------------------------------------
def test_programs_grow_through_the_day(sim: Simulator, hand: Hand) -> None:
    sim.advance(3_000)
    found = rows(hand, "program_trade_by_stock", **ASK)
    assert len(found) == 30
    for newer, older in zip(found, found[1:], strict=False):
        grown = int(newer["whol_smtn_ntby_qty"]) - int(older["whol_smtn_ntby_qty"])
        assert int(newer["whol_ntby_vol_icdc"]) == grown
        assert int(newer["whol_smtn_seln_vol"]) >= int(older["whol_smtn_seln_vol"])
    day = rows(hand, "program_trade_by_stock_daily", **ASK, FID_INPUT_DATE_1="20261120")
    for name in ("whol_smtn_ntby_qty", "whol_smtn_shnu_tr_pbmn", "acml_vol"):
        assert day[0][name] == found[0][name]
    for newer, older in zip(day, day[1:], strict=False):
        net_ = int(newer["whol_smtn_shnu_vol"]) - int(newer["whol_smtn_seln_vol"])
        assert int(newer["whol_smtn_ntby_qty"]) == net_
        assert int(newer["whol_ntby_vol_icdc"]) == net_ - int(older["whol_smtn_ntby_qty"])
        assert (net_ > 0) is (int(newer["whol_smtn_ntby_tr_pbmn"]) > 0)


def test_the_firms_of_a_day(sim: Simulator, hand: Hand) -> None:
    before: dict[str, Any] = hand.ask("inquire_member", **ASK).json["output"]
    sim.advance(60)
    now = hand.ask("inquire_member", **ASK).json["output"]
    volume = int(hand.price(CODE).json["output"]["acml_vol"])
    for side in ("seln", "shnu"):
        shares = [int(now[f"total_{side}_qty{place}"]) for place in range(1, 6)]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= volume
        for place, one in enumerate(shares, start=1):
            assert abs(Decimal(now[f"{side}_mbcr_rlim{place}"]) - Decimal(one * 100) / volume) < 1
            assert int(now[f"{side}_qty_icdc{place}"]) >= 0
        grown = int(now[f"glob_total_{side}_qty"]) - int(before[f"glob_total_{side}_qty"])
        assert int(now[f"glob_total_{side}_qty_icdc"]) == grown
    net_ = int(now["glob_total_shnu_qty"]) - int(now["glob_total_seln_qty"])
    assert int(now["glob_ntby_qty"]) == net_


def test_loans_are_what_was_left_and_lent_less_what_was_repaid(hand: Hand) -> None:
    found = rows(hand, "daily_credit_balance", **ASK, FID_INPUT_DATE_1="20261120")
    assert len(found) == 30
    assert (found[0]["deal_date"], found[0]["stlm_date"]) == ("20261118", "20261120")
    for newer, older in zip(found, found[1:], strict=False):
        day = datetime.strptime(newer["deal_date"], "%Y%m%d").date()
        assert newer["stlm_date"] == f"{KRX.settlement_date(day):%Y%m%d}"
        for kind in ("loan", "stln"):
            for unit in ("stcn", "amt"):
                left, lent, repaid = (
                    int(newer[f"whol_{kind}_{part}_{unit}"]) for part in ("rmnd", "new", "rdmp")
                )
                assert left == int(older[f"whol_{kind}_rmnd_{unit}"]) + lent - repaid
                assert min(lent, repaid, left) >= 0


def test_short_sales_come_together_from_the_first_day_asked_for(hand: Hand) -> None:
    asked = {**ASK, "FID_INPUT_DATE_1": "20261012", "FID_INPUT_DATE_2": "20261120"}
    found = rows(hand, "daily_short_sale", "output2", **asked)
    shares = sold = 0
    for row in reversed(found):
        shares, sold = shares + int(row["acml_vol"]), sold + int(row["ssts_cntg_qty"])
        assert (int(row["stnd_vol_smtn"]), int(row["acml_ssts_cntg_qty"])) == (shares, sold)
        assert int(row["ssts_tr_pbmn"]) // int(row["ssts_cntg_qty"]) == int(row["avrg_prc"])
        assert int(row["stck_lwpr"]) <= int(row["avrg_prc"]) <= int(row["stck_hgpr"])
    assert found[0]["stck_bsop_date"] == "20261119"


@pytest.mark.parametrize("period", ["D", "W", "M"])
def test_the_two_sides_of_a_days_trades_make_its_volume(hand: Hand, period: str) -> None:
    asked = {**ASK, "FID_INPUT_DATE_1": "20260901", "FID_INPUT_DATE_2": "20261120"}
    found = hand.ask("inquire_daily_trade_volume", **asked, FID_PERIOD_DIV_CODE=period).json
    chart = hand.ask(
        "inquire_daily_itemchartprice", **asked, FID_PERIOD_DIV_CODE=period, FID_ORG_ADJ_PRC="0"
    ).json["output2"]
    assert [row["stck_bsop_date"] for row in found["output2"]] == [
        row["stck_bsop_date"] for row in chart
    ]
    for row, day in zip(found["output2"], chart, strict=True):
        assert int(row["total_seln_qty"]) + int(row["total_shnu_qty"]) == int(day["acml_vol"])
    if period == "D":
        assert found["output2"][0]["total_shnu_qty"] == found["output1"]["shnu_cnqn_smtn"]
