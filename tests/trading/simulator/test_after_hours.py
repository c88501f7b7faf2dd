"""At the close: before the open at yesterday's, after the close at today's; one price, served in turn."""

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
    close,
    ends,
    on,
    reference,
    told,
    until,
)
from tests.trading.simulator.kis import ACCOUNT, Hand, odno
from trading.simulator.windows import Board

SESSIONS = [("05", "08:31", "08:40"), ("06", "15:41", "16:00")]
HUGE = [RICH[0] | {"holdings": dict.fromkeys(HELD, 10**6)}]
each_session = pytest.mark.parametrize(("dvsn", "begins", "over"), SESSIONS, ids=["05", "06"])


def price_of(hand: Hand, dvsn: str, code: str) -> int:
    return reference(hand, code) if dvsn == "05" else close(hand, code)


@each_session
@pytest.mark.parametrize("code", [SHARE, FUND])
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_tame_world_fills_both_sides_at_the_one_price(
    make: Make, dvsn: str, begins: str, over: str, code: str, side: str
) -> None:
    hand = at(make, begins, accounts=RICH)
    answer = hand.order(side, code, 10, 0, dvsn)
    assert answer.code == "APBK0013"
    (fill,) = told(hand.sim, "fill")
    assert (fill["qty"], fill["price"]) == (10, price_of(hand, dvsn, code))
    assert ends(hand, answer) == (10, 0, 0)
    (row,) = hand.fills()
    assert (row["ord_dvsn_cd"], row["ord_unpr"]) == (dvsn, "0")
    assert row["excg_dvsn_cd"] == ("61" if dvsn == "05" else "02")


@each_session
def test_a_price_is_refused_and_none_is_taken(
    make: Make, dvsn: str, begins: str, over: str
) -> None:
    hand = at(make, begins, accounts=RICH)
    assert hand.order("buy", SHARE, 1, price_of(hand, dvsn, SHARE), dvsn).code == "APBK0506"
    assert hand.order("buy", SHARE, 1, 0, dvsn).code == "APBK0013"


@each_session
def test_money_is_set_aside_at_the_one_price(make: Make, dvsn: str, begins: str, over: str) -> None:
    cash = 1_000_000
    hand = at(make, begins, accounts=[RICH[0] | {"cash": cash}])
    price = price_of(hand, dvsn, SHARE)
    most = cash // price
    answer = hand.ask(
        "inquire_psbl_order", PDNO=SHARE, ORD_DVSN=dvsn, ORD_UNPR="", CMA_EVLU_AMT_ICLD_YN="N"
    ).json["output"]
    assert (answer["psbl_qty_calc_unpr"], answer["nrcvb_buy_qty"]) == (str(price), str(most))
    assert hand.order("buy", SHARE, most + 1, 0, dvsn).code == "APBK0952"
    assert hand.order("buy", SHARE, most, 0, dvsn).code == "APBK0013"
    assert hand.sim.truth()["cash"][ACCOUNT]["d2_cash"] >= 0


@pytest.mark.parametrize(
    ("dvsn", "moment", "limit"),
    [
        ("05", "08:29", "upper"),
        ("05", "08:31", "yesterday's close"),
        ("06", "15:29", "upper"),
        ("06", "15:31", "today's close"),
        ("06", "15:41", "today's close"),
    ],
)
def test_what_a_share_may_cost_is_the_close_as_soon_as_that_is_known(
    make: Make, dvsn: str, moment: str, limit: str
) -> None:
    hand = at(make, moment, accounts=RICH)
    most = {
        "upper": hand.sim.world.market.limits(SHARE, hand.sim.now().date())[1],
        "yesterday's close": reference(hand, SHARE),
        "today's close": close(hand, SHARE),
    }
    assert len(set(most.values())) == 3
    asked = {"PDNO": SHARE, "ORD_DVSN": dvsn, "CMA_EVLU_AMT_ICLD_YN": "N"}
    answer = hand.ask("inquire_psbl_order", **asked).json["output"]
    assert int(answer["psbl_qty_calc_unpr"]) == most[limit]


