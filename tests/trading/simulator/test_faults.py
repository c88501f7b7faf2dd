"""Faults strike what they were armed for and are journalled only then; truth keeps the score."""

from __future__ import annotations

import http.client
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.trading.simulator.conftest import FRIDAY, Make
from tests.trading.simulator.kis import ACCOUNT, DOMESTIC, Answer, Hand, odno
from trading.simulator import Simulator
from trading.simulator.fault_values import CHOICES, KINDS
from trading.simulator.faults import FAULTS

CUT = (ConnectionError, http.client.RemoteDisconnected, http.client.IncompleteRead)


def buy(hand: Hand) -> Answer:
    return hand.order("buy", "069500", 10)


def fired(sim: Simulator, fault: str) -> list[dict[str, Any]]:
    return [r for r in sim.journal() if r["kind"] == "fault_fired" and r["fault"] == fault]


def accepted(sim: Simulator) -> int:
    return len(sim.truth()["orders"])


CUTS = [("A02", {}, 0), ("A03", {}, 1), ("A04", {}, 1)]


@pytest.mark.parametrize(("fault", "params", "taken"), CUTS, ids=[c[0] for c in CUTS])
def test_a_cut_connection_leaves_truth_as_the_fault_says(
    hand: Hand, fault: str, params: dict, taken: int
) -> None:
    hand.sim.arm(fault, params=params)
    with pytest.raises(CUT):
        buy(hand)
    assert accepted(hand.sim) == taken
    event = fired(hand.sim, fault)[0]
    records = {r["seq"]: r for r in hand.sim.journal()}
    assert records[event["req_seq"]]["path"].endswith("order-cash")
    assert any(r["kind"] == "conn_cut" for r in records.values())
    assert buy(hand).json["rt_cd"] == "0"
    assert accepted(hand.sim) == taken + 1


REPLIES = [
    # fault, params, http status, code, accepted in truth
    ("A05", {}, 500, "", 1),
    ("A06", {"accepted": True, "status": 503}, 503, "", 1),
    ("A06", {"accepted": False}, 502, "", 0),
    ("A07", {"accepted": True}, 500, "EGW00301", 1),
    ("A07", {"accepted": False, "code": "EGW00302"}, 500, "EGW00302", 0),
    ("A08", {"accepted": True}, 500, "EGW00202", 1),
    ("A09", {}, 500, "EGW00201", 0),
    ("A09", {"status": 429}, 429, "EGW00201", 0),
    ("A10", {}, 500, "EGW00215", 0),
    ("A11", {}, 500, "EGW00123", 0),
    ("A14", {"code": "APBK0400"}, 200, "APBK0400", 0),
    ("A14", {"code": "40310000", "rt_cd": "7", "status": 500}, 500, "40310000", 0),
    ("A15", {}, 200, "APBK0918", 0),
    ("A16", {"accepted": True}, 200, "APBK9999", 1),
    ("A16", {"accepted": False, "code": "APBK9123"}, 200, "APBK9123", 0),
    ("A19", {}, 307, "", 0),
    ("A27", {}, 500, "EGW02004", 0),
]


@pytest.mark.parametrize(
    ("fault", "params", "status", "code", "taken"),
    REPLIES,
    ids=[f"{r[0]}-{n}" for n, r in enumerate(REPLIES)],
)
def test_an_altered_reply(
    hand: Hand, fault: str, params: dict, status: int, code: str, taken: int
) -> None:
    hand.sim.arm(fault, params=params)
    answer = buy(hand)
    assert (answer.status, answer.code) == (status, code)
    if code:
        assert answer.json["rt_cd"] in ("1", "7")
    assert accepted(hand.sim) == taken
    assert len(fired(hand.sim, fault)) == 1
    assert buy(hand).json["rt_cd"] == "0"


