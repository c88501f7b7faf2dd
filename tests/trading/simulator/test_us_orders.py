"""US orders on the wire: the clock of New York, each refusal with a case it lets through, fills, money."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import exchange_calendars
import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import ACCOUNT, Hand, odno
from tests.trading.simulator.test_resume import second_life
from trading.domain.sessions import SEOUL
from trading.simulator import DEMO_APPKEY, DEMO_APPSECRET
from trading.simulator.us.calendar import CLOSED, HALF_DAYS, US

NIGHT = datetime(2026, 11, 20, 23, 45, tzinfo=SEOUL)
KEYS = {"appkey": DEMO_APPKEY, "appsecret": DEMO_APPSECRET, "account": ACCOUNT}
RICH: dict[str, Any] = {**KEYS, "usd": "100000.00", "overseas": {"KO": {"qty": 50, "avg": "65.5"}}}


def night(make: Make, **options: Any) -> Hand:
    """A quarter of an hour into New York's day; 100,000 dollars, 50 Coca-Cola, AAPL at 270.00."""
    sim = make(**{"start": NIGHT, "accounts": [RICH], **options})
    sim.control.posts["price"]({"code": "AAPL", "price": "270.00"})
    return Hand(sim).login()


def hold(hand: Hand, code: str, price: object) -> None:
    with hand.sim.world.lock:
        hand.sim.control.posts["price"]({"code": code, "price": price})


# --- the calendar -----------------------------------------------------------------------------


def test_the_table_of_sessions_agrees_with_the_library() -> None:
    library = exchange_calendars.get_calendar("XNYS", start="2011-01-03", end="2030-12-31")
    sessions = {stamp.date() for stamp in library.sessions}
    first, last = date(2011, 1, 3).toordinal(), date(2030, 12, 31).toordinal()
    weekdays = [d for n in range(first, last + 1) if (d := date.fromordinal(n)).weekday() < 5]
    assert {day for day in weekdays if day not in sessions} == CLOSED
    assert {stamp.date() for stamp in library.early_closes} == HALF_DAYS
    for day in sorted(sessions)[::7]:
        hours = US.hours(day)
        assert hours.open == library.session_open(str(day)).to_pydatetime()
        assert hours.close == library.session_close(str(day)).to_pydatetime()


@pytest.mark.parametrize(
    ("moment", "real_code", "mock_code"),
    [
        ("2026-11-20T17:59:59", "APBK1664", "40570000"),
        ("2026-11-20T18:00:00", "APBK0013", "40600000"),
        ("2026-11-21T05:59:59", "APBK0013", "40600000"),
        ("2026-11-21T06:00:00", "APBK1664", "40580000"),
        ("2026-07-20T16:59:59", "APBK1664", "40570000"),
        ("2026-07-20T17:00:00", "APBK0013", "40600000"),
        ("2026-07-21T04:59:59", "APBK0013", "40600000"),
        ("2026-07-21T05:00:00", "APBK1664", "40580000"),
        ("2026-11-26T23:45:00", "APAM3099", "40100000"),  # Thanksgiving
        ("2026-11-28T02:59:59", "APBK0013", "40600000"),  # the half day after it
        ("2026-11-28T03:00:00", "APBK1664", "40580000"),
        ("2026-11-21T23:45:00", "APAM3099", "40100000"),
    ],
)
@pytest.mark.parametrize("profile", ["real", "mock"])
def test_new_york_s_clock_decides(
    make: Make, profile: str, moment: str, real_code: str, mock_code: str
) -> None:
    start = datetime.fromisoformat(moment).replace(tzinfo=SEOUL)
    hand = night(make, profile=profile, start=start)
    answer = hand.us_order("buy", "AAPL", 1, "10.00")
    assert answer.code == (mock_code if profile == "mock" else real_code)


# --- orders -----------------------------------------------------------------------------------


def test_an_order_is_taken_filled_and_shown(make: Make) -> None:
    hand = night(make)
    answer = hand.us_order("buy", "AAPL", 10, "271.00")
    assert (answer.status, answer.json["rt_cd"], answer.code) == (200, "0", "APBK0013")
    assert answer.json["output"]["ORD_TMD"] == "234500"
    (row,) = hand.us_fills()
    assert (row["odno"], row["ft_ccld_qty"], row["nccs_qty"]) == (odno(answer), "10", "0")
    paid = round(float(row["ft_ccld_amt3"]) * 100)
    assert paid == 10 * round(float(row["ft_ccld_unpr3"]) * 100)
    rows, _totals = hand.us_balance()
    assert {r["ovrs_pdno"]: r["ovrs_cblc_qty"] for r in rows} == {"AAPL": "10", "KO": "50"}
    us = hand.sim.truth()["us"]
    assert us["cash"][ACCOUNT]["settled"] == 10_000_000 - paid - int(paid * 0.0025)
    assert us["cash"][ACCOUNT]["cash"] == 10_000_000
    assert hand.sim.truth()["orders"] == []