@each_session
def test_only_what_is_held_can_be_sold(make: Make, dvsn: str, begins: str, over: str) -> None:
    hand = at(make, begins, accounts=RICH)
    assert hand.order("sell", "102110", 1, 0, dvsn).code == "APBK1234"
    assert hand.order("sell", SHARE, HELD[SHARE] + 1, 0, dvsn).code == "APBK0400"
    assert hand.order("sell", SHARE, HELD[SHARE], 0, dvsn).code == "APBK0013"


@each_session
def test_a_halted_name_takes_nothing_and_another_does(
    make: Make, dvsn: str, begins: str, over: str
) -> None:
    hand = at(make, begins)
    hand.sim.halt(SHARE)
    assert hand.order("buy", SHARE, 1, 0, dvsn).code == "APBK0634"
    assert hand.order("buy", "000660", 1, 0, dvsn).code == "APBK0013"
    hand.sim.halt(SHARE, False)
    assert ends(hand, hand.order("buy", SHARE, 1, 0, dvsn)) == (1, 0, 0)


@each_session
def test_some_are_filled_at_once_some_later_some_in_parts_and_some_never(
    make: Make, dvsn: str, begins: str, over: str
) -> None:
    kinds = set()
    for seed in range(6):
        hand = at(make, begins, tame=False, seed=seed, accounts=HUGE)
        orders = {}
        for code in sorted(HELD):
            large = int(5 * hand.sim.world.market.depth(code, hand.sim.now().date()))
            for side, quantity in (("buy", 30), ("sell", large)):
                orders[odno(hand.order(side, code, quantity, 0, dvsn))] = quantity
        at_once = {row["odno"] for row in told(hand.sim, "fill")}
        until(hand, over)
        fills = told(hand.sim, "fill")
        expired = {row["odno"]: row["qty"] for row in told(hand.sim, "expire")}
        for number, quantity in orders.items():
            parts = [row["qty"] for row in fills if row["odno"] == number]
            assert sum(parts) + expired.get(number, 0) == quantity
            if not parts:
                kinds.add("never")
            elif number in expired:
                kinds.add("in parts")
            else:
                kinds.add("at once" if number in at_once else "later")
        assert {on(row["vt"][11:19]) for row in told(hand.sim, "expire")} <= {on(over)}
        hand.sim.advance(6)
        assert not [row for row in hand.fills() if int(row["rmn_qty"])]
    assert kinds == {"at once", "later", "in parts", "never"}


@each_session
def test_who_is_waited_for_is_served_at_once_and_who_waits_stands_in_a_queue(
    make: Make, dvsn: str, begins: str, over: str
) -> None:
    board = Board.BEFORE if dvsn == "05" else Board.AT_CLOSE
    length = int((on(over) - on(begins)).total_seconds() + 60)
    served = set()
    for seed in range(4):
        hand = at(make, begins, tame=False, seed=seed, accounts=RICH)
        for code in sorted(HELD):
            here = hand.sim.world.truth.floor.at_close.interest(
                board, code, on(begins).date(), length
            )
            sellers_wait = all(here.offered)
            if not sellers_wait and not all(here.wanted):
                continue
            for side in ("buy", "sell"):
                number = odno(hand.order(side, code, 1, 0, dvsn))
                at_once = number in {row["odno"] for row in told(hand.sim, "fill")}
                assert at_once is ((side == "buy") is sellers_wait)
            served.add("buy" if sellers_wait else "sell")
    assert served == {"buy", "sell"}


@each_session
def test_of_two_orders_the_older_one_is_served_first(
    make: Make, dvsn: str, begins: str, over: str
) -> None:
    compared = 0
    for seed in range(8):
        hand = at(make, begins, tame=False, seed=seed, accounts=HUGE)
        pairs = []
        for code in sorted(HELD):
            large = int(2 * hand.sim.world.market.depth(code, hand.sim.now().date()))
            pair = [odno(hand.order("sell", code, large, 0, dvsn)) for _ in range(2)]
            pairs.append((large, *pair))
        until(hand, over)
        fills = told(hand.sim, "fill")
        for large, first, second in pairs:
            began = next((n for n, row in enumerate(fills) if row["odno"] == second), None)
            if began is not None:
                assert sum(r["qty"] for r in fills[:began] if r["odno"] == first) == large
                compared += 1
    assert compared > 10