def test_a_coin_by_seed_decides_when_nobody_says(make: Make) -> None:
    outcomes = []
    for seed in range(12):
        hand = Hand(make(seed=seed)).login()
        hand.sim.arm("A06")
        assert buy(hand).status == 502
        outcomes.append(accepted(hand.sim))
    assert 2 <= sum(outcomes) <= 10


@pytest.mark.parametrize(
    ("value", "seen"), [("", ""), ("   ", "   "), ("abc", "abc"), (None, None)]
)
def test_accepted_without_a_usable_number(hand: Hand, value: str | None, seen: str | None) -> None:
    hand.sim.arm("A12", params={"odno": value})
    answer = buy(hand)
    assert answer.json["rt_cd"] == "0"
    assert answer.json.get("output", {}).get("ODNO") == seen
    assert accepted(hand.sim) == 1


def test_a_slow_reply_arrives_whole(hand: Hand) -> None:
    hand.sim.arm("A17", params={"seconds": 0.05})
    assert buy(hand).json["rt_cd"] == "0"
    assert len(fired(hand.sim, "A17")) == 1


def test_one_request_two_orders(hand: Hand) -> None:
    hand.sim.arm("A18")
    answer = buy(hand)
    causes = {r["req_seq"] for r in hand.sim.journal() if r["kind"] == "accepted"}
    assert (accepted(hand.sim), len(causes)) == (2, 1)
    assert odno(answer) == hand.sim.truth()["orders"][0]["odno"]


def test_a_new_connection_is_cut_unread_and_the_next_is_not(hand: Hand) -> None:
    hand.sim.arm("A01")
    before = len(hand.sim.journal())
    with pytest.raises(CUT):
        buy(hand)
    kinds = [r["kind"] for r in hand.sim.journal(before + 1)]
    assert kinds == ["conn_cut", "fault_fired"]
    assert buy(hand).json["rt_cd"] == "0"


def test_an_idle_connection_is_dropped_so_that_the_cut_meets_a_new_one(hand: Hand) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", hand.sim.server.port, timeout=5)
    path = DOMESTIC + "quotations/inquire-price?FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930"
    connection.request("GET", path, headers=hand.headers("FHKST01010100"))
    assert json.loads(connection.getresponse().read())["rt_cd"] == "0"
    hand.sim.arm("A01")
    with pytest.raises(CUT):
        hand.price("005930")
    assert hand.price("005930").status == 200
    connection.close()


def test_nobody_listens_while_refused(hand: Hand) -> None:
    hand.sim.arm("A01", params={"mode": "refuse", "seconds": 0.2})
    refused = 0
    for _ in range(100_000):
        try:
            hand.price("005930")
        except ConnectionRefusedError:
            refused += 1
        except ConnectionResetError:
            continue  # it was in the queue when the listener went
        else:
            if refused:
                break
    assert refused
    assert hand.price("005930").status == 200


def test_a_cancel_without_a_reply_is_cancelled(hand: Hand) -> None:
    old = odno(hand.order("buy", "069500", 10, 45_000))
    hand.sim.arm("A21")
    assert buy(hand).json["rt_cd"] == "0"
    with pytest.raises(CUT):
        hand.change("cancel", old)
    assert hand.fills(ODNO=old)[0]["cnc_cfrm_qty"] == "10"


@pytest.mark.parametrize(("profile", "code"), [("real", "APBK0400"), ("mock", "40330000")])
def test_a_cancel_that_loses_the_race_finds_a_filled_order(
    make: Make, profile: str, code: str
) -> None:
    hand = Hand(make(profile=profile)).login()
    old = odno(hand.order("buy", "069500", 10, 45_000))
    hand.sim.arm("A22")
    assert hand.change("cancel", old).code == code
    assert hand.sim.truth()["orders"][0]["filled"] == 10
    assert hand.sim.truth()["orders"][0]["amount"] == 450_000


