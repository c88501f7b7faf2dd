"""NXT: a venue of its own from eight to eight, and SOR, which goes there when KRX's session is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.ear import Ear
from tests.trading.simulator.evenings import (
    FUND,
    NXT,
    RICH,
    SHARE,
    SOR,
    at,
    book,
    close,
    ends,
    quote,
    reference,
    told,
    until,
)
from tests.trading.simulator.kis import ACCOUNT, Answer, Hand, odno
from trading.kis_wire import channels
from trading.simulator.extended.tapes import Walk, stretches_of
from trading.simulator.windows import Board

LISTED, UNLISTED = ("000660", "005930", "035420", "005380"), ("035720", "068270")
HOURS = ["08:10", "10:00", "15:35", "16:30"]
EXCHANGE = list(channels()["ccnl_notice"].fields).index("ORD_EXG_GB")
each_hour = pytest.mark.parametrize("moment", HOURS)


def levels(shown: dict[str, str]) -> tuple[int, int]:
    return int(shown["askp1"]), int(shown["bidp1"])


@each_hour
def test_an_order_meets_the_book_that_nx_shows(make: Make, moment: str) -> None:
    hand = at(make, moment, accounts=RICH)
    asked, bid = levels(book(hand, SHARE, "NX"))
    assert asked > bid > 0
    buy = hand.order("buy", SHARE, 10, asked, "00", **NXT)
    sell = hand.order("sell", SHARE, 10, bid, "00", **NXT)
    assert (ends(hand, buy), ends(hand, sell)) == ((10, 0, 0), (10, 0, 0))
    assert [row["price"] for row in told(hand.sim, "fill")] == [asked, bid]


@each_hour
def test_a_price_that_is_set_by_hand_is_in_the_book_of_the_same_second(
    make: Make, moment: str
) -> None:
    hand = at(make, moment, accounts=RICH)
    hand.sim.set_price(SHARE, 98_000)
    resting = hand.order("buy", SHARE, 10, 95_000, "00", **NXT)
    assert ends(hand, resting) == (0, 10, 0)
    hand.sim.set_price(SHARE, 94_000)
    asked, bid = levels(book(hand, SHARE, "NX"))
    assert bid <= 94_000 <= asked < 95_000
    assert ends(hand, resting) == (10, 0, 0)


@pytest.mark.parametrize("moment", ["07:59", "08:55", "15:25", "20:00", "23:00"])
def test_in_a_break_nx_shows_an_empty_book_and_the_last_price(make: Make, moment: str) -> None:
    hand = at(make, moment)
    assert levels(book(hand, SHARE, "NX")) == (0, 0)
    assert int(quote(hand, SHARE)["stck_prpr"]) > 0
    weekend = at(make, moment, "2026-11-21")
    assert levels(book(weekend, SHARE, "NX")) == (0, 0)
    assert int(quote(weekend, SHARE)["stck_prpr"]) > 0


@each_hour
def test_the_larger_half_of_the_shares_is_traded_there_and_no_fund(make: Make, moment: str) -> None:
    hand = at(make, moment, accounts=RICH)
    for code in LISTED:
        assert hand.order("buy", code, 1, 0, "03", **NXT).code == "APBK0013"
        assert quote(hand, code)["stck_shrn_iscd"] == code
    for code in (*UNLISTED, FUND, "114260", "999999"):
        assert hand.order("buy", code, 1, 0, "03", **NXT).code == "APBK0656"
        query = {"FID_COND_MRKT_DIV_CODE": "NX", "FID_INPUT_ISCD": code}
        assert hand.get("price", query).code == "MCA05918"
        assert hand.get("book", query).code == "MCA05918"


def test_the_master_screen_says_which_names_those_are(make: Make) -> None:
    hand = at(make, "10:00")
    for code, listed in [(c, "Y") for c in LISTED] + [(c, "N") for c in (*UNLISTED, FUND)]:
        row = hand.ask("search_stock_info", PRDT_TYPE_CD="300", PDNO=code).json["output"]
        assert (row["cptt_trad_tr_psbl_yn"], row["nxt_tr_stop_yn"]) == (listed, "N")
    hand.sim.halt(SHARE)
    row = hand.ask("search_stock_info", PRDT_TYPE_CD="300", PDNO=SHARE).json["output"]
    assert row["nxt_tr_stop_yn"] == "Y"


def test_in_the_main_session_both_venues_have_one_price_and_two_books(make: Make) -> None:
    hand = at(make, "10:00", tame=False)
    differ = 0
    for _ in range(20):
        hand.sim.advance(37)
        for code in LISTED:
            assert quote(hand, code)["stck_prpr"] == hand.price(code).json["output"]["stck_prpr"]
            books = [book(hand, code, market) for market in ("J", "NX")]
            sizes = [int(one["total_askp_rsqn"]) for one in books]
            assert sizes[1] < sizes[0]
            differ += levels(books[0]) != levels(books[1])
    assert differ > 5


def test_in_the_main_session_less_is_traded_there_than_on_krx_in_the_same_second(
    make: Make,
) -> None:
    hand = at(make, "10:00", tame=False)
    day, tapes = hand.sim.now().date(), hand.sim.world.truth.floor.tapes
    hours = hand.sim.world.options.calendar.session_hours(day)
    stretch = next(s for s in stretches_of(hours, Board.NXT) if s.walk is Walk.DAY)
    for code in LISTED:
        krx = tapes.tape(stretch, code, day)
        there = [tapes.traded(stretch, code, day, tick) for tick in range(3_600, 7_200)]
        here = [krx.traded(tick) for tick in range(3_600, 7_200)]
        assert all(a <= b for a, b in zip(there, here, strict=True))
        assert 0.3 < sum(there) / sum(here) < 0.5


def test_an_order_of_one_venue_is_not_in_the_book_of_the_other(make: Make) -> None:
    hand = at(make, "10:00", accounts=RICH)
    hand.sim.set_price(SHARE, 98_000)
    before = [int(book(hand, SHARE, market)["total_bidp_rsqn"]) for market in ("J", "NX")]
    hand.order("buy", SHARE, 5, 97_900, "00")
    hand.order("buy", SHARE, 7, 97_900, "00", **NXT)
    after = [int(book(hand, SHARE, market)["total_bidp_rsqn"]) for market in ("J", "NX")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [5, 7]
    hand.sim.set_price(SHARE, 97_700)
    hand.sim.advance(1)
    assert {row["tot_ccld_qty"] for row in hand.fills()} == {"5", "7"}


# --- the day of an order ----------------------------------------------------------------------


def test_the_pre_market_s_own_types_are_cancelled_when_it_ends_and_a_limit_goes_on(
    make: Make,
) -> None:
    hand = at(make, "08:10", accounts=RICH)
    hand.sim.set_price(SHARE, 98_000)
    short = hand.order("buy", SHARE, 10, 90_000, "27", **NXT)
    best = hand.order("buy", SHARE, 10, 0, "28", **NXT)
    top = hand.order("buy", SHARE, 10, 0, "29", **NXT)
    long = hand.order("buy", SHARE, 10, 90_000, "00", **NXT)
    assert ends(hand, best) == (10, 0, 0)
    hand.sim.set_price(SHARE, 99_000)
    until(hand, "08:51")
    assert (ends(hand, short), ends(hand, top)) == ((0, 0, 10), (0, 0, 10))
    assert {row["vt"][11:19] for row in told(hand.sim, "cancel")} == {"08:50:00"}
    until(hand, "10:00")
    assert ends(hand, long) == (0, 10, 0)
    hand.sim.set_price(SHARE, 90_000)
    hand.sim.advance(1)
    assert ends(hand, long) == (10, 0, 0)
    assert hand.power().json["output"]["ord_psbl_cash"] == str(
        hand.sim.truth()["cash"][ACCOUNT]["d2_cash"]
    )


def test_an_order_lives_through_the_breaks_until_eight_in_the_evening(make: Make) -> None:
    hand = at(make, "08:10", accounts=RICH)
    hand.sim.set_price(SHARE, 98_000)
    answer = hand.order("buy", SHARE, 10, 90_000, "00", **NXT)
    for moment in ("08:55", "09:30", "15:25", "15:32", "19:59"):
        until(hand, moment)
        assert ends(hand, answer) == (0, 10, 0), moment
    until(hand, "20:00:10")
    assert ends(hand, answer) == (0, 0, 10)
    (row,) = told(hand.sim, "expire")
    assert (row["qty"], row["vt"][11:19]) == (10, "20:00:00")
    hand.sim.advance(timedelta(days=3).total_seconds())
    assert len(told(hand.sim, "expire")) == 1


@pytest.mark.parametrize("moment", ["08:55", "15:25"])
def test_in_a_break_an_order_can_be_taken_back_but_neither_changed_nor_entered(
    make: Make, moment: str
) -> None:
    hand = at(make, "08:10" if moment < "09" else "15:10", accounts=RICH)
    answer = hand.order("buy", SHARE, 10, 80_000, "00", **NXT)
    until(hand, moment)
    hours = "APBK0918" if moment < "09" else "APBK1058"
    assert hand.order("buy", SHARE, 10, 80_000, "00", **NXT).code == hours
    assert hand.change("revise", odno(answer), price=81_000).code == hours
    assert hand.change("cancel", odno(answer)).code == "APBK0013"
    assert ends(hand, answer) == (0, 0, 10)
    until(hand, "10:00" if moment < "09" else "15:31")
    assert hand.change("cancel", odno(answer)).code == "APBK0400"


def test_a_revised_order_stays_on_its_venue(make: Make) -> None:
    hand = at(make, "10:00", accounts=RICH)
    hand.sim.set_price(SHARE, 98_000)
    old = hand.order("buy", SHARE, 10, 90_000, "00", **NXT)
    assert hand.change("revise", odno(old), price=0, dvsn="01").code == "OPSQ2001"
    assert hand.change("revise", odno(old), price=91_000, dvsn="27").code == "OPSQ2001"
    assert hand.change("revise", odno(old), price=91_050).code == "APBK0506"
    new = hand.change("revise", odno(old), price=91_000)
    rows = {row["odno"]: row for row in hand.fills(EXCG_ID_DVSN_CD="NXT")}
    assert rows[odno(new)]["orgn_odno"] == odno(old)
    asked, _bid = levels(book(hand, SHARE, "NX"))
    newest = hand.change("revise", odno(new), price=0, dvsn="03")
    assert ends(hand, newest) == (10, 0, 0)
    assert told(hand.sim, "fill")[0]["price"] == asked


def test_nothing_trades_while_krx_interrupts_or_halts_a_name(make: Make) -> None:
    hand = at(make, "10:00", accounts=RICH)
    hand.sim.set_price(SHARE, 98_000)
    low = hand.order("buy", SHARE, 10, 97_000, "00", **NXT)
    hand.sim.arm("E02", when="at_vt", match={"ticker": SHARE})
    assert hand.order("buy", SHARE, 1, 98_000, "11", **NXT).code == "APBK1058"
    queued = hand.order("buy", SHARE, 1, 99_000, "00", **NXT)
    assert queued.code == "APBK0013"
    hand.sim.set_price(SHARE, 96_000)
    hand.sim.advance(30)
    assert (ends(hand, low), ends(hand, queued)) == ((0, 10, 0), (0, 1, 0))
    hand.sim.advance(150)
    assert (ends(hand, low), ends(hand, queued)) == ((10, 0, 0), (1, 0, 0))
    hand.sim.halt(SHARE)
    assert hand.order("buy", SHARE, 1, 96_000, "00", **NXT).code == "APBK0634"


def test_the_morning_has_the_day_s_limits_and_sets_money_aside_at_them(make: Make) -> None:
    hand = at(make, "08:10", accounts=[RICH[0] | {"cash": 10_000_000}])
    market, day = hand.sim.world.market, hand.sim.now().date()
    lower, upper = market.limits(SHARE, day)
    assert hand.order("buy", SHARE, 1, upper + 100, "00", **NXT).code == "APBK0506"
    assert hand.order("buy", SHARE, 1, lower - 100, "00", **NXT).code == "APBK0506"
    answer = hand.ask("inquire_psbl_order", PDNO=SHARE, ORD_DVSN="03", ORD_UNPR="").json["output"]
    assert answer["psbl_qty_calc_unpr"] == str(upper)
    most = int(answer["nrcvb_buy_qty"])
    assert hand.order("buy", SHARE, most + 1, 0, "03", **NXT).code == "APBK0952"
    assert hand.order("buy", SHARE, most, 0, "03", **NXT).code == "APBK0013"


def test_an_early_order_begins_the_day_s_numbers_and_settles_nobody_s_cash_before_its_hour(
    make: Make,
) -> None:
    hand = at(make, "16:30", "2026-11-18", accounts=RICH)
    hand.order("sell", SHARE, 10, 0, "44")
    owed = hand.sim.truth()["cash"][ACCOUNT]["d2_cash"]
    assert hand.sim.truth()["cash"][ACCOUNT]["cash"] == 10**10
    hand.sim.advance(timedelta(days=2, hours=-8, minutes=-20).total_seconds())
    hand.login()
    early = hand.order("buy", SHARE, 1, 0, "03", **NXT)
    assert [r for r in told(hand.sim, "cash") if r["reason"] == "settle"] == []
    assert hand.sim.truth()["cash"][ACCOUNT]["cash"] == 10**10
    until(hand, "09:30")
    later = hand.order("buy", FUND, 1)
    assert int(odno(later)) > int(odno(early))
    assert {row["odno"] for row in hand.fills()} == {odno(early), odno(later)}
    assert [r["vt"][11:16] for r in told(hand.sim, "cash") if r["reason"] == "settle"] == ["08:30"]
    assert hand.sim.truth()["cash"][ACCOUNT]["cash"] == owed


def test_nobody_s_early_order_moves_the_hour_at_which_another_is_paid(make: Make) -> None:
    keys = {"appkey": "P" * 36, "appsecret": "q" * 180, "account": "87654321-01"}

    def paid(early: bool) -> list[tuple[str, str]]:
        hand = at(make, "16:30", "2026-11-18", accounts=[*RICH, keys])
        hand.order("sell", SHARE, 10, 0, "44")
        hand.sim.advance(timedelta(days=2, hours=-8, minutes=-20).total_seconds())
        other = Hand(hand.sim, keys["account"], keys["appkey"], keys["appsecret"]).login()
        if early:
            assert other.order("buy", SHARE, 1, 0, "03", **NXT).json["rt_cd"] == "0"
        hand.sim.advance(3_600)
        rows = [r for r in told(hand.sim, "cash") if r["reason"] == "settle"]
        return [(r["vt"], r["account"]) for r in rows]

    assert paid(early=True) == paid(early=False) != []


# --- what NX tells ----------------------------------------------------------------------------


def test_nx_tells_its_own_range_and_volume_through_the_day(make: Make) -> None:
    hand = at(make, "08:00:01", tame=False)
    seen: list[dict[str, str]] = []
    for moment in ("08:20", "08:49", "10:00", "15:19", "15:40", "17:00", "19:59", "21:00"):
        until(hand, moment)
        seen.append(quote(hand, SHARE))
    volumes = [int(one["acml_vol"]) for one in seen]
    assert volumes == sorted(volumes)
    assert volumes[1] < volumes[2] < volumes[4] < volumes[6] <= volumes[7]
    assert volumes[3] < int(hand.price(SHARE).json["output"]["acml_vol"])
    for one in seen:
        assert int(one["stck_lwpr"]) <= int(one["stck_prpr"]) <= int(one["stck_hgpr"])
        assert one["stck_sdpr"] == str(reference(hand, SHARE))
        assert one["stck_oprc"] == str(reference(hand, SHARE))
    assert int(seen[4]["stck_prpr"]) == close(hand, SHARE)
    overnight = seen[-1]
    hand.sim.advance(timedelta(hours=10).total_seconds())
    hand.login()
    assert quote(hand, SHARE)["stck_prpr"] == overnight["stck_prpr"]


def test_j_and_un_tell_nothing_of_it(make: Make) -> None:
    quiet, busy = (at(make, "10:00", tame=False, accounts=RICH) for _ in range(2))
    for code in LISTED:
        for dvsn in ("03", "15", "13"):
            busy.order("buy", code, 300, 0, dvsn, **NXT)
    for market in ("J", "UN"):
        for code in LISTED:
            assert quote(quiet, code, market) == quote(busy, code, market)
            assert book(quiet, code, market) == book(busy, code, market)


def test_other_screens_know_no_nx(make: Make) -> None:
    hand = at(make, "10:00")
    answer = hand.ask("inquire_ccnl", FID_COND_MRKT_DIV_CODE="NX", FID_INPUT_ISCD=SHARE)
    assert answer.code == "OPSQ2001"


def test_before_there_was_an_nxt_nobody_trades_there(make: Make) -> None:
    hand = at(make, "10:00", "2025-02-28", accounts=RICH)
    assert hand.order("buy", SHARE, 1, 98_000, "00", **NXT).json["rt_cd"] == "1"
    query = {"FID_COND_MRKT_DIV_CODE": "NX", "FID_INPUT_ISCD": SHARE}
    assert hand.get("price", query).code == "MCA05918"
    hand = at(make, "10:00", "2025-03-04", accounts=RICH)
    assert hand.order("buy", SHARE, 1, 98_000, "00", **NXT).json["rt_cd"] == "0"


# --- SOR --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "board"),
    [
        ("08:10", "nxt"),
        ("08:29:59", "nxt"),
        ("08:30", None),
        ("10:00", None),
        ("15:25", None),
        ("15:30", "nxt"),
        ("19:59", "nxt"),
    ],
)
def test_sor_goes_to_krx_while_that_takes_orders_and_else_to_nxt(
    make: Make, moment: str, board: str | None
) -> None:
    hand = at(make, moment, accounts=RICH)
    answer = hand.order("buy", SHARE, 10, reference(hand, SHARE), "00", **SOR)
    assert answer.code == "APBK0013"
    (row,) = told(hand.sim, "accepted")
    assert (row["venue"], row.get("board")) == ("SOR", board)


@pytest.mark.parametrize("code", [UNLISTED[0], FUND])
def test_sor_reaches_every_name_in_the_regular_session_and_nxt_s_names_outside(
    make: Make, code: str
) -> None:
    for moment, known in (("08:10", False), ("10:00", True), ("16:30", False)):
        hand = at(make, moment, accounts=RICH)
        price = reference(hand, code)
        answer = hand.order("buy", code, 1, price, "00", **SOR)
        assert answer.code == ("APBK0013" if known else "APBK0656"), moment


@pytest.mark.parametrize("dvsn", ["01", "13", "14"])
def test_sor_at_market_is_for_the_regular_session(make: Make, dvsn: str) -> None:
    refused = {}
    for moment in ("08:10", "10:00", "15:31", "18:00"):
        answer = at(make, moment, accounts=RICH).order("buy", SHARE, 1, 0, dvsn, **SOR)
        refused[moment] = (answer.code, answer.json["msg1"].strip())
    assert refused["10:00"][0] == "APBK0013"
    assert refused["08:10"][0] == "APBK0918"
    assert "시장가 매매 불가" in refused["08:10"][1]
    assert refused["15:31"] == refused["18:00"]
    assert refused["18:00"][0] == "APBK3013"
    assert "시장가매매불가" in refused["18:00"][1]


@pytest.mark.parametrize(("moment", "code"), [("08:10", "APBK0918"), ("16:30", "APBK3013")])
@pytest.mark.parametrize("dvsn", ["01", "13"])
def test_an_order_on_nxt_never_becomes_one_at_market_outside_the_regular_session(
    make: Make, moment: str, code: str, dvsn: str
) -> None:
    hand = at(make, moment, accounts=RICH)
    resting = hand.order("buy", SHARE, 1, 80_000, "00", **NXT)
    assert hand.change("revise", odno(resting), price=0, dvsn=dvsn).code == code
    assert ends(hand, resting) == (0, 1, 0)


def test_a_sor_order_of_the_early_morning_stays_on_nxt_when_it_is_changed_later(make: Make) -> None:
    hand = at(make, "08:20", accounts=RICH)
    old = hand.order("buy", SHARE, 10, 80_000, "00", **SOR)
    until(hand, "08:40")
    new = hand.change("revise", odno(old), price=81_000)
    assert new.code == "APBK0013"
    until(hand, "16:30")
    assert ends(hand, new) == (0, 10, 0)
    boards = {row["odno"]: row["board"] for row in told(hand.sim, "accepted")}
    assert boards == {odno(old): "nxt", odno(new): "nxt"}
    assert hand.change("cancel", odno(new)).code == "APBK0013"


def test_a_sor_order_that_rests_on_krx_expires_with_its_session(make: Make) -> None:
    hand = at(make, "10:00", accounts=RICH)
    answer = hand.order("buy", SHARE, 10, 80_000, "00", **SOR)
    until(hand, "15:31")
    assert ends(hand, answer) == (0, 0, 10)
    assert told(hand.sim, "expire")[0]["vt"][11:19] == "15:30:00"


# --- lists and notices ------------------------------------------------------------------------


def test_lists_show_each_order_under_the_venue_it_was_sent_to(make: Make) -> None:
    hand = at(make, "16:30", accounts=RICH)
    sent: dict[str, Answer] = {
        "KRX": hand.order("buy", SHARE, 1, 80_000, "41"),
        "NXT": hand.order("buy", SHARE, 1, 80_000, "00", **NXT),
        "SOR": hand.order("buy", SHARE, 1, 80_000, "00", **SOR),
    }
    for venue, answer in sent.items():
        (row,) = hand.fills(EXCG_ID_DVSN_CD=venue)
        assert (row["odno"], row["excg_id_dvsn_Cd"]) == (odno(answer), venue)
    assert hand.fills(EXCG_ID_DVSN_CD="") == hand.fills(EXCG_ID_DVSN_CD="KRX")
    assert len(hand.fills(EXCG_ID_DVSN_CD="ALL")) == 3
    working = {row["odno"]: row for row in hand.open_orders()}
    for venue, answer in sent.items():
        row = working[odno(answer)]
        assert (row["excg_id_dvsn_cd"], row["excg_id_dvsn_name"]) == (venue, venue)


def test_a_notice_names_the_exchange_that_an_order_is_on(make: Make) -> None:
    hand = at(make, "15:25", accounts=RICH)
    with Ear(hand) as ear:
        ear.register("H0STCNI0", "me")
        for wait, venue in ((1, SOR), (600, {}), (1, NXT), (1, SOR)):
            hand.order("buy", SHARE, 1, 80_000, "00", **venue)
            hand.sim.advance(wait)
        heard = [ear.frame().rows[0][EXCHANGE] for _ in range(4)]
    assert heard == ["3", "1", "2", "4"]


def test_on_the_day_of_the_exam_nxt_is_an_hour_later_too(make: Make) -> None:
    def taken(moment: str) -> bool:
        hand: Hand = at(make, moment, "2026-11-19", accounts=RICH)
        return hand.order("buy", SHARE, 1, 90_000, "00", **NXT).code == "APBK0013"

    moments = (
        "08:30",
        "09:00",
        "09:50",
        "10:00:30",
        "16:19:59",
        "16:20",
        "16:30",
        "19:59",
        "20:00",
    )
    assert [m for m in moments if taken(m)] == ["09:00", "10:00:30", "16:19:59", "16:30", "19:59"]