SELL = ("sell", "KO", 10, "70.00")
BUY = ("buy", "AAPL", 1, "270.00")
CASES = [
    # what, the order refused, real code, mock code, the order let through
    ("unknown code", ("buy", "XXXX", 1, "1.00"), "APBK0656", "APBK0656", BUY),
    ("other exchange", (*BUY, "NYSE"), "APBK0656", "APBK0656", (*BUY, "NASD")),
    ("quotation code", (*BUY, "NAS"), "OPSQ2001", "OPSQ2001", BUY),
    ("asia", (*BUY, "SEHK"), "APBK0656", "APBK0656", BUY),
    ("no quantity", ("buy", "AAPL", 0, "270.00"), "APBK0400", "40310000", BUY),
    ("a part of one", ("buy", "AAPL", "1.5", "270.00"), "APBK0400", "40310000", BUY),
    ("mills", ("buy", "AAPL", 1, "270.001"), "APBK0506", "40310000",
     ("buy", "AAPL", 1, "270.0100")),
    ("no price", ("buy", "AAPL", 1, "0"), "APBK0506", "40310000", ("buy", "AAPL", 1, "0.01")),
    ("words", ("buy", "AAPL", 1, "cheap"), "APBK0506", "40310000", BUY),
    ("cash", ("buy", "AAPL", 370, "270.00"), "APBK0952", "APBK0952",
     ("buy", "AAPL", 369, "270.00")),
    ("not held", ("sell", "AAPL", 1, "270.00"), "APBK1234", "APBK1234", SELL),
    ("too many", ("sell", "KO", 51, "70.00"), "APBK0400", "APBK0400",
     ("sell", "KO", 50, "70.00")),
]  # fmt: skip


@pytest.mark.parametrize("profile", ["real", "mock"])
@pytest.mark.parametrize(
    ("refused", "real_code", "mock_code", "taken"),
    [case[1:] for case in CASES],
    ids=[case[0].replace(" ", "-") for case in CASES],
)
def test_each_refusal_and_the_order_it_lets_through(
    make: Make, profile: str, refused: tuple, real_code: str, mock_code: str, taken: tuple
) -> None:
    hand = night(make, profile=profile)
    answer = hand.us_order(*refused)
    assert answer.code == (mock_code if profile == "mock" else real_code)
    assert (answer.status, answer.json["rt_cd"]) == (200, "1")
    assert hand.sim.truth()["us"]["orders"] == []
    assert hand.us_order(*taken).json["rt_cd"] == "0"
    assert len(hand.sim.truth()["us"]["orders"]) == 1


@pytest.mark.parametrize("tr_id", ["VTTT1001U", "VTTT1006U"])
def test_mock_sells_under_both_ids(make: Make, tr_id: str) -> None:
    hand = night(make, profile="mock")
    body = {"OVRS_EXCG_CD": "NYSE", "PDNO": "KO", "ORD_QTY": "1", "OVRS_ORD_UNPR": "70.00"}
    body |= {"ORD_SVR_DVSN_CD": "0", "ORD_DVSN": "00"}
    assert hand.send("overseas_order", "sell:NASD", tr_id, **body).code == "40590000"
    assert hand.send("overseas_order", "sell:NASD", "TTTT1006U", **body).code == "EGW02004"
    assert hand.us_order("sell", "KO", 1, "70.00", ORD_DVSN="34").code == "OPSQ2001"


def test_the_other_markets_tr_ids_are_refused_in_plain_words(make: Make) -> None:
    hand = night(make)
    body = {"OVRS_EXCG_CD": "SEHK", "PDNO": "00700", "ORD_QTY": "1", "OVRS_ORD_UNPR": "500"}
    answer = hand.send("overseas_order", "buy:SEHK", ORD_SVR_DVSN_CD="0", ORD_DVSN="00", **body)
    assert (answer.code, "미국" in answer.json["msg1"]) == ("APBK0656", True)