BREAKS = [
    # entered, struck, venue
    ("08:10", "08:55", "NXT"),
    ("15:10", "15:25", "NXT"),
    ("08:45", "08:50", "KRX"),
    ("15:10", "15:25", "KRX"),
]


@pytest.mark.parametrize(("entered", "struck", "venue"), BREAKS)
def test_a_cancel_loses_no_race_while_nothing_is_matched(
    make: Make, entered: str, struck: str, venue: str
) -> None:
    start, moment = (datetime.fromisoformat(f"2026-11-20T{t}+09:00") for t in (entered, struck))
    hand = Hand(make(start=start)).login()
    price = int(hand.price("005930").json["output"]["stck_llam"])
    order = hand.order("buy", "005930", 10, price, EXCG_ID_DVSN_CD=venue)
    hand.sim.advance((moment - start).total_seconds())
    hand.sim.arm("A22")
    assert hand.change("cancel", odno(order)).json["rt_cd"] == "0"
    assert hand.sim.truth()["orders"][0]["filled"] == 0
    assert fired(hand.sim, "A22") == []


@pytest.mark.parametrize("venue", ["KRX", "NXT"])
@pytest.mark.parametrize("stop", ["halt", "interruption"])
def test_a_cancel_loses_no_race_on_a_name_that_stands_still(
    hand: Hand, venue: str, stop: str
) -> None:
    sim = hand.sim
    sim.set_price("005930", 98_000)
    first, second = (
        odno(hand.order("buy", "005930", 10, 90_000, EXCG_ID_DVSN_CD=venue)) for _ in range(2)
    )
    if stop == "halt":
        sim.halt("005930", seconds=60)
    else:
        sim.arm("E02", when="at_vt", match={"ticker": "005930"}, params={"seconds": 60})
    sim.arm("A22")
    assert hand.change("cancel", first).json["rt_cd"] == "0"
    assert fired(sim, "A22") == []
    sim.advance(120)
    assert hand.change("cancel", second).code == "APBK0400", "it stayed armed"
    assert len(fired(sim, "A22")) == 1


def test_a_reply_that_is_slow_by_nothing_is_no_fault(hand: Hand) -> None:
    hand.sim.arm("A17", params={"seconds": 0})
    assert buy(hand).json["rt_cd"] == "0"
    assert fired(hand.sim, "A17") == []


@pytest.mark.parametrize(
    ("tame", "seconds", "count"), [(True, 0, 0), (True, 1, 1), (False, 0.5, 0), (False, 6, 1)]
)
def test_hiding_an_order_no_longer_than_the_lists_are_late_is_no_fault(
    make: Make, tame: bool, seconds: float, count: int
) -> None:
    hand = Hand(make(tame=tame)).login()
    hand.sim.arm("B01", params={"seconds": seconds})
    assert buy(hand).json["rt_cd"] == "0"
    assert len(fired(hand.sim, "B01")) == count


def test_an_accepted_order_can_stay_off_the_lists(hand: Hand) -> None:
    hand.sim.arm("B01", params={"seconds": 30})
    number = odno(buy(hand))
    other = odno(buy(hand))
    assert [row["odno"] for row in hand.fills()] == [other]
    hand.sim.advance(31)
    assert {row["odno"] for row in hand.fills()} == {number, other}


def test_a_page_of_an_inquiry_fails(make: Make) -> None:
    sim = make(profile="mock")
    hand = Hand(sim).login()
    for _ in range(20):
        sim.manual_order(ACCOUNT, "069500", "buy", 1, 40_000)
    sim.arm("B03", match={"page": 2})
    query = hand.fills_query()
    first = hand.get("fills", query)
    assert first.json["rt_cd"] == "0"
    keys = {k: first.json[k.lower()] for k in ("CTX_AREA_FK100", "CTX_AREA_NK100")}
    assert hand.get("fills", {**query, **keys}, cont="N").code == "EGW00201"
    assert hand.get("fills", {**query, **keys}, cont="N").json["rt_cd"] == "0"
    sim.arm("B03", params={"cut": True})
    with pytest.raises(CUT):
        hand.get("fills", query)


