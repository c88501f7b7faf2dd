"""US quotations: every screen that tells a fact tells the same number; the traps of their names."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import Hand
from tests.trading.simulator.test_us_accounts import zeros
from tests.trading.simulator.test_us_orders import NIGHT, night
from trading.domain.sessions import SEOUL
from trading.simulator.us.listings import EXCD, LISTINGS

AAPL = {"EXCD": "NAS", "SYMB": "AAPL"}
MINUTES = {"NMIN": "1", "PINC": "0", "NREC": "120"}
CHART = {"FID_INPUT_DATE_1": "20261001", "FID_INPUT_DATE_2": "20261231", "FID_PERIOD_DIV_CODE": "D"}


@pytest.fixture
def hand(make: Make) -> Hand:
    """A quarter of an hour and 17 seconds into the session of a world that is not tame."""
    sim = make(start=NIGHT.replace(second=17), tame=False)
    return Hand(sim).login()


def same(*texts: str) -> None:
    assert len({Decimal(text) for text in texts}) == 1, texts


def await_a_move(hand: Hand) -> None:
    """A second in which the price is not the one of the second before: both cannot be right."""
    us = hand.sim.world.truth.us
    hours = us.calendar.hours(us.day)
    for _ in range(40):
        tick = hours.tick(us.time)
        now, before = (us.market.price_at("AAPL", us.day, t) for t in (tick, tick - 1))
        if now != before and us.market.tape("AAPL", us.day).traded(tick):
            return
        hand.sim.advance(1)
    raise AssertionError("the price stands still")


def test_one_moment_is_told_alike_by_every_screen(hand: Hand) -> None:
    await_a_move(hand)
    price = hand.ask("overseas_price", **AAPL).json["output"]
    detail = hand.ask("overseas_price_detail", **AAPL).json["output"]
    book = hand.ask("overseas_inquire_asking_price", **AAPL).json["output1"]
    day = hand.ask("overseas_dailyprice", **AAPL, GUBN="0", MODP="0").json["output2"][0]
    bars = hand.ask("overseas_inquire_time_itemchartprice", **AAPL, **MINUTES).json["output2"]
    trades = hand.ask("overseas_quot_inquire_ccnl", **AAPL, TDAY="1").json["output2"]
    chart = hand.ask(
        "overseas_inquire_daily_chartprice", FID_COND_MRKT_DIV_CODE="N", FID_INPUT_ISCD="AAPL",
        **CHART,
    ).json  # fmt: skip
    ranks = {
        call: next(
            row
            for row in hand.ask(call, EXCD="NAS", VOL_RANG="0", NDAY="0", GUBN="1").json["output2"]
            if row["symb"] == "AAPL"
        )
        for call in ("overseas_market_cap", "overseas_updown_rate", "overseas_trade_vol")
    }
    found = hand.ask("overseas_inquire_search", EXCD="NAS").json["output2"]
    search = next(row for row in found if row["symb"] == "AAPL")
    info = hand.ask("overseas_search_info", PRDT_TYPE_CD="512", PDNO="AAPL").json["output"]

    head, today = chart["output1"], chart["output2"][0]
    same(
        price["last"], detail["last"], book["last"], day["clos"], bars[0]["last"],
        trades[0]["last"], head["ovrs_nmix_prpr"], today["ovrs_nmix_prpr"],
        info["ovrs_now_pric1"], search["last"], *(row["last"] for row in ranks.values()),
    )  # fmt: skip
    same(
        price["tvol"], detail["tvol"], day["tvol"], trades[0]["tvol"], head["acml_vol"],
        today["acml_vol"], search["tvol"], str(sum(int(bar["evol"]) for bar in bars)),
        *(row["tvol"] for row in ranks.values()),
    )  # fmt: skip
    same(price["tamt"], detail["tamt"], day["tamt"], search["avol"])
    same(detail["high"], book["high"], day["high"], head["ovrs_prod_hgpr"], search["phigh"],
         str(max(Decimal(bar["high"]) for bar in bars)))  # fmt: skip
    same(detail["low"], book["low"], day["low"], head["ovrs_prod_lwpr"], search["plow"],
         str(min(Decimal(bar["low"]) for bar in bars)))  # fmt: skip
    same(detail["open"], book["open"], day["open"], bars[-1]["open"], search["popen"])
    same(price["base"], detail["base"], book["base"], head["ovrs_nmix_prdy_clpr"])
    same(price["pvol"], detail["pvol"], head["prdy_vol"])
    same(detail["tomv"], ranks["overseas_market_cap"]["tomv"])
    assert {price["rate"], day["rate"], trades[0]["rate"], search["rate"]} == {price["rate"]}
    assert len(bars) == 16
    assert [bar["xhms"] for bar in bars[:2]] == ["094500", "094400"]
    at = f"{hand.sim.now():%H%M%S}"
    assert trades[0]["khms"] == at
    assert (bars[0]["kymd"], bars[0]["khms"], bars[0]["tymd"]) == ("20261120", "234500", "20261120")


def test_the_book_is_the_one_that_orders_meet(make: Make) -> None:
    hand = night(make)
    before = hand.ask("overseas_inquire_asking_price", **AAPL).json["output2"]
    hand.us_order("buy", "AAPL", 7, before["pbid1"])
    after = hand.ask("overseas_inquire_asking_price", **AAPL).json
    assert int(after["output2"]["vbid1"]) == int(before["vbid1"]) + 7
    best = hand.ask("overseas_trade_vol", EXCD="NAS", VOL_RANG="0", NDAY="1").json["output2"]
    row = next(row for row in best if row["symb"] == "AAPL")
    assert (row["pbid"], row["pask"]) == (before["pbid1"], before["pask1"])
    total = sum(int(after["output2"][f"vbid{i}"]) for i in range(1, 11))
    assert int(after["output1"]["bvol"]) == total


def test_days_hang_together_and_end_where_the_present_began(hand: Hand) -> None:
    rows = hand.ask("overseas_dailyprice", **AAPL, GUBN="0", MODP="1").json["output2"]
    assert len(rows) == 100
    assert [r["xymd"] for r in rows] == sorted((r["xymd"] for r in rows), reverse=True)
    for row, before in zip(rows, rows[1:], strict=False):
        change = Decimal(row["clos"]) - Decimal(before["clos"])
        assert abs(change) == Decimal(row["diff"])
        assert row["sign"] == ("2" if change > 0 else "5" if change < 0 else "3")
        assert Decimal(row["low"]) <= Decimal(row["open"]) <= Decimal(row["high"])
        assert Decimal(row["low"]) <= Decimal(row["clos"]) <= Decimal(row["high"])
    older = hand.ask("overseas_dailyprice", **AAPL, GUBN="0", MODP="0", BYMD=rows[50]["xymd"]).json
    assert older["output2"][0] == rows[50]
    weeks = hand.ask("overseas_dailyprice", **AAPL, GUBN="1", MODP="0").json["output2"]
    week = [r for r in rows if r["xymd"] >= "20261116"]
    assert Decimal(weeks[0]["high"]) == max(Decimal(r["high"]) for r in week)
    assert int(weeks[0]["tvol"]) == sum(int(r["tvol"]) for r in week)
    assert "20261126" not in {r["xymd"] for r in rows}


def test_minutes_go_back_by_their_key(hand: Hand) -> None:
    hand.sim.advance(4 * 3_600)
    hand.login()
    call = "overseas_inquire_time_itemchartprice"
    first = hand.ask(call, **AAPL, NMIN="1", PINC="1", NREC="120")
    assert (first.json["output1"]["next"], first.headers["tr_cont"]) == ("1", "M")
    last = first.json["output2"][-1]
    at = datetime.strptime(last["xymd"] + last["xhms"], "%Y%m%d%H%M%S")
    key = f"{at.replace(minute=at.minute - 1):%Y%m%d%H%M%S}"
    more = hand.ask(call, **AAPL, NMIN="1", PINC="1", NREC="120", NEXT="1", KEYB=key).json
    assert more["output2"][0]["xhms"] == key[8:]
    assert more["output2"][0]["last"] == last["open"]
    hours = first.json["output1"]
    assert [hours[n] for n in ("stim", "etim", "sktm", "ektm")] == [
        "093000", "160000", "233000", "060000",
    ]  # fmt: skip
    fives = hand.ask(call, **AAPL, NMIN="5", PINC="0", NREC="10").json["output2"]
    ones = first.json["output2"]
    inside = [b for b in ones if fives[1]["xhms"] <= b["xhms"] < fives[0]["xhms"]]
    assert len(inside) == 5
    assert int(fives[1]["evol"]) == sum(int(b["evol"]) for b in inside)
    assert (fives[1]["open"], fives[1]["last"]) == (inside[-1]["open"], inside[0]["last"])


@pytest.mark.parametrize("code", [".DJI", "SPX", "COMP", "NDX"])
def test_indices_have_days_and_minutes(hand: Hand, code: str) -> None:
    asked = {"FID_COND_MRKT_DIV_CODE": "N", "FID_INPUT_ISCD": code}
    days = hand.ask("overseas_inquire_daily_chartprice", **asked, **CHART).json
    minutes = hand.ask(
        "overseas_inquire_time_indexchartprice", **asked, FID_HOUR_CLS_CODE="0",
        FID_PW_DATA_INCU_YN="N",
    ).json  # fmt: skip
    same(days["output1"]["ovrs_nmix_prpr"], minutes["output1"]["ovrs_nmix_prpr"],
         days["output2"][0]["ovrs_nmix_prpr"], minutes["output2"][0]["optn_prpr"])  # fmt: skip
    assert minutes["output2"][0]["stck_cntg_hour"] == "094500"
    assert len(minutes["output2"]) == 16
    assert len(days["output2"]) == 37


def test_the_dollar_is_one_rate_on_every_screen(make: Make) -> None:
    hand = night(make)
    asked = {"FID_COND_MRKT_DIV_CODE": "X", "FID_INPUT_ISCD": "FX@KRW"}
    chart = hand.ask("overseas_inquire_daily_chartprice", **asked, **CHART).json
    present = {"NATN_CD": "000", "TR_MKET_CD": "00", "INQR_DVSN_CD": "00"}
    balance = hand.ask("overseas_inquire_present_balance", WCRC_FRCR_DVSN_CD="01", **present).json
    detail = hand.ask("overseas_price_detail", **AAPL).json["output"]
    margin = hand.ask("overseas_foreign_margin").json["output"][0]
    same(
        chart["output1"]["ovrs_nmix_prpr"], chart["output2"][0]["ovrs_nmix_prpr"],
        balance["output2"][0]["frst_bltn_exrt"], balance["output1"][0]["bass_exrt"],
        detail["t_rate"], margin["bass_exrt"], hand.us_power()["exrt"],
    )  # fmt: skip
    same(chart["output1"]["ovrs_nmix_prdy_clpr"], detail["p_rate"])
    for row, before in zip(chart["output2"], chart["output2"][1:], strict=False):
        assert row["ovrs_nmix_oprc"] == before["ovrs_nmix_prpr"]
    won = Decimal(detail["last"]) * Decimal(detail["t_rate"])
    assert int(detail["t_xprc"]) == int(won)


def test_before_the_open_a_day_has_a_base_and_nothing_traded(make: Make) -> None:
    sim = make(start=datetime(2026, 11, 20, 20, tzinfo=SEOUL))
    hand = Hand(sim).login()
    price = hand.us_price("AAPL")
    assert (price["tvol"], price["last"], price["diff"]) == ("0", price["base"], "0.0000")
    rows = hand.ask("overseas_dailyprice", **AAPL, GUBN="0", MODP="0").json["output2"]
    assert (rows[0]["xymd"], rows[0]["clos"]) == ("20261119", price["base"])
    sim.advance(3.5 * 3_600 + 60)
    assert int(hand.us_price("AAPL")["tvol"]) > 0


REFUSED: list[tuple[str, dict[str, str], str, dict[str, str]]] = [
    ("overseas_price", {"EXCD": "NASD", "SYMB": "AAPL"}, "OPSQ2001", AAPL),
    ("overseas_price", {"EXCD": "NYS", "SYMB": "AAPL"}, "MCA05918", AAPL),
    ("overseas_price", {"EXCD": "HKS", "SYMB": "00700"}, "MCA05918", AAPL),
    ("overseas_price", {"EXCD": "BAQ", "SYMB": "AAPL"}, "MCA05918", AAPL),
    ("overseas_dailyprice", {**AAPL, "GUBN": "3", "MODP": "0"}, "OPSQ2001",
     {**AAPL, "GUBN": "2", "MODP": "0"}),
    ("overseas_dailyprice", {**AAPL, "GUBN": "0", "MODP": "0", "BYMD": "today"}, "OPSQ2001",
     {**AAPL, "GUBN": "0", "MODP": "0", "BYMD": "20261120"}),
    ("overseas_inquire_time_itemchartprice", {**AAPL, **MINUTES, "NMIN": "0"}, "OPSQ2001",
     {**AAPL, **MINUTES}),
    ("overseas_inquire_daily_chartprice",
     {**CHART, "FID_COND_MRKT_DIV_CODE": "N", "FID_INPUT_ISCD": "DJI"}, "MCA05918",
     {**CHART, "FID_COND_MRKT_DIV_CODE": "N", "FID_INPUT_ISCD": ".DJI"}),
    ("overseas_countries_holiday", {"TRAD_DT": "19000101"}, "OPSQ2001", {"TRAD_DT": "20261120"}),
    ("overseas_market_cap", {"EXCD": "NASD", "VOL_RANG": "0"}, "OPSQ2001",
     {"EXCD": "NAS", "VOL_RANG": "0"}),
    ("overseas_inquire_search", {"EXCD": "NAS", "CO_YN_PER": "1"}, "OPSQ2001",
     {"EXCD": "NAS", "CO_YN_PER": "1", "CO_ST_PER": "0", "CO_EN_PER": "100"}),
    ("overseas_search_info", {"PRDT_TYPE_CD": "513", "PDNO": "AAPL"}, "KIOK0560",
     {"PRDT_TYPE_CD": "512", "PDNO": "AAPL"}),
]  # fmt: skip


@pytest.mark.parametrize(("call", "bad", "code", "good"), REFUSED)
def test_what_is_asked_wrongly_is_refused(
    hand: Hand, call: str, bad: dict[str, str], code: str, good: dict[str, str]
) -> None:
    refused = hand.ask(call, **bad)
    assert (refused.code, refused.json["rt_cd"] in ("1", "7")) == (code, True)
    assert hand.ask(call, **good).json["rt_cd"] == "0"


def test_settlement_is_a_session_later_and_in_seoul_one_more(hand: Hand) -> None:
    def days(text: str) -> list[tuple[str, str, str]]:
        rows = hand.ask("overseas_countries_holiday", TRAD_DT=text).json["output"]
        return [(r["prdt_type_cd"], r["acpl_sttl_dt"], r["dmst_sttl_dt"]) for r in rows]

    assert days("20261125")[0] == ("512", "20261127", "20261130")
    assert [row[0] for row in days("20261120")] == ["512", "513", "529"]
    assert days("20261126") == []


def test_rankings_are_sorted_and_conditions_hold(hand: Hand) -> None:
    def column(call: str, name: str, **asked: str) -> list[Decimal]:
        rows = hand.ask(call, **{"EXCD": "NAS", "VOL_RANG": "0", **asked}).json["output2"]
        assert [row["rank"] for row in rows] == [str(n) for n in range(1, len(rows) + 1)]
        return [Decimal(row[name]) for row in rows]

    for values in (
        column("overseas_market_cap", "tomv"),
        column("overseas_updown_rate", "n_rate", NDAY="3", GUBN="1"),
        column("overseas_updown_rate", "n_rate", NDAY="0", GUBN="0")[::-1],
        column("overseas_trade_vol", "tvol", NDAY="0"),
    ):
        assert values == sorted(values, reverse=True)
        assert len(values) == sum(row.exchange == "NASD" for row in LISTINGS.values())
    cheap = column(
        "overseas_inquire_search", "last", CO_YN_PRICECUR="1", CO_ST_PRICECUR="0",
        CO_EN_PRICECUR="300",
    )  # fmt: skip
    assert cheap and max(cheap) <= 300
    everyone = column("overseas_trade_vol", "tvol", NDAY="0")
    busy = column("overseas_trade_vol", "tvol", NDAY="0", VOL_RANG="5")
    assert busy == [volume for volume in everyone if volume >= 1_000_000] != everyone


def test_the_news_tells_what_the_charts_show(hand: Hand) -> None:
    asked = {"DATA_DT": "20261120", "DATA_TM": "120000", "NATION_CD": "US"}
    first = hand.ask("overseas_news_title", **asked)
    rows = first.json["outblock1"]
    assert len(rows) == 40
    stamps = [row["data_dt"] + row["data_tm"] for row in rows]
    assert stamps == sorted(stamps, reverse=True)
    about = next(row for row in rows if row["symb"] == "AAPL")
    days = hand.ask("overseas_dailyprice", **AAPL, GUBN="0", MODP="0").json["output2"]
    close = next(day["clos"] for day in days if day["xymd"] == "20261119")
    assert about["title"].endswith(f"{Decimal(close):.2f}달러")
    more = hand.ask("overseas_news_title", **asked, CTS=rows[-1]["news_key"]).json["outblock1"]
    assert more[0]["news_key"] < rows[-1]["news_key"]
    ticker = hand.ask("overseas_brknews_title", FID_INPUT_DATE_1="20261120").json["output"]
    assert about["title"] in {row["hts_pbnt_titl_cntt"] for row in ticker}
    assert hand.ask("overseas_news_title", DATA_DT="19000101").json["outblock1"] == []


# --- no zeros from a schema -------------------------------------------------------------------

MAY_BE_ZERO = {
    "tr_unit_amt": "shares are traded one by one",
}


def test_no_number_is_a_zero_of_the_schema(hand: Hand) -> None:
    listed = [{"EXCD": EXCD[row.exchange], "SYMB": row.code} for row in LISTINGS.values()][:6]
    everywhere = [{"EXCD": excd, "VOL_RANG": "0", "NDAY": "0", "GUBN": "1"} for excd in ("NAS",)]
    index = {"FID_COND_MRKT_DIV_CODE": "N", "FID_INPUT_ISCD": "SPX"}
    sweep: list[tuple[str, dict[str, Any]]] = [
        *(("overseas_price", one) for one in listed),
        *(("overseas_price_detail", one) for one in listed),
        *(("overseas_inquire_asking_price", one) for one in listed),
        ("overseas_dailyprice", {**AAPL, "GUBN": "0", "MODP": "0"}),
        ("overseas_inquire_time_itemchartprice", {**AAPL, **MINUTES}),
        ("overseas_inquire_daily_chartprice", {**index, **CHART}),
        ("overseas_inquire_time_indexchartprice",
         {**index, "FID_HOUR_CLS_CODE": "0", "FID_PW_DATA_INCU_YN": "N"}),
        ("overseas_quot_inquire_ccnl", {**AAPL, "TDAY": "1"}),
        ("overseas_search_info", {"PRDT_TYPE_CD": "512", "PDNO": "AAPL"}),
        *((call, one) for one in everywhere for call in (
            "overseas_market_cap", "overseas_updown_rate", "overseas_trade_vol",
            "overseas_inquire_search",
        )),
    ]  # fmt: skip
    assert zeros(hand, sweep) - MAY_BE_ZERO.keys() == set()