def test_a_resting_order_fills_when_the_price_touches(make: Make) -> None:
    hand = night(make)
    hand.us_order("buy", "AAPL", 10, "269.00")
    hand.sim.advance(60)
    assert hand.us_fills()[0]["ft_ccld_qty"] == "0"
    (waiting,) = hand.all_of("overseas_inquire_nccs", "output", OVRS_EXCG_CD="NASD")
    assert (waiting["nccs_qty"], waiting["ft_ord_unpr3"]) == ("10", "269.00000000")
    hold(hand, "AAPL", "268.50")
    hand.sim.advance(2)
    row = hand.us_fills()[0]
    assert (row["ft_ccld_qty"], row["ft_ccld_unpr3"]) == ("10", "269.00000000")
    assert hand.all_of("overseas_inquire_nccs", "output", OVRS_EXCG_CD="NASD") == []


def test_revise_and_cancel_move_to_new_numbers(make: Make) -> None:
    hand = night(make)
    first = odno(hand.us_order("buy", "AAPL", 10, "200.00"))
    assert hand.us_change("revise", first, "AAPL", 11, "201.00").code == "APBK0400"
    second = odno(hand.us_change("revise", first, "AAPL", 10, "201.00"))
    assert hand.us_change("cancel", first, "AAPL").code == "APBK0400"
    assert hand.us_change("cancel", "1", "AAPL").code == "APBK1663"
    assert hand.us_change("cancel", second, "MSFT").code == "APBK1663"
    third = odno(hand.us_change("cancel", second, "AAPL", 4))
    rows = {row["odno"]: row for row in hand.us_fills()}
    assert [rows[n]["nccs_qty"] for n in (first, second, third)] == ["0", "6", "0"]
    assert (rows[third]["orgn_odno"], rows[third]["rvse_cncl_dvsn"]) == (second, "02")
    reserved = 6 * 20_100 + int(6 * 20_100 * 0.0025)
    margin = hand.ask("overseas_foreign_margin").json["output"][0]
    assert round(float(margin["frcr_mgn_amt"]) * 100) == reserved
    assert hand.us_change("cancel", second, "AAPL").json["rt_cd"] == "0"
    assert hand.ask("overseas_foreign_margin").json["output"][0]["frcr_mgn_amt"] == "0.000000"


def test_a_day_order_ends_with_the_day(make: Make) -> None:
    hand = night(make)
    hand.us_order("buy", "AAPL", 10, "200.00")
    before = hand.us_power()["ovrs_ord_psbl_amt"]
    hand.sim.advance(7 * 3_600)
    assert hand.login().us_fills()[0]["nccs_qty"] == "0"
    assert [r["qty"] for r in hand.sim.journal() if r["kind"] == "us_expire"] == [10]
    assert float(hand.us_power()["ovrs_ord_psbl_amt"]) > float(before)


@pytest.mark.parametrize(
    ("dvsn", "price", "enters", "late", "filled"),
    [
        ("31", "0", "20:00", "23:30", "5"),
        ("32", "60.00", "20:00", "23:30", "5"),
        ("32", "90.00", "20:00", "23:30", "0"),
        ("33", "0", "23:40", "05:50", "5"),
        ("34", "60.00", "23:40", "05:50", "5"),
        ("34", "90.00", "23:40", "05:50", "0"),
    ],
)
def test_orders_for_the_open_and_for_the_close(
    make: Make, dvsn: str, price: str, enters: str, late: str, filled: str
) -> None:
    hour, minute = map(int, enters.split(":"))
    hand = night(make, start=NIGHT.replace(hour=hour, minute=minute))
    hold(hand, "KO", "70.00")
    assert hand.us_order("sell", "KO", 5, price, ORD_DVSN=dvsn).json["rt_cd"] == "0"
    assert hand.us_fills()[0]["ft_ccld_qty"] == "0"
    hour, minute = map(int, late.split(":"))
    moment = NIGHT.replace(hour=hour, minute=minute) + timedelta(days=1 if hour < 12 else 0)
    hand.sim.advance((moment - hand.sim.now()).total_seconds())
    assert hand.login().us_order("sell", "KO", 5, price, ORD_DVSN=dvsn).code == "APBK1058"
    hand.sim.advance(700)
    (row,) = hand.us_fills()
    assert (row["ft_ccld_qty"], row["nccs_qty"]) == (filled, "0")
    if filled == "5":
        assert row["ft_ccld_unpr3"] == "70.00000000"