def test_an_empty_list_only_where_there_was_something_to_hide(hand: Hand) -> None:
    hand.sim.arm("B06")
    assert hand.fills() == []
    assert fired(hand.sim, "B06") == []
    buy(hand)
    answer = hand.get("fills", hand.fills_query())
    assert (answer.json["rt_cd"], answer.json["output1"]) == ("0", [])
    assert len(fired(hand.sim, "B06")) == 1
    assert len(hand.fills()) == 1


@pytest.mark.parametrize("shape", ["", "msg"])
def test_a_token_is_refused(hand: Hand, shape: str) -> None:
    hand.sim.arm("D01", params={"shape": shape} if shape else {})
    answer = hand.oauth()
    assert (answer.status, answer.code) == (403, "EGW00133")
    assert [r for r in hand.sim.journal() if r["kind"] == "token_refuse"]
    assert hand.oauth().status == 200


def test_tokens_die_now_or_at_a_time(hand: Hand) -> None:
    hand.sim.arm("D02")
    assert hand.price("005930").code == "EGW00123"
    hand.login()
    later = FRIDAY.replace(hour=10, minute=0).isoformat()
    hand.sim.arm("D02", params={"at": later, "code": "EGW00121"})
    assert hand.price("005930").status == 200
    hand.sim.advance(30 * 60)
    assert hand.price("005930").code == "EGW00121"
    assert len(fired(hand.sim, "D02")) == 2


def test_half_filled_then_halted(hand: Hand) -> None:
    hand.sim.arm("E01", match={"ticker": "069500"}, params={"seconds": 120})
    number = odno(hand.order("buy", "069500", 10, 60_000))
    row = hand.fills(ODNO=number)[0]
    assert (row["tot_ccld_qty"], row["rmn_qty"]) == ("5", "5")
    assert buy(hand).code == "APBK0634"
    hand.sim.advance(60)
    assert hand.fills(ODNO=number)[0]["rmn_qty"] == "5"
    hand.sim.advance(120)
    assert hand.fills(ODNO=number)[0]["rmn_qty"] == "0"


@pytest.mark.parametrize(("quantity", "price", "filled"), [(1, 60_000, "1"), (10, 45_000, "0")])
def test_half_filled_and_halted_does_not_fire_where_no_part_is_filled(
    hand: Hand, quantity: int, price: int, filled: str
) -> None:
    hand.sim.arm("E01")
    number = odno(hand.order("buy", "069500", quantity, price))
    assert hand.fills(ODNO=number)[0]["tot_ccld_qty"] == filled
    assert fired(hand.sim, "E01") == []
    assert hand.price("069500").json["output"]["iscd_stat_cls_code"] != "58"
    hand.order("buy", "069500", 10, 60_000)
    assert len(fired(hand.sim, "E01")) == 1


@pytest.mark.parametrize("percent", [2, -8, 29, -29, -60])
def test_a_gap_between_snapshot_and_order(hand: Hand, percent: int) -> None:
    hand.sim.arm("E04", when="after_reply", match={"ticker": "069500"}, params={"percent": percent})
    hand.price("005930")
    assert fired(hand.sim, "E04") == []
    before = hand.price("069500").json["output"]
    after = hand.price("069500").json["output"]
    expected = int(before["stck_prpr"]) * (1 + percent / 100)
    expected = min(max(expected, int(before["stck_llam"])), int(before["stck_mxpr"]))
    assert abs(int(after["stck_prpr"]) - expected) <= 5
    assert len(fired(hand.sim, "E04")) == 1


