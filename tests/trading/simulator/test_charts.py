"""Candles, minutes and trades: every screen that shows the same moment shows the same numbers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.trading.simulator.conftest import FRIDAY
from tests.trading.simulator.kis import Hand
from trading.domain.price_grid import is_on_tick
from trading.domain.sessions import KRX
from trading.simulator import Simulator
from trading.simulator.prices import DEMO_LISTINGS

CODE = "005930"
Rows = list[dict[str, str]]


def days(hand: Hand, first: str, last: str, period: str = "D", code: str = CODE) -> Rows:
    answer = hand.ask(
        "inquire_daily_itemchartprice",
        FID_COND_MRKT_DIV_CODE="J",
        FID_INPUT_ISCD=code,
        FID_INPUT_DATE_1=first,
        FID_INPUT_DATE_2=last,
        FID_PERIOD_DIV_CODE=period,
        FID_ORG_ADJ_PRC="0",
    )
    rows: Rows = answer.json["output2"]
    return rows


def today_minutes(hand: Hand, hour: str, past: str = "N", code: str = CODE) -> Rows:
    rows: Rows = hand.ask(
        "inquire_time_itemchartprice",
        FID_COND_MRKT_DIV_CODE="J",
        FID_INPUT_ISCD=code,
        FID_INPUT_HOUR_1=hour,
        FID_PW_DATA_INCU_YN=past,
    ).json["output2"]
    return rows


# --- days -------------------------------------------------------------------------------------
def test_a_year_of_candles_is_one_chain_of_sessions(hand: Hand) -> None:
    rows: Rows = []
    until = FRIDAY.date()
    while len(rows) < 250:
        page = days(hand, "20250101", f"{until:%Y%m%d}")
        assert len(page) == 100
        rows += page
        until = datetime.strptime(page[-1]["stck_bsop_date"], "%Y%m%d").date() - timedelta(1)
    dates = [row["stck_bsop_date"] for row in rows]
    assert dates == sorted(set(dates), reverse=True)
    sessions = KRX.sessions_between(datetime.strptime(dates[-1], "%Y%m%d").date(), FRIDAY.date())
    assert dates == [f"{day:%Y%m%d}" for day in reversed(list(sessions))]
    for newer, older in zip(rows, rows[1:], strict=False):
        assert int(newer["stck_clpr"]) - int(newer["prdy_vrss"]) == int(older["stck_clpr"])
    for row in rows:
        low, high = int(row["stck_lwpr"]), int(row["stck_hgpr"])
        assert low <= min(int(row["stck_oprc"]), int(row["stck_clpr"]))
        assert max(int(row["stck_oprc"]), int(row["stck_clpr"])) <= high
        assert low * int(row["acml_vol"]) <= int(row["acml_tr_pbmn"]) <= high * int(row["acml_vol"])


@pytest.mark.parametrize("listing", DEMO_LISTINGS[::4], ids=lambda listing: listing.code)
def test_every_price_of_the_past_is_on_the_grid(hand: Hand, listing: Any) -> None:
    for row in days(hand, "20260101", "20261120", code=listing.code):
        for name in ("stck_oprc", "stck_hgpr", "stck_lwpr", "stck_clpr"):
            assert is_on_tick(int(row[name]), listing.kind)


def test_todays_candle_is_the_price_screen(sim: Simulator, hand: Hand) -> None:
    for _ in range(3):
        sim.advance(977)
        row = days(hand, "20261120", "20261120")[0]
        shown = hand.price(CODE).json["output"]
        for ours, theirs in (
            ("stck_clpr", "stck_prpr"),
            ("stck_oprc", "stck_oprc"),
            ("stck_hgpr", "stck_hgpr"),
            ("stck_lwpr", "stck_lwpr"),
            ("acml_vol", "acml_vol"),
            ("acml_tr_pbmn", "acml_tr_pbmn"),
            ("prdy_vrss", "prdy_vrss"),
        ):
            assert row[ours] == shown[theirs], ours


def test_a_day_that_is_over_does_not_change_any_more(sim: Simulator, hand: Hand) -> None:
    sim.advance(7 * 3600)
    evening = days(hand, "20261120", "20261120")
    sim.advance(3 * 24 * 3600)
    hand.login()
    assert days(hand, "20261120", "20261120") == evening
    monday = days(hand, "20261120", "20261123")
    assert monday[0]["stck_bsop_date"] == "20261123"
    before = int(monday[0]["stck_clpr"]) - int(monday[0]["prdy_vrss"])
    assert before == int(evening[0]["stck_clpr"])


@pytest.mark.parametrize(("period", "first"), [("W", "20261116"), ("M", "20261120")])
def test_a_week_is_dated_by_its_first_session_and_a_month_by_its_last(
    hand: Hand, period: str, first: str
) -> None:
    whole = days(hand, "20260901", "20261120", period)
    single = days(hand, "20260901", "20261120")
    assert whole[0]["stck_bsop_date"] == first
    month = "202610" if period == "M" else ""
    if month:
        inside = [row for row in single if row["stck_bsop_date"].startswith(month)]
        assert whole[1]["stck_bsop_date"] == inside[0]["stck_bsop_date"]
        assert whole[1]["acml_vol"] == str(sum(int(row["acml_vol"]) for row in inside))
        assert whole[1]["stck_oprc"] == inside[-1]["stck_oprc"]
        assert whole[1]["stck_hgpr"] == str(max(int(row["stck_hgpr"]) for row in inside))


def test_the_recent_days_are_the_same_days(hand: Hand) -> None:
    recent: Rows = hand.ask(
        "inquire_daily_price",
        FID_COND_MRKT_DIV_CODE="J",
        FID_INPUT_ISCD=CODE,
        FID_PERIOD_DIV_CODE="D",
        FID_ORG_ADJ_PRC="1",
    ).json["output"]
    assert len(recent) == 30
    chart = days(hand, "20260101", "20261120")
    for one, other in zip(recent, chart, strict=False):
        for name in ("stck_bsop_date", "stck_clpr", "stck_oprc", "acml_vol", "prdy_vrss"):
            assert one[name] == other[name]


def test_the_ranges_of_the_price_screen_are_those_of_the_chart(hand: Hand) -> None:
    shown = hand.price(CODE).json["output"]
    rows: Rows = []
    for first, last in (("20260601", "20261120"), ("20260101", "20260531")):
        rows += days(hand, first, last) if first != "20260601" else page_through(hand, first, last)
    year = [row for row in rows if row["stck_bsop_date"] >= "20260101"]
    high = max(int(row["stck_hgpr"]) for row in page_through(hand, "20260101", "20261120"))
    assert year and int(shown["stck_dryy_hgpr"]) == high
    low = min(int(row["stck_lwpr"]) for row in page_through(hand, "20260101", "20261120"))
    assert int(shown["stck_dryy_lwpr"]) == low


def page_through(hand: Hand, first: str, last: str) -> Rows:
    rows: Rows = []
    while True:
        page = days(hand, first, last)
        rows += page
        if len(page) < 100:
            return rows
        oldest = datetime.strptime(page[-1]["stck_bsop_date"], "%Y%m%d") - timedelta(1)
        last = f"{oldest:%Y%m%d}"


@pytest.mark.parametrize(
    "wrong", [{"FID_PERIOD_DIV_CODE": "Q"}, {"FID_INPUT_DATE_1": "2026"}, {"FID_INPUT_ISCD": "1"}]
)
def test_nonsense_is_refused_by_code(hand: Hand, wrong: dict[str, str]) -> None:
    right = {
        "FID_COND_MRKT_DIV_CODE": "J",
        "FID_INPUT_ISCD": CODE,
        "FID_INPUT_DATE_1": "20261101",
        "FID_INPUT_DATE_2": "20261120",
        "FID_PERIOD_DIV_CODE": "D",
        "FID_ORG_ADJ_PRC": "0",
    }
    assert hand.ask("inquire_daily_itemchartprice", **right).json["rt_cd"] == "0"
    assert hand.ask("inquire_daily_itemchartprice", **(right | wrong)).json["rt_cd"] == "1"


# --- minutes ----------------------------------------------------------------------------------
def test_the_minutes_of_a_day_add_up_to_the_day(sim: Simulator, hand: Hand) -> None:
    sim.advance(7 * 3600)
    rows: Rows = []
    hour = "153000"
    while len(rows) < 380:
        page = today_minutes(hand, hour)
        assert len(page) == 30 or page[-1]["stck_cntg_hour"] == "090000"
        rows += page
        last = datetime.strptime(page[-1]["stck_cntg_hour"], "%H%M%S") - timedelta(minutes=1)
        hour = f"{last:%H%M%S}"
    day = days(hand, "20261120", "20261120")[0]
    assert len(rows) == 380
    assert sum(int(row["cntg_vol"]) for row in rows) == int(day["acml_vol"])
    assert rows[0]["acml_tr_pbmn"] == day["acml_tr_pbmn"]
    assert rows[-1]["stck_oprc"] == day["stck_oprc"]
    assert max(int(row["stck_hgpr"]) for row in rows) == int(day["stck_hgpr"])
    assert min(int(row["stck_lwpr"]) for row in rows) == int(day["stck_lwpr"])
    assert rows[0]["stck_prpr"] == day["stck_clpr"]


def test_the_forming_minute_is_as_far_as_the_price_screen(sim: Simulator, hand: Hand) -> None:
    sim.advance(37)
    rows = today_minutes(hand, f"{sim.now():%H%M%S}")
    shown = hand.price(CODE).json["output"]
    assert rows[0]["stck_cntg_hour"] == "093500"
    assert rows[0]["stck_prpr"] == shown["stck_prpr"]
    assert rows[0]["acml_tr_pbmn"] == shown["acml_tr_pbmn"]
    finished = rows[1]
    sim.advance(60)
    assert finished in today_minutes(hand, "093500"), "a minute that is over stays as it was"


def test_an_hour_still_to_come_repeats_the_present_price(hand: Hand) -> None:
    rows = today_minutes(hand, "100000")
    shown = hand.price(CODE).json["output"]
    coming = [row for row in rows if row["stck_cntg_hour"] > "093500"]
    assert len(coming) == 25
    assert {row["stck_prpr"] for row in coming} == {shown["stck_prpr"]}
    assert {row["cntg_vol"] for row in coming} == {"0"}


def past_minutes(hand: Hand, day: str, hour: str, past: str) -> Rows:
    rows: Rows = hand.ask(
        "inquire_time_dailychartprice",
        FID_COND_MRKT_DIV_CODE="J",
        FID_INPUT_ISCD=CODE,
        FID_INPUT_DATE_1=day,
        FID_INPUT_HOUR_1=hour,
        FID_PW_DATA_INCU_YN=past,
    ).json["output2"]
    return rows


def test_todays_minutes_are_todays_whatever_is_asked_for(hand: Hand) -> None:
    for past in ("N", "Y"):
        rows = today_minutes(hand, "090500", past)
        assert [row["stck_cntg_hour"] for row in rows][::5] == ["090500", "090000"]
        assert {row["stck_bsop_date"] for row in rows} == {"20261120"}


def test_minutes_of_the_day_before_are_added_to_past_days_when_asked_for(hand: Hand) -> None:
    assert len(past_minutes(hand, "20261120", "090500", "N")) == 6
    rows = past_minutes(hand, "20261120", "090500", "Y")
    assert [r["stck_bsop_date"] for r in rows] == ["20261120"] * 6 + ["20261119"] * 114
    assert rows[6]["stck_cntg_hour"] == "161900", "an hour later on the exam day"


def test_past_minutes_are_the_minutes_of_that_day(hand: Hand) -> None:
    rows = past_minutes(hand, "20261119", "163000", "N")
    day = days(hand, "20261119", "20261119")[0]
    assert len(rows) == 120
    assert (rows[0]["stck_prpr"], rows[0]["acml_tr_pbmn"]) == (
        day["stck_clpr"],
        day["acml_tr_pbmn"],
    )


# --- trades and many at once ------------------------------------------------------------------
def test_the_last_trades_are_of_the_last_seconds(sim: Simulator, hand: Hand) -> None:
    rows: Rows = hand.ask("inquire_ccnl", FID_COND_MRKT_DIV_CODE="J", FID_INPUT_ISCD=CODE).json[
        "output"
    ]
    assert len(rows) == 30
    assert rows[0]["stck_prpr"] == hand.price(CODE).json["output"]["stck_prpr"]
    times = [row["stck_cntg_hour"] for row in rows]
    assert times == sorted(times, reverse=True)
    timed: Rows = hand.ask(
        "inquire_time_itemconclusion",
        FID_COND_MRKT_DIV_CODE="J",
        FID_INPUT_ISCD=CODE,
        FID_INPUT_HOUR_1="093500",
    ).json["output2"]
    assert [r["cnqn"] for r in timed] == [r["cntg_vol"] for r in rows]
    assert timed[0]["acml_vol"] == hand.price(CODE).json["output"]["acml_vol"]


def test_thirty_at_once_are_thirty_single_screens(sim: Simulator, hand: Hand) -> None:
    codes = [listing.code for listing in DEMO_LISTINGS]
    pairs = {f"FID_INPUT_ISCD_{n}": code for n, code in enumerate(codes, start=1)}
    pairs |= {f"FID_COND_MRKT_DIV_CODE_{n}": "J" for n in range(1, len(codes) + 1)}
    rows: Rows = hand.ask("intstock_multprice", **pairs).json["output"]
    assert [row["inter_shrn_iscd"] for row in rows] == codes
    for row in rows:
        single = hand.price(row["inter_shrn_iscd"]).json["output"]
        book = hand.book(row["inter_shrn_iscd"]).json["output1"]
        assert row["inter2_prpr"] == single["stck_prpr"]
        assert row["acml_tr_pbmn"] == single["acml_tr_pbmn"]
        assert (row["inter2_askp"], row["shnu_rsqn"]) == (book["askp1"], book["bidp_rsqn1"])


def test_no_number_of_the_price_screen_is_left_out(hand: Hand) -> None:
    """Zeros of a schema are lies; the ones that remain have a reason."""
    from trading.kis_wire import calls

    shown = hand.price(CODE).json["output"]
    empty = {
        f.name for f in calls()["inquire_price"].outputs[0].fields if shown[f.name] in ("", "0")
    }
    assert empty == {"new_hgpr_lwpr_cls_code", "apprch_rate"}