def test_dollars_settle_a_session_later(make: Make) -> None:
    hand = night(make)
    hand.us_order("sell", "KO", 50, "1.00")
    cash = hand.sim.truth()["us"]["cash"][ACCOUNT]
    assert cash["cash"] == 10_000_000 < cash["settled"]
    paymt = {"WCRC_FRCR_DVSN_CD": "02", "INQR_DVSN_CD": "00"}

    def settled(day: str) -> list[str]:
        answer = hand.ask("overseas_inquire_paymt_stdr_balance", BASS_DT=day, **paymt).json
        return [row["cblc_qty13"] for row in answer["output1"]]

    assert (settled("20261120"), settled("20261123")) == (["50.00000000"], [])
    hand.sim.advance((datetime(2026, 11, 23, 18, tzinfo=SEOUL) - NIGHT).total_seconds())
    after = hand.sim.truth()["us"]["cash"][ACCOUNT]
    assert after["cash"] == after["settled"] == cash["settled"]
    assert settled(f"{hand.login().sim.world.truth.us.day:%Y%m%d}") == []


def test_a_world_without_dollars_says_nothing_of_them(make: Make) -> None:
    sim = make()
    hand = Hand(sim).login()
    hand.us_balance()
    sim.advance(86_400)
    assert "us" not in sim.truth()
    assert not [row for row in sim.journal() if row["kind"].startswith("us_")]
    assert hand.login().us_power()["ovrs_ord_psbl_amt"] == "0.00"


def test_dollars_come_and_go_by_hand(make: Make) -> None:
    sim = make(start=NIGHT)
    hand = Hand(sim).login()
    cash = sim.control.posts["cash"]
    body = {"account": ACCOUNT, "amount": "1234.56", "currency": "USD"}
    assert cash(body)["moved"] == "1234.56"
    assert hand.us_power()["ord_psbl_frcr_amt"] == "1234.56"
    assert cash({**body, "amount": "-2000"})["moved"] == "-1234.56"
    assert "us" in sim.truth()
    with pytest.raises(ValueError, match="KRW or USD"):
        cash({**body, "currency": "EUR"})
    with pytest.raises(ValueError, match="cents"):
        cash({**body, "amount": "0.001"})


# --- a second life ----------------------------------------------------------------------------


def test_what_was_killed_goes_on_with_its_dollars(make: Make, tmp_path: Path) -> None:
    hand = night(make, journal=tmp_path / "first.jsonl", tame=False)
    sim = hand.sim
    hold(hand, "AAPL", None)
    for number in range(12):
        hand.us_order("buy", "AAPL", 5 + number, f"{265 + number}.00")
        sim.advance(7)
    hand.us_change("cancel", hand.us_fills()[0]["odno"], "AAPL")
    hand.us_change("revise", hand.us_fills()[1]["odno"], "AAPL", 2, "250.00")
    hand.us_order("sell", "KO", 10, "1.00", ORD_DVSN="34")
    again = second_life(make, sim, tmp_path, accounts=[RICH], tame=False)
    other = Hand(again, token=hand.token)
    assert again.truth() == sim.truth()
    assert again.now() - sim.now() < timedelta(milliseconds=1)
    lost = [row for row in sim.journal() if row["kind"] == "notice_drop"]
    assert lost, "a notice that was lost once is not lost again"
    assert [row for row in again.journal() if row["kind"] == "notice_drop"] == lost
    for _ in range(8):
        assert other.us_fills() == hand.us_fills()
        assert other.us_balance() == hand.us_balance()
        assert other.us_power() == hand.us_power()
        for world in (sim, again):
            world.advance(1)
    used = {row["odno"] for row in hand.us_fills()}
    fresh = odno(other.us_order("buy", "AAPL", 1, "100.00"))
    assert fresh not in used
    assert fresh == odno(hand.us_order("buy", "AAPL", 1, "100.00"))
    for world in (sim, again):
        world.advance(3 * 86_400)
    ended = [world.truth()["us"] for world in (sim, again)]
    assert ended[0]["cash"] == ended[1]["cash"]
    assert [o["filled"] for o in ended[0]["orders"]] == [o["filled"] for o in ended[1]["orders"]]


def test_a_journal_whose_dollars_contradict_themselves_is_refused(
    make: Make, tmp_path: Path
) -> None:
    hand = night(make, journal=tmp_path / "first.jsonl")
    hand.us_order("buy", "AAPL", 1, "280.00")
    hand.sim.stop()
    path = tmp_path / "first.jsonl"
    path.write_text(path.read_text().replace('"fee":', '"fee":1'))
    with pytest.raises(ValueError, match="contradicts itself"):
        make(journal=path, resume=True, start=None, accounts=[RICH])


def test_equal_seeds_write_equal_journals(make: Make) -> None:
    def life() -> bytes:
        hand = night(make, tame=False, seed=11)
        for price in ("268.00", "275.00", "270.00", "1.00"):
            hand.us_order("buy", "AAPL", 30, price)
            hand.us_order("sell", "KO", 3, price)
            hand.sim.advance(30)
        return hand.sim.journal_bytes()

    assert life() == life()