@pytest.mark.parametrize(
    ("limit", "empty", "waits", "fills"),
    [("lower", "bidp1", "sell", "buy"), ("upper", "askp1", "buy", "sell")],
)
def test_a_name_locked_at_a_limit_has_one_side_only(
    hand: Hand, limit: str, empty: str, waits: str, fills: str
) -> None:
    hand.order("buy", "069500", 30, 60_000)
    hand.sim.advance(60)
    hand.sim.arm("E05", params={"ticker": "069500", "limit": limit})
    shown = hand.price("069500").json["output"]
    price = int(shown["stck_llam" if limit == "lower" else "stck_mxpr"])
    assert int(shown["stck_prpr"]) == price
    assert shown["prdy_vrss_sign"] == ("4" if limit == "lower" else "1")
    book = hand.book("069500").json["output1"]
    assert int(book[empty]) == 0 and int(book["askp1"]) + int(book["bidp1"]) == price
    filled = odno(hand.order(fills, "069500", 10, price))
    waiting = odno(hand.order(waits, "069500", 10, price))
    hand.sim.advance(1_800)
    assert hand.fills(ODNO=filled)[0]["tot_ccld_qty"] == "10"
    assert hand.fills(ODNO=waiting)[0]["tot_ccld_qty"] == "0", "nobody comes all day"
    assert len(fired(hand.sim, "E05")) == 1


def test_another_name_trades_on_and_the_next_day_the_lock_is_gone(hand: Hand) -> None:
    hand.sim.arm("E05", params={"ticker": "069500"})
    free = hand.price("005930").json["output"]
    assert int(free["stck_prpr"]) not in (int(free["stck_llam"]), int(free["stck_mxpr"]))
    hand.sim.advance(3 * 24 * 3_600)
    book = hand.login().book("069500").json["output1"]
    assert int(book["askp1"]) and int(book["bidp1"])


@pytest.mark.parametrize(("percent", "more"), [(0.01, True), (0, False)])
def test_commissions_rise_for_what_fills_afterwards(hand: Hand, percent: float, more: bool) -> None:
    odno(hand.order("buy", "069500", 100, 60_000))
    hand.sim.arm("F08", params={"percent": percent})
    odno(hand.order("buy", "069500", 100, 60_000))
    fills = [row for row in hand.sim.journal() if row["kind"] == "fill"]
    before, after = (Decimal(row["fee"]) / row["amt"] for row in (fills[0], fills[-1]))
    risen = after - before
    assert (abs(risen - Decimal("0.0001")) < Decimal("0.000001")) is more
    assert (len(fired(hand.sim, "F08")) == 1) is more


def test_an_interruption_strikes_the_name_it_is_armed_for(hand: Hand) -> None:
    hand.sim.arm("E02", params={"ticker": "069500", "seconds": 60})
    assert hand.price("069500").json["output"]["vi_cls_code"] == "Y"
    assert hand.price("005930").json["output"]["vi_cls_code"] == "N"
    assert len(fired(hand.sim, "E02")) == 1
    hand.sim.arm("E02", params={"ticker": "069500"})
    assert len(fired(hand.sim, "E02")) == 1, "one that is on is not set off again"


def test_money_comes_and_goes(hand: Hand) -> None:
    hand.power()
    hand.sim.arm("F04", params={"account": ACCOUNT, "amount": -30_000_000})
    assert hand.power().json["output"]["ord_psbl_cash"] == "70000000"
    hand.sim.arm("F04", params={"account": ACCOUNT, "amount": 5})
    assert hand.power().json["output"]["ord_psbl_cash"] == "70000005"
    reasons = [r["reason"] for r in hand.sim.journal() if r["kind"] == "cash"]
    assert reasons == ["open", "withdraw", "deposit"]


def test_a_shortfall_by_price_or_by_withdrawal(hand: Hand) -> None:
    hand.power()
    before = int(hand.price("069500").json["output"]["stck_prpr"])
    hand.sim.arm("F01", match={"ticker": "069500"})
    assert int(hand.price("069500").json["output"]["stck_prpr"]) < before * 0.96
    hand.sim.arm("F01", match={"account": ACCOUNT}, params={"amount": 1_000_000})
    assert hand.power().json["output"]["ord_psbl_cash"] == "99000000"
    assert len(fired(hand.sim, "F01")) == 2


