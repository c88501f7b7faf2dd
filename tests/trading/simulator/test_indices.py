"""Indices: levels that follow from the listed instruments, and every screen of one tells the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.simulator.conftest import FRIDAY, Make
from tests.trading.simulator.kis import Hand
from trading.domain.sessions import KRX, SEOUL
from trading.simulator import Simulator
from trading.simulator.prices import DEMO_LISTINGS

KOSPI = {"FID_COND_MRKT_DIV_CODE": "U", "FID_INPUT_ISCD": "0001"}
CATEGORY = {"FID_COND_SCR_DIV_CODE": "20214", "FID_BLNG_CLS_CODE": "0"}
STOCKS = [one for one in DEMO_LISTINGS if one.market == "KOSPI" and not one.kind.is_fund]
Rows = list[dict[str, str]]


def price(hand: Hand, code: str = "0001") -> dict[str, str]:
    answer = hand.ask("inquire_index_price", **(KOSPI | {"FID_INPUT_ISCD": code}))
    found: dict[str, str] = answer.json["output"]
    return found


def chart(hand: Hand, seconds: int, past: str = "N") -> Any:
    asked = {"FID_INPUT_HOUR_1": str(seconds), "FID_PW_DATA_INCU_YN": past}
    return hand.ask("inquire_time_indexchartprice", **KOSPI, **asked, FID_ETC_CLS_CODE="0").json


def daily(hand: Hand, last: str, period: str = "D", code: str = "0001") -> Rows:
    asked = KOSPI | {"FID_INPUT_ISCD": code, "FID_INPUT_DATE_1": last}
    answer = hand.ask("inquire_index_daily_price", **asked, FID_PERIOD_DIV_CODE=period)
    rows: Rows = answer.json["output2"]
    return rows


@pytest.mark.parametrize("seconds", [1, 0, 3_000, 25_000, 90_000])
def test_the_level_moves_as_the_worth_of_its_members(
    sim: Simulator, hand: Hand, seconds: int
) -> None:
    sim.advance(seconds)
    hand.login()
    shown = [hand.price(one.code).json["output"] for one in STOCKS]
    worth = sum(int(row["lstn_stcn"]) * int(row["stck_prpr"]) for row in shown)
    before = sum(int(row["lstn_stcn"]) * int(row["stck_sdpr"]) for row in shown)
    index = price(hand)
    level = Decimal(index["bstp_nmix_prpr"])
    start = level - Decimal(index["bstp_nmix_prdy_vrss"])
    assert abs(level - start * worth / before) < Decimal("0.02")
    assert int(index["acml_vol"]) == sum(int(row["acml_vol"]) for row in shown) // 1_000
    paid = sum(int(row["acml_tr_pbmn"]) for row in shown)
    assert int(index["acml_tr_pbmn"]) == paid // 1_000_000
    changes = [int(row["prdy_vrss"]) for row in shown]
    assert int(index["ascn_issu_cnt"]) == sum(change > 0 for change in changes)
    assert int(index["down_issu_cnt"]) == sum(change < 0 for change in changes)
    assert int(index["stnr_issu_cnt"]) == changes.count(0)


def test_what_rests_in_an_index_is_what_rests_in_the_books_of_its_members(hand: Hand) -> None:
    books = [hand.book(one.code).json["output1"] for one in STOCKS]
    index = price(hand)
    asks, bids = (
        sum(int(book[f"total_{side}p_rsqn"]) for book in books) for side in ("ask", "bid")
    )
    assert (index["total_askp_rsqn"], index["total_bidp_rsqn"]) == (str(asks), str(bids))
    assert index["ntby_rsqn"] == str(bids - asks)
    assert Decimal(index["seln_rsqn_rate"]) + Decimal(index["shnu_rsqn_rate"]) == 100


@pytest.mark.parametrize("seconds", [0, 17, 60, 4_003, 25_000])
def test_every_screen_of_an_index_ends_at_the_same_level(
    sim: Simulator, hand: Hand, seconds: int
) -> None:
    sim.advance(seconds)
    now = price(hand)["bstp_nmix_prpr"]
    ticks: Rows = hand.ask("inquire_index_tickprice", **KOSPI).json["output"]
    minutes: Rows = hand.ask("inquire_index_timeprice", **KOSPI, FID_INPUT_HOUR_1="60").json[
        "output"
    ]
    family: Rows = hand.ask(
        "inquire_index_category_price", **KOSPI, **CATEGORY, FID_MRKT_CLS_CODE="K"
    ).json["output2"]
    bars = chart(hand, 120)
    told = [ticks[0], minutes[0], family[0], bars["output1"], bars["output2"][0]]
    told.append(daily(hand, "20261120")[0])
    assert {row["bstp_nmix_prpr"] for row in told} == {now}
    assert len({row["acml_tr_pbmn"] for row in told}) == 1


def test_the_minutes_of_a_day_make_the_day(sim: Simulator, hand: Hand) -> None:
    for _ in range(3):
        sim.advance(7_300)
        day, hour = price(hand), chart(hand, 3_600)["output2"]
        lows = [Decimal(row["bstp_nmix_lwpr"]) for row in hour]
        highs = [Decimal(row["bstp_nmix_hgpr"]) for row in hour]
        assert (min(lows), max(highs)) == (
            Decimal(day["bstp_nmix_lwpr"]),
            Decimal(day["bstp_nmix_hgpr"]),
        )
        assert sum(int(row["cntg_vol"]) for row in hour) == int(day["acml_vol"])
        assert hour[-1]["bstp_nmix_oprc"] == day["bstp_nmix_oprc"]


@pytest.mark.parametrize("width", [10, 30, 60, 600])
def test_bars_open_where_the_one_before_ended_and_hold_their_ends(hand: Hand, width: int) -> None:
    if width == 10:
        rows: Rows = hand.ask("inquire_index_tickprice", **KOSPI).json["output"]
        volumes = [int(row["acml_vol"]) for row in rows]
        assert volumes == sorted(volumes, reverse=True)
        assert int(rows[0]["cntg_vol"]) == volumes[0] - volumes[1]
        return
    rows = chart(hand, width, "Y")["output2"]
    stamps = [row["stck_bsop_date"] + row["stck_cntg_hour"] for row in rows]
    assert stamps == sorted(set(stamps), reverse=True)
    for row in rows:
        low, high = Decimal(row["bstp_nmix_lwpr"]), Decimal(row["bstp_nmix_hgpr"])
        ends = (Decimal(row["bstp_nmix_oprc"]), Decimal(row["bstp_nmix_prpr"]))
        assert low <= min(ends) <= max(ends) <= high


def test_the_session_before_follows_only_when_it_is_asked_for(hand: Hand) -> None:
    assert {row["stck_bsop_date"] for row in chart(hand, 60)["output2"]} == {"20261120"}
    rows = chart(hand, 60, "Y")["output2"]
    assert len(rows) == 102
    assert [row["stck_bsop_date"] for row in rows] == ["20261120"] * 36 + ["20261119"] * 66
    yesterday = daily(hand, "20261119")[0]
    assert rows[36]["bstp_nmix_prpr"] == yesterday["bstp_nmix_prpr"]
    assert rows[36]["acml_tr_pbmn"] == yesterday["acml_tr_pbmn"]


def test_a_hundred_days_are_one_chain_of_sessions(hand: Hand) -> None:
    rows = daily(hand, "20261120")
    assert len(rows) == 100
    first = datetime.strptime(rows[-1]["stck_bsop_date"], "%Y%m%d").date()
    sessions = KRX.sessions_between(first, FRIDAY.date())
    assert [row["stck_bsop_date"] for row in rows] == [f"{d:%Y%m%d}" for d in reversed(sessions)]
    for newer, older in zip(rows, rows[1:], strict=False):
        before = Decimal(newer["bstp_nmix_prpr"]) - Decimal(newer["bstp_nmix_prdy_vrss"])
        assert before == Decimal(older["bstp_nmix_prpr"])
    closes = [Decimal(row["bstp_nmix_prpr"]) for row in rows]
    mean = sum(closes[:20]) / 20
    assert abs(Decimal(rows[0]["d20_dsrt"]) - closes[0] / mean * 100) < Decimal("0.01")
    between = {**KOSPI, "FID_INPUT_DATE_1": "20260101", "FID_INPUT_DATE_2": "20261119"}
    charted = hand.ask("inquire_daily_indexchartprice", **between, FID_PERIOD_DIV_CODE="D").json
    assert len(charted["output2"]) == 100
    names = ("stck_bsop_date", "bstp_nmix_prpr", "bstp_nmix_hgpr", "acml_vol", "acml_tr_pbmn")
    for one, other in zip(charted["output2"], rows[1:], strict=False):
        assert [one[name] for name in names] == [other[name] for name in names]


def test_a_day_that_is_over_is_told_the_same_ever_after(sim: Simulator, hand: Hand) -> None:
    sim.advance(7 * 3_600)
    evening = daily(hand, "20261120")[0]
    sim.advance(3 * 24 * 3_600)
    hand.login()
    assert daily(hand, "20261120")[0] == evening | {
        "acml_vol_rlim": daily(hand, "20261120")[0]["acml_vol_rlim"]
    }
    monday = daily(hand, "20261123")[0]
    assert Decimal(monday["bstp_nmix_prpr"]) - Decimal(monday["bstp_nmix_prdy_vrss"]) == Decimal(
        evening["bstp_nmix_prpr"]
    )


def test_the_years_range_is_that_of_its_days(hand: Hand) -> None:
    shown, rows, last = price(hand), [], "20261120"
    while last > "20260101":
        page = daily(hand, last)
        rows += [row for row in page if row["stck_bsop_date"] > "20260101"]
        oldest = datetime.strptime(page[-1]["stck_bsop_date"], "%Y%m%d") - timedelta(days=1)
        last = f"{oldest:%Y%m%d}"
    high = max(rows, key=lambda row: Decimal(row["bstp_nmix_hgpr"]))
    low = min(rows, key=lambda row: Decimal(row["bstp_nmix_lwpr"]))
    assert shown["dryy_bstp_nmix_hgpr"] == high["bstp_nmix_hgpr"]
    assert shown["dryy_bstp_nmix_hgpr_date"] == high["stck_bsop_date"]
    assert shown["dryy_bstp_nmix_lwpr"] == low["bstp_nmix_lwpr"]
    assert (
        Decimal(shown["dryy_hgpr_vrss_prpr_rate"]) > 0 > Decimal(shown["dryy_lwpr_vrss_prpr_rate"])
    )


def test_a_price_that_is_held_moves_the_index_at_once(sim: Simulator, hand: Hand) -> None:
    before = Decimal(price(hand)["bstp_nmix_prpr"])
    upper = int(hand.price("000660").json["output"]["stck_mxpr"])
    sim.set_price("000660", upper)
    after = price(hand)
    assert Decimal(after["bstp_nmix_prpr"]) > before * Decimal("1.05")
    assert after["uplm_issu_cnt"] == "1"
    assert chart(hand, 60)["output2"][0]["bstp_nmix_prpr"] == after["bstp_nmix_prpr"]


@pytest.mark.parametrize(
    ("family", "codes"),
    [("K", {"0001", "0002"}), ("Q", {"1001", "1002"}), ("K2", {"2001", "2007", "2008"})],
)
def test_a_family_is_told_beside_its_first(hand: Hand, family: str, codes: set[str]) -> None:
    rows: Rows = hand.ask(
        "inquire_index_category_price", **KOSPI, **CATEGORY, FID_MRKT_CLS_CODE=family
    ).json["output2"]
    assert codes <= {row["bstp_cls_code"] for row in rows}
    assert rows[0]["acml_vol_rlim"] == rows[0]["acml_tr_pbmn_rlim"] == "100.00"
    for row in rows:
        single = price(hand, row["bstp_cls_code"])
        assert row["bstp_nmix_prpr"] == single["bstp_nmix_prpr"]
        assert row["acml_vol"] == single["acml_vol"]


def test_before_the_open_an_index_stands_where_it_ended(make: Make) -> None:
    early = make(start=datetime(2026, 11, 20, 8, 40, tzinfo=SEOUL))
    hand = Hand(early).login()
    shown = price(hand)
    assert (shown["bstp_nmix_prdy_vrss"], shown["acml_vol"]) == ("0.00", "0")
    assert daily(hand, "20261120")[0]["stck_bsop_date"] == "20261119"
    assert daily(hand, "20261120")[0]["bstp_nmix_prpr"] == shown["bstp_nmix_prpr"]
    assert chart(hand, 60)["output2"] == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"FID_COND_MRKT_DIV_CODE": "J"}, "OPSQ2001"),
        ({"FID_INPUT_ISCD": "9999"}, "MCA05918"),
        ({"FID_INPUT_ISCD": "0004"}, "MCA05918"),
        ({"FID_INPUT_HOUR_1": "7"}, "OPSQ2001"),
        ({"FID_PW_DATA_INCU_YN": "X"}, "OPSQ2001"),
    ],
)
def test_what_no_index_is_asked_for_is_refused(
    hand: Hand, wrong: dict[str, str], code: str
) -> None:
    right = {**KOSPI, "FID_INPUT_HOUR_1": "60", "FID_PW_DATA_INCU_YN": "N", "FID_ETC_CLS_CODE": "0"}
    assert hand.ask("inquire_time_indexchartprice", **right).code == "MCA00000"
    assert hand.ask("inquire_time_indexchartprice", **(right | wrong)).code == code
