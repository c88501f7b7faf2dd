"""KRX's evening: continuous from four to eight, shares only, at prices only; thinner than the day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.evenings import (
    FUND,
    HELD,
    RICH,
    SHARE,
    at,
    book,
    close,
    ends,
    on,
    quote,
    reference,
    told,
    until,
)
from tests.trading.simulator.kis import ACCOUNT, Hand, odno
from trading.domain.price_grid import daily_limits, is_on_tick
from trading.simulator.extended.tapes import stretches_of
from trading.simulator.windows import Board

SHARES = ("005930", "000660", "035420", "005380", "247540")


def evening(hand: Hand, code: str) -> list[int]:
    """Every price of the evening, second by second."""
    floor, day = hand.sim.world.truth.floor, hand.sim.now().date()
    (stretch,) = stretches_of(floor.calendar.session_hours(day), Board.AFTER)
    seconds = range(stretch.first, stretch.last + 1)
    return [floor.tapes.price(stretch, code, day, second) for second in seconds]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("code", SHARES)
def test_it_walks_from_the_close_on_the_grid_and_inside_the_day_s_limits(
    make: Make, seed: int, code: str
) -> None:
    hand = at(make, "16:00", tame=False, seed=seed)
    prices, kind = evening(hand, code), hand.sim.world.market.listing(code).kind
    lower, upper = daily_limits(reference(hand, code), kind)
    assert len(prices) == 4 * 3600
    assert prices[0] == close(hand, code)
    assert len(set(prices)) > 2
    assert all(lower <= price <= upper and is_on_tick(price, kind) for price in prices)
    other = at(make, "16:00", tame=False, seed=seed + 1)
    assert evening(other, code) != prices


def test_its_book_is_thinner_than_the_day_s(make: Make) -> None:
    day, late = at(make, "10:00", tame=False), at(make, "16:30", tame=False)
    for code in SHARES:
        shown = [book(hand, code) for hand in (day, late)]
        total = [int(one["total_askp_rsqn"]) + int(one["total_bidp_rsqn"]) for one in shown]
        assert 0 < total[1] < total[0] / 2


def test_an_order_takes_what_stands_there_and_the_rest_waits(make: Make) -> None:
    hand = at(make, "16:30", accounts=RICH)
    asked = int(book(hand, SHARE)["askp1"])
    answer = hand.order("buy", SHARE, 10, asked, "41")
    assert ends(hand, answer) == (10, 0, 0)
    low = hand.order("buy", SHARE, 10, asked - 2_000, "41")
    assert ends(hand, low) == (0, 10, 0)
    assert int(hand.power().json["output"]["ord_psbl_cash"]) < 10**10 - 10 * asked
    hand.sim.set_price(SHARE, asked - 2_000)
    hand.sim.advance(2)
    assert ends(hand, low) == (10, 0, 0)
    assert {row["price"] for row in told(hand.sim, "fill")} == {asked, asked - 2_000}


@pytest.mark.parametrize(("limit", "best"), [("42", "45"), ("43", "46")], ids=["IOC", "FOK"])
def test_an_order_for_now_never_rests(make: Make, limit: str, best: str) -> None:
    hand = at(make, "16:30", accounts=RICH)
    asked = int(book(hand, SHARE)["askp1"])
    assert ends(hand, hand.order("buy", SHARE, 10, asked, limit)) == (10, 0, 0)
    assert ends(hand, hand.order("buy", SHARE, 10, 0, best)) == (10, 0, 0)
    assert ends(hand, hand.order("buy", SHARE, 10, asked - 1_000, limit)) == (0, 0, 10)
    names = {row["ccld_cndt_name"] for row in hand.fills()}
    assert names == {"IOC" if limit == "42" else "FOK"}
    assert told(hand.sim, "cancel")[-1]["qty"] == 10
    assert hand.open_orders() == []


def test_fill_or_kill_takes_all_or_nothing_and_immediate_or_cancel_takes_a_part(make: Make) -> None:
    hand = at(make, "16:30", accounts=[RICH[0] | {"cash": 10**13}])
    shown = book(hand, SHARE)
    asked, there = int(shown["askp1"]), int(shown["askp_rsqn1"])
    assert ends(hand, hand.order("buy", SHARE, there + 1, asked, "43")) == (0, 0, there + 1)
    assert ends(hand, hand.order("buy", SHARE, there + 1, asked, "42")) == (there, 0, 1)


def test_best_meets_the_other_side_and_top_joins_its_own(make: Make) -> None:
    hand = at(make, "16:30", accounts=RICH)
    hand.sim.set_price(SHARE, 98_000)
    shown = book(hand, SHARE)
    best, top = hand.order("buy", SHARE, 3, 0, "44"), hand.order("buy", SHARE, 3, 0, "47")
    assert ends(hand, best) == (3, 0, 0)
    assert told(hand.sim, "fill")[0]["price"] == int(shown["askp1"])
    assert ends(hand, top) == (0, 3, 0)
    now = book(hand, SHARE)
    assert int(now["bidp_rsqn1"]) == int(shown["bidp_rsqn1"]) + 3


def test_our_resting_order_is_in_the_book_of_j_and_not_of_nx(make: Make) -> None:
    hand = at(make, "16:30", accounts=RICH)
    hand.sim.set_price(SHARE, 98_000)
    bid = int(book(hand, SHARE)["bidp2"])
    before = [book(hand, SHARE, market)["total_bidp_rsqn"] for market in ("J", "UN", "NX")]
    assert hand.order("buy", SHARE, 7, bid, "41").code == "APBK0013"
    after = [book(hand, SHARE, market)["total_bidp_rsqn"] for market in ("J", "UN", "NX")]
    grown = [int(b) - int(a) for a, b in zip(before, after, strict=True)]
    assert grown == [7, 7, 0]


CASES = [
    ("a fund", ("buy", FUND, 1, 55_000, "41"), "APBK0656", ("buy", SHARE, 1, 98_000, "41")),
    ("unknown", ("buy", "999999", 1, 1_000, "41"), "APBK0656", ("buy", SHARE, 1, 98_000, "41")),
    ("at market", ("buy", SHARE, 1, 0, "01"), "APBK1058", ("buy", SHARE, 1, 0, "44")),
    ("no price", ("buy", SHARE, 1, 0, "41"), "APBK0506", ("buy", SHARE, 1, 98_000, "41")),
    ("off tick", ("buy", SHARE, 1, 98_050, "41"), "APBK0506", ("buy", SHARE, 1, 98_100, "41")),
    ("too high", ("buy", SHARE, 1, 127_500, "41"), "APBK0506", ("buy", SHARE, 1, 127_400, "41")),
    ("too low", ("buy", SHARE, 1, 68_500, "41"), "APBK0506", ("buy", SHARE, 1, 68_600, "41")),
    ("nothing", ("buy", SHARE, 0, 98_000, "41"), "APBK0400", ("buy", SHARE, 1, 98_000, "41")),
    ("cash", ("buy", SHARE, 102_041, 98_000, "41"), "APBK0952", ("buy", SHARE, 102_025, 98_000, "41")),
    ("best cash", ("buy", SHARE, 78_493, 0, "44"), "APBK0952", ("buy", SHARE, 78_481, 0, "44")),
    ("not held", ("sell", "207940", 1, 98_000, "41"), "APBK0656", ("sell", SHARE, 1, 98_000, "41")),
    ("too many", ("sell", SHARE, 1_001, 98_000, "41"), "APBK0400", ("sell", SHARE, 1_000, 98_000, "41")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("refused", "code", "taken"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_each_refusal_and_the_order_it_lets_through(
    make: Make, refused: tuple, code: str, taken: tuple
) -> None:
    hand = at(make, "16:30", accounts=RICH)
    assert hand.order(*refused).code == code
    assert hand.sim.truth()["orders"] == []
    assert told(hand.sim, "refused")
    assert hand.order(*taken).code == "APBK0013"


def test_a_price_with_a_type_that_has_none_is_refused(make: Make) -> None:
    hand = at(make, "16:30", accounts=RICH)
    assert hand.order("buy", SHARE, 1, 98_000, "44").code == "APBK0506"
    assert hand.order("buy", SHARE, 1, 0, "44").code == "APBK0013"


def test_a_halted_name_takes_nothing_trades_nothing_and_goes_on_after_it(make: Make) -> None:
    hand = at(make, "16:30", accounts=RICH)
    hand.sim.set_price(SHARE, 98_000)
    resting = hand.order("buy", SHARE, 10, 97_000, "41")
    hand.sim.halt(SHARE)
    assert hand.order("buy", SHARE, 1, 98_000, "41").code == "APBK0634"
    hand.sim.set_price(SHARE, 96_000)
    hand.sim.advance(60)
    assert ends(hand, resting) == (0, 10, 0)
    hand.sim.halt(SHARE, False)
    hand.sim.advance(2)
    assert ends(hand, resting) == (10, 0, 0)


def test_a_revised_order_keeps_to_the_evening_and_moves_its_rest(make: Make) -> None:
    hand = at(make, "16:30", accounts=RICH)
    hand.sim.set_price(SHARE, 98_000)
    old = hand.order("buy", SHARE, 10, 96_000, "41")
    for wrong in ("00", "01", "11", "05", "06", "27"):
        price = 0 if wrong in ("01", "05", "06") else 97_000
        assert hand.change("revise", odno(old), price=price, dvsn=wrong).code == "OPSQ2001"
    assert hand.change("revise", odno(old), price=97_050, dvsn="41").code == "APBK0506"
    new = hand.change("revise", odno(old), qty=4, price=99_000, dvsn="41")
    assert new.code == "APBK0013"
    assert ends(hand, old) == (0, 6, 4)
    assert ends(hand, new) == (4, 0, 0)
    assert hand.change("cancel", odno(old), dvsn="00").code == "APBK0013"
    assert ends(hand, old) == (0, 0, 10)
    assert hand.change("cancel", odno(old)).code == "APBK0400"


def test_a_day_order_cannot_become_one_of_the_evening(make: Make) -> None:
    hand = at(make, "10:00", accounts=RICH)
    old = hand.order("buy", SHARE, 10, 90_000)
    assert hand.change("revise", odno(old), price=91_000, dvsn="41").code == "OPSQ2001"
    assert hand.change("revise", odno(old), price=91_000, dvsn="00").code == "APBK0013"


def test_what_is_left_at_eight_expires_and_frees_money_and_shares(make: Make) -> None:
    hand = at(make, "16:30", tame=False, seed=3, accounts=RICH)
    low = hand.order("buy", SHARE, 10, 70_000, "41")
    high = hand.order("sell", SHARE, 10, 127_000, "41")
    until(hand, "19:59:58")
    assert (ends(hand, low), ends(hand, high)) == ((0, 10, 0), (0, 10, 0))
    hand.sim.advance(10)
    hand.login()
    assert (ends(hand, low), ends(hand, high)) == ((0, 0, 10), (0, 0, 10))
    rows = told(hand.sim, "expire")
    assert [(row["odno"], row["qty"]) for row in rows] == [(odno(low), 10), (odno(high), 10)]
    assert {row["vt"][11:19] for row in rows} == {"20:00:00"}
    assert hand.power().json["output"]["ord_psbl_cash"] == str(10**10)
    sellable = hand.ask("inquire_psbl_sell", PDNO=SHARE).json["output"]["ord_psbl_qty"]
    assert sellable == str(HELD[SHARE])
    assert hand.change("cancel", odno(low)).code == "APBK0400"


def test_money_settles_two_sessions_after_the_day_of_the_trade_and_tax_is_paid(make: Make) -> None:
    hand = at(make, "19:00", accounts=RICH)
    hand.order("sell", SHARE, 10, 0, "44")
    (fill,) = told(hand.sim, "fill")
    assert fill["tax"] == fill["amt"] * 20 // 10_000
    assert fill["fee"] > 0
    money = hand.sim.truth()["cash"][ACCOUNT]
    assert money["cash"] == 10**10
    assert money["d2_cash"] == 10**10 + fill["amt"] - fill["fee"] - fill["tax"]
    hand.sim.advance(timedelta(days=3, hours=-5).total_seconds())
    assert hand.sim.truth()["cash"][ACCOUNT]["cash"] == 10**10
    hand.sim.advance(timedelta(days=1).total_seconds())
    assert hand.sim.now().date() == on("00:00", "2026-11-24").date()
    assert hand.sim.truth()["cash"][ACCOUNT]["cash"] == money["d2_cash"]


def test_nothing_of_it_shows_in_the_day_s_price_volume_or_candles(make: Make) -> None:
    hand = at(make, "15:35", tame=False, accounts=RICH)
    prices = {code: hand.price(code).json["output"] for code in SHARES}
    until(hand, "16:30")
    for code in SHARES:
        hand.order("buy", code, 500, 0, "44")
        hand.order("sell", code, 500, 0, "44")
        assert hand.price(code).json["output"] == prices[code]
        assert quote(hand, code, "J") == prices[code]
    assert len(told(hand.sim, "fill")) >= len(SHARES)
    hand.sim.advance(timedelta(days=3).total_seconds() - 7_200)
    hand.login()
    for code in SHARES:
        assert hand.price(code).json["output"]["stck_sdpr"] == prices[code]["stck_prpr"]


def test_part_of_the_orders_meet_quicker_rivals(make: Make) -> None:
    hand = at(make, "16:30", tame=False, seed=5, accounts=RICH)
    fills: list[int] = []
    for number in range(60):
        code = SHARES[number % len(SHARES)]
        answer = hand.order("buy", code, 20, 0, "44")
        got = [row["qty"] for row in told(hand.sim, "fill") if row["odno"] == odno(answer)]
        fills.append(sum(got))
        hand.sim.advance(3)
    assert fills.count(20) > 20
    assert sum(1 for filled in fills if filled < 20) > 5


@pytest.mark.parametrize("wait", [1, 7, 600, 7_000])
def test_the_same_orders_fill_alike_however_time_is_cut(make: Make, wait: int) -> None:
    def evening_of(step: int) -> list[tuple]:
        hand = at(make, "16:05", tame=False, seed=11, accounts=RICH)
        for code in SHARES:
            last = close(hand, code)
            tick = 1_000 if last >= 500_000 else 500 if last >= 200_000 else 100
            for away in (1, 3, 8):
                hand.order("buy", code, 40, last - away * tick, "41")
                hand.order("sell", code, 40, last + away * tick, "41")
        left = 7_000
        while left > 0:
            hand.sim.advance(min(step, left))
            left -= step
        rows = told(hand.sim, "fill")
        return [(r["odno"], r["qty"], r["price"], r["vt"][:19]) for r in rows]

    whole = evening_of(7_000)
    assert len(whole) > 10
    assert sorted(evening_of(wait)) == sorted(whole)