def test_proceeds_come_late_into_buying_power(hand: Hand) -> None:
    buy(hand)
    before = int(hand.power().json["output"]["ord_psbl_cash"])
    hand.sim.arm("F02", params={"seconds": 60})
    buy(hand)
    between = int(hand.power().json["output"]["ord_psbl_cash"])
    hand.order("sell", "069500", 10)
    assert int(hand.power().json["output"]["ord_psbl_cash"]) == between
    assert hand.sim.truth()["cash"][ACCOUNT]["d2_cash"] > between
    quantity = int(hand.power("069500", 50_000).json["output"]["nrcvb_buy_qty"])
    assert hand.order("buy", "069500", quantity + 1, 50_000).code == "APBK0952"
    hand.sim.advance(61)
    assert int(hand.power().json["output"]["ord_psbl_cash"]) > between
    assert before > between


@pytest.mark.parametrize(
    ("price", "seconds"), [(60_000, 60), (0, 0)], ids=["nothing sold", "not held back"]
)
def test_proceeds_that_are_not_held_back_are_no_fault(hand: Hand, price: int, seconds: int) -> None:
    buy(hand)
    hand.sim.arm("F02", params={"seconds": seconds})
    assert hand.order("sell", "069500", 5, price).json["rt_cd"] == "0"
    assert fired(hand.sim, "F02") == []
    hand.sim.set_price("069500", 61_000)
    hand.sim.advance(1)
    cash = hand.sim.truth()["cash"][ACCOUNT]["d2_cash"]
    assert int(hand.power().json["output"]["ord_psbl_cash"]) == cash, "nothing is held back later"


# --- arming -----------------------------------------------------------------------------------


def test_match_count_and_nth(hand: Hand) -> None:
    hand.sim.arm("A09", match={"side": "sell"})
    assert buy(hand).json["rt_cd"] == "0"
    assert hand.order("sell", "069500", 1).code == "EGW00201"
    hand.sim.arm("A09", match={"tr_id": "TTTC8908R"}, count=2)
    assert [hand.power().code for _ in range(3)] == ["EGW00201", "EGW00201", "KIOK0510"]
    hand.sim.arm("A05", when="on_nth_match", params={"n": 3}, match={"ticker": "069500"})
    assert [buy(hand).status for _ in range(4)] == [200, 200, 500, 200]
    hand.sim.arm("A03", match={"account": "99999999-01"})
    assert buy(hand).json["rt_cd"] == "0"


def test_a_fault_for_accepted_orders_waits_for_one(hand: Hand) -> None:
    hand.sim.arm("A05")
    assert hand.order("buy", "069500", 1, 55_001).code == "APBK0506"
    assert fired(hand.sim, "A05") == []
    assert buy(hand).status == 500


