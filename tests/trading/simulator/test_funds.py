"""Funds: a value beside every price, baskets that make a hundred per cent."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import Hand
from trading.domain.sessions import SEOUL
from trading.simulator import Simulator
from trading.simulator.prices import DEMO_LISTINGS

FUNDS = [one.code for one in DEMO_LISTINGS if one.kind.is_fund]
APART = Decimal("0.2")
"""Per cent by which a value and a price may differ, tenths of it for rounding."""
Rows = list[dict[str, str]]


def fund(hand: Hand, call: str, code: str, market: str = "J", **more: str) -> Any:
    asked = {"FID_COND_MRKT_DIV_CODE": market, "FID_INPUT_ISCD": code, **more}
    return hand.ask(f"etf_{call}", **asked).json


def near(price: str, value: str) -> bool:
    return abs(Decimal(price) / Decimal(value) - 1) * 100 < APART


@pytest.mark.parametrize("code", FUNDS)
def test_every_screen_of_a_fund_tells_one_value(sim: Simulator, hand: Hand, code: str) -> None:
    for _ in range(3):
        sim.advance(1_237)
        now = fund(hand, "inquire_price", code)["output"]
        both = fund(hand, "nav_comparison_trend", code)
        days = fund(
            hand,
            "nav_comparison_daily_trend",
            code,
            FID_INPUT_DATE_1="20261101",
            FID_INPUT_DATE_2="20261120",
        )["output"]
        minutes = fund(hand, "nav_comparison_time_trend", code, "E", FID_HOUR_CLS_CODE="60")[
            "output"
        ]
        basket = fund(hand, "inquire_component_stock_price", code)["output1"]
        told = [now, both["output2"], days[0], minutes[0], basket]
        for name in ("nav", "nav_prdy_vrss", "nav_prdy_ctrt", "nav_prdy_vrss_sign"):
            assert len({row[name] for row in told}) == 1, name
        shown = hand.price(code).json["output"]
        for name in ("stck_prpr", "acml_vol", "stck_hgpr", "lstn_stcn", "frgn_hldn_qty"):
            assert now[name] == shown[name]
        assert near(now["stck_prpr"], now["nav"])
        before = Decimal(now["nav"]) - Decimal(now["nav_prdy_vrss"])
        assert before == Decimal(now["prdy_last_nav"]) == Decimal(days[1]["nav"])
        worth = Decimal(now["nav"]) * int(now["etf_crcl_stcn"]) / 100_000_000
        assert int(now["etf_ntas_ttam"]) == int(worth)
        low, high = (Decimal(both["output2"][f"{end}prc_nav"]) for end in ("l", "h"))
        assert low <= Decimal(both["output2"]["oprc_nav"]) <= high
        assert low <= Decimal(now["nav"]) <= high


def test_the_values_of_days_are_near_their_closes(hand: Hand) -> None:
    span = {"FID_INPUT_DATE_1": "20260101", "FID_INPUT_DATE_2": "20261120"}
    rows: Rows = fund(hand, "nav_comparison_daily_trend", "069500", **span)["output"]
    assert len(rows) == 100
    for newer, older in zip(rows, rows[1:], strict=False):
        assert near(newer["stck_clpr"], newer["nav"])
        assert Decimal(newer["nav"]) - Decimal(newer["nav_prdy_vrss"]) == Decimal(older["nav"])
        difference = Decimal(newer["stck_clpr"]) - Decimal(newer["nav"])
        assert Decimal(newer["nav_vrss_prpr"]) == difference
        told = difference * 100 / Decimal(newer["nav"])
        assert abs(Decimal(newer["dprt"]) - told) < Decimal("0.01")


def test_a_value_of_the_day_stays_when_it_is_over(sim: Simulator, hand: Hand) -> None:
    sim.advance(7 * 3_600)
    span = {"FID_INPUT_DATE_1": "20261120", "FID_INPUT_DATE_2": "20261120"}
    evening = fund(hand, "nav_comparison_daily_trend", "069500", **span)["output"]
    assert evening[0]["nav"] == fund(hand, "inquire_price", "069500")["output"]["nav"]
    sim.advance(3 * 24 * 3_600)
    hand.login()
    assert fund(hand, "nav_comparison_daily_trend", "069500", **span)["output"] == evening


@pytest.mark.parametrize("seconds", ["60", "300", "3600"])
def test_spans_of_the_day_add_up(sim: Simulator, hand: Hand, seconds: str) -> None:
    sim.advance(2_000)
    rows: Rows = fund(hand, "nav_comparison_time_trend", "069500", FID_HOUR_CLS_CODE=seconds)[
        "output"
    ]
    assert rows[0]["acml_vol"] == hand.price("069500").json["output"]["acml_vol"]
    for newer, older in zip(rows, rows[1:], strict=False):
        assert int(newer["acml_vol"]) - int(older["acml_vol"]) == int(newer["cntg_vol"])
        assert near(newer["stck_prpr"], newer["nav"])


@pytest.mark.parametrize("code", ["069500", "102110", "091160"])
def test_a_basket_is_of_listed_shares_and_makes_a_hundred(hand: Hand, code: str) -> None:
    body = fund(hand, "inquire_component_stock_price", code)
    rows: Rows = body["output2"]
    assert len(rows) == int(body["output1"]["etf_cnfg_issu_cnt"]) > 0
    assert sum(Decimal(row["etf_cnfg_issu_rlim"]) for row in rows) == 100
    worth = sum(int(row["etf_cnfg_issu_avls"]) for row in rows)
    assert int(body["output1"]["etf_cnfg_issu_avls"]) == worth // 10_000
    unit = Decimal(body["output1"]["prdy_clpr_nav"]) * int(body["output1"]["etf_cu_unit_scrt_cnt"])
    assert 0 <= unit - sum(int(row["etf_vltn_amt"]) for row in rows) < unit / 100
    for row in rows:
        shown = hand.price(row["stck_shrn_iscd"]).json["output"]
        for name in ("stck_prpr", "prdy_ctrt", "acml_vol", "acml_tr_pbmn", "hts_avls"):
            assert row[name] == shown[name]
        shares = int(row["etf_cnfg_issu_avls"]) // int(row["stck_prpr"])
        assert shares * int(shown["stck_sdpr"]) == int(row["etf_vltn_amt"])


@pytest.mark.parametrize("code", ["360750", "114260", "411060"])
def test_what_a_fund_holds_elsewhere_is_not_told(hand: Hand, code: str) -> None:
    body = fund(hand, "inquire_component_stock_price", code)
    assert (body["output2"], body["output1"]["etf_cnfg_issu_cnt"]) == ([], "0")


def test_before_the_open_a_value_is_that_of_the_evening_before(make: Make) -> None:
    start = datetime(2026, 11, 20, 8, 40, tzinfo=SEOUL)
    hand = Hand(make(start=start)).login()
    now = fund(hand, "inquire_price", "069500")["output"]
    assert (now["nav"], now["nav_prdy_vrss"]) == (now["prdy_last_nav"], "0.00")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"FID_INPUT_ISCD": "005930"}, "MCA05918"),
        ({"FID_INPUT_ISCD": "999999"}, "MCA05918"),
        ({"FID_COND_MRKT_DIV_CODE": "U"}, "OPSQ2001"),
        ({"FID_HOUR_CLS_CODE": "7"}, "OPSQ2001"),
    ],
)
def test_what_is_no_fund_is_refused(hand: Hand, change: dict[str, str], code: str) -> None:
    asked = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "069500", "FID_HOUR_CLS_CODE": "60"}
    assert hand.ask("etf_nav_comparison_time_trend", **asked).code == "MCA00000"
    assert hand.ask("etf_nav_comparison_time_trend", **(asked | change)).code == code