@each_session
def test_a_resting_order_can_be_taken_back_but_never_become_one_of_the_day(
    make: Make, dvsn: str, begins: str, over: str
) -> None:
    hand = at(make, begins, tame=False, seed=2, accounts=RICH)
    answers = [hand.order("sell", code, 900, 0, dvsn) for code in sorted(HELD)]
    hand.sim.advance(6)
    # one whose queue nobody reached yet
    answer = next(a for a in answers if ends(hand, a) == (0, 900, 0))
    number = odno(answer)
    assert hand.change("revise", number, price=98_000, dvsn="00").code == "OPSQ2001"
    assert hand.change("revise", number, price=98_000, dvsn="41").code == "OPSQ2001"
    assert hand.change("cancel", number, qty=901).code == "APBK0400"
    assert hand.change("cancel", number, qty=100).code == "APBK0013"
    hand.sim.advance(6)
    filled, left, cancelled = ends(hand, answer)
    assert (filled + left, cancelled) == (800, 100)
    assert hand.change("cancel", number).code == "APBK0013"
    assert hand.change("cancel", number).code == "APBK0400"
    until(hand, over)
    assert number not in {row["odno"] for row in told(hand.sim, "expire")}


def test_what_is_left_before_the_open_is_no_order_of_the_opening(make: Make) -> None:
    hand = at(make, "08:31", tame=False, seed=1, accounts=RICH)
    answers = [hand.order("sell", code, 1_000, 0, "05") for code in sorted(HELD)]
    until(hand, "09:30")
    expired = told(hand.sim, "expire")
    assert expired
    assert all(on("08:40") == on(row["vt"][11:19]) for row in expired)
    late = [row for row in told(hand.sim, "fill") if row["vt"][11:16] >= "08:40"]
    assert late == []
    assert {row["odno"] for row in expired} <= {odno(answer) for answer in answers}


def test_the_day_s_own_orders_still_expire_at_half_past_three(make: Make) -> None:
    hand = at(make, "15:25")
    resting = odno(hand.order("buy", SHARE, 1, reference(hand, SHARE) * 75 // 100 // 100 * 100))
    until(hand, "15:41")
    (row,) = told(hand.sim, "expire")
    assert (row["odno"], row["vt"][11:19]) == (resting, "15:30:00")
    assert hand.order("buy", SHARE, 1, 0, "06").code == "APBK0013"


def test_nobody_s_order_moves_the_close_or_the_next_reference(make: Make) -> None:
    quiet, busy = (at(make, "15:41", tame=False, accounts=RICH) for _ in range(2))
    for code in sorted(HELD):
        busy.order("buy", code, 500, 0, "06")
        busy.order("sell", code, 500, 0, "06")
    for hand in (quiet, busy):
        hand.sim.advance(timedelta(days=3).total_seconds())
        hand.login()
    for code in sorted(HELD):
        assert quiet.price(code).json == busy.price(code).json


def test_a_reservation_at_yesterday_s_close_is_sent_at_half_past_eight(make: Make) -> None:
    hand = at(make, "07:00")
    body = {"PDNO": SHARE, "ORD_QTY": "3", "ORD_UNPR": "0", "SLL_BUY_DVSN_CD": "02"}
    answer = hand.send("order_resv", ORD_DVSN_CD="05", ORD_OBJT_CBLC_DVSN_CD="10", **body)
    assert answer.code == "APBK2938", answer.text
    until(hand, "08:31")
    (fill,) = told(hand.sim, "fill")
    assert (fill["qty"], fill["price"]) == (3, reference(hand, SHARE))