def test_an_armed_fault_can_be_taken_off(hand: Hand) -> None:
    hand.sim.arm("A05")
    hand.sim.disarm()
    assert buy(hand).status == 200


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"fault": "Z01"}, "known: A01"),
        ({"fault": "A03", "when": "before_read"}, "it can at"),
        ({"fault": "A03", "match": {"colour": "red"}}, "cannot match"),
        ({"fault": "A03", "match": {"side": "buyy"}}, "sell or buy"),
        ({"fault": "A03", "match": {"ticker": "999999"}}, "GET instruments"),
        ({"fault": "A03", "params": {"minutes": 1}}, "known: ['seconds']"),
        ({"fault": "A01", "match": {"side": "buy"}}, "not read"),
        ({"fault": "A03", "times": 3}, "unknown keys"),
        ({}, "unknown fault"),
        ({"fault": "A03", "params": {"seconds": "abc"}}, "seconds, 0 or more, not 'abc'"),
        ({"fault": "A03", "params": {"seconds": -5}}, "0 or more, not -5"),
        (
            {"fault": "A06", "params": {"status": "teapot", "accepted": 1}},
            "true or false, not 1; status",
        ),
        ({"fault": "A01", "params": {"mode": "??"}}, "mode is cut or refuse"),
        ({"fault": "B18", "params": {"shape": "odd"}}, "comma or decimal"),
        ({"fault": "E01", "params": {"share": 1}}, "from 0 to below 1"),
        ({"fault": "E02", "params": {"ticker": "ZZZ"}}, "GET instruments"),
        ({"fault": "E04", "params": {"at": "soon"}}, "an ISO time, not 'soon'"),
        ({"fault": "E05", "params": {"limit": "middle"}}, "lower or upper limit, not at 'middle'"),
        ({"fault": "A03", "count": 0}, "count is a whole number, 1 or more"),
        ({"fault": "A03", "when": "on_nth_match"}, "needs n"),
        ({"fault": "A03", "n": "2"}, "n is a whole number"),
    ],
)
def test_what_is_not_understood_is_refused_with_what_is_known(
    hand: Hand, body: dict, part: str
) -> None:
    answer = control(hand.sim, "POST", "arm", body)
    assert answer[0] == 400
    assert part in answer[1]["error"]
    assert not [r for r in hand.sim.journal() if r["kind"] == "fault_armed"]
    assert control(hand.sim, "GET", "faults")[1]["armed"] == []


def test_every_parameter_of_every_fault_says_what_it_may_be(hand: Hand) -> None:
    known = control(hand.sim, "GET", "faults")[1]["known"]
    assert {name: set(spec["params"]) for name, spec in known.items()} == {
        name: set(spec.params) for name, spec in FAULTS.items()
    }
    assert known["A06"]["params"]["status"] == "an HTTP status, 100 to 599"
    for (fault, name), words in CHOICES.items():
        assert name in FAULTS[fault].params, (fault, name)
        assert all((word or '""') in known[fault]["params"][name] for word in words)
    assert set(KINDS) <= {name for spec in FAULTS.values() for name in spec.params}


# --- the control port -------------------------------------------------------------------------


def control(sim: Simulator, method: str, verb: str, body: dict | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", sim.server.control_port, timeout=10)
    try:
        connection.request(method, f"/__sim/{verb}", json.dumps(body) if body is not None else None)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_the_control_port_over_its_socket(hand: Hand) -> None:
    sim = hand.sim

    def post(verb: str, **body: Any) -> Any:
        status, answer = control(sim, "POST", verb, body)
        assert status == 200, answer
        return answer

    health = control(sim, "GET", "health")[1]
    assert (health["status"], health["phase"], health["speed"]) == ("ok", "regular", 0.0)
    listed = control(sim, "GET", "instruments")[1]["instruments"]
    assert {"code", "name", "kind", "market", "last", "reference", "halted"} == set(listed[0])
    assert post("price", code="069500", price=55_000)["last"] == 55_000
    assert post("manual_order", account=ACCOUNT, ticker="069500", side="buy", qty=3)["accepted"]
    refused = post("manual_order", account=ACCOUNT, ticker="069500", side="sell", qty=9, price=None)
    assert refused == {"accepted": False, "reason": "not_sellable"}
    order = next(r for r in control(sim, "GET", "journal")[1]["records"] if r["kind"] == "accepted")
    assert order["req_seq"] is None
    truth = control(sim, "GET", "truth")[1]
    assert truth["positions"] == {ACCOUNT: {"069500": 3}}
    assert post("halt", code="069500", halted=True)["halted"]
    assert post("cash", account=ACCOUNT, amount=-5)["moved"] == -5
    assert post("advance", seconds=60)["vt"].startswith("2026-11-20T09:36:00")
    assert post("snapshot", name="a") == {"name": "a"}
    assert post("restore", name="a")["epoch"] == 2
    assert post("reset", seed=2)["seed"] == 2


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("price", {"code": "999999", "price": 1}),
        ("price", {"code": "069500", "price": 55_001}),
        ("price", {"code": "069500", "price": 99_000}),
        ("advance", {"seconds": -1}),
        ("advance", {"minutes": 1}),
        ("advance", {"seconds": "x"}),
        ("halt", {"code": "069500", "halted": "false"}),
        ("gap", {"code": "069500", "percent": "x"}),
        ("price", {"code": "069500", "price": "x"}),
        ("cash", {"account": ACCOUNT, "amount": "x"}),
        ("manual_order", {"account": ACCOUNT, "ticker": "069500", "side": "buy", "qty": 0}),
        ("disarm", {"id": 77}),
        ("restore", {"name": "never"}),
        ("reset", {"profile": "paper"}),
        ("script", {"actions": [{"action": "dance"}]}),
        ("script", {"actions": [{"action": "advance", "after": 3, "seconds": 1}]}),
    ],
)
def test_the_control_port_refuses_nonsense(sim: Simulator, verb: str, body: dict) -> None:
    status, answer = control(sim, "POST", verb, body)
    assert status == 400
    assert answer["error"] and "literal" not in answer["error"]
    assert "could not convert" not in answer["error"]


@pytest.mark.parametrize(
    ("verb", "missing"), [("advance", "seconds"), ("gap", "code, percent"), ("halt", "code")]
)
def test_what_is_missing_is_named(sim: Simulator, verb: str, missing: str) -> None:
    assert control(sim, "POST", verb, {}) == (400, {"error": f"missing: {missing}"})


def test_an_unknown_control_names_the_known_ones(sim: Simulator) -> None:
    status, answer = control(sim, "GET", "nothing")
    assert status == 404
    assert "truth" in answer["known"]["GET"]


def test_the_brokers_port_does_not_reach_the_control_port(hand: Hand) -> None:
    for method, path in (("GET", "/__sim/truth"), ("POST", "/__sim/advance")):
        answer = hand.raw(method, path, hand.headers("x"), b"{}")
        assert answer.json["rt_cd"] == "1"


def test_a_script_plays_at_its_times(hand: Hand) -> None:
    actions = [
        {"action": "price", "code": "069500", "price": 55_000},
        {"action": "price", "after": 60, "code": "069500", "price": 50_000},
        {"action": "halt", "after": 90, "code": "005930", "seconds": 30},
        {"action": "arm", "after": 120, "fault": "A09"},
        {"action": "manual_order", "after": 30, "account": ACCOUNT, "ticker": "005930",
         "side": "buy", "qty": 1, "price": None},
        {"action": "advance", "seconds": 1},
    ]  # fmt: skip
    status, answer = control(hand.sim, "POST", "script", {"actions": actions})
    assert (status, answer["scheduled"]) == (200, 4)
    number = odno(hand.order("buy", "069500", 10, 52_000))
    hand.sim.advance(200)
    records = hand.sim.journal()
    fill = next(r for r in records if r["kind"] == "fill" and r["odno"] == number)
    assert fill["vt"][:19] == "2026-11-20T09:36:00"
    bought = next(r for r in records if r["kind"] == "accepted" and r["ticker"] == "005930")
    assert bought["vt"][:19] == "2026-11-20T09:35:30"
    assert hand.power().code == "EGW00201"


def test_every_known_fault_is_exercised_above() -> None:
    on_the_wire = Path(__file__).parents[1] / "brokers" / "stream" / "test_stream_faults.py"
    places = (Path(__file__), Path(__file__).with_name("test_lies.py"), on_the_wire)
    text = "".join(path.read_text(encoding="utf-8") for path in places)
    assert [fault for fault in FAULTS if f'"{fault}"' not in text] == []
