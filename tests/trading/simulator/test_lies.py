"""A broker that lies does so on the wire alone, and only where there is something to lie about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.trading.simulator.conftest import FRIDAY, Make
from tests.trading.simulator.kis import ACCOUNT, BALANCE, Answer, Hand, odno
from tests.trading.simulator.test_faults import buy, fired
from trading.simulator import Simulator
from trading.simulator.faults import FAULTS

OTHER = "87654321-01"


def listed(hand: Hand, **more: str) -> list[str]:
    return [row["odno"] for row in hand.fills(**more)]


# --- one order --------------------------------------------------------------------------------


def test_an_order_is_answered_with_the_number_of_another(hand: Hand) -> None:
    hand.sim.arm("A13")
    first = odno(buy(hand))
    assert fired(hand.sim, "A13") == [], "there is no other order yet"
    assert odno(buy(hand)) == first
    assert len(hand.sim.truth()["orders"]) == 2
    assert len(fired(hand.sim, "A13")) == 1


@pytest.mark.parametrize("whose", ["ours", "foreign"])
def test_an_order_is_answered_with_the_number_of_another_names_order(
    hand: Hand, whose: str
) -> None:
    manual = hand.sim.manual_order(ACCOUNT, "005930", "buy", 1)["odno"]
    mine = odno(hand.order("buy", "360750", 1))
    same = odno(buy(hand))
    hand.sim.arm("A20", params={"whose": whose})
    told = odno(buy(hand))
    assert told == (manual if whose == "foreign" else mine) != same
    assert len(fired(hand.sim, "A20")) == 1


@pytest.mark.parametrize("answer", ["first", "second"])
def test_a_request_is_replayed_on_its_way(hand: Hand, answer: str) -> None:
    hand.sim.arm("A26", params={"answer": answer})
    number = odno(buy(hand))
    orders = hand.sim.truth()["orders"]
    assert number == orders[answer == "second"]["odno"] and len(orders) == 2
    first, again = (r for r in hand.sim.journal() if r["kind"] == "http_req" and r.get("body"))
    assert again["replay_of"] == first["seq"] and again["body_hash"] == first["body_hash"]
    assert len(fired(hand.sim, "A26")) == 1


def test_less_is_booked_than_was_sent(hand: Hand) -> None:
    hand.sim.arm("A28")
    assert hand.order("buy", "069500", 7).json["rt_cd"] == "0"
    assert fired(hand.sim, "A28") == [], "one digit has nothing to lose"
    buy(hand)
    assert [order["qty"] for order in hand.sim.truth()["orders"]] == [7, 1]
    assert len(fired(hand.sim, "A28")) == 1


# --- lists ------------------------------------------------------------------------------------


def test_a_listed_order_goes_missing_and_comes_back(hand: Hand) -> None:
    hand.sim.arm("B02", params={"seconds": 20})
    assert listed(hand) == []
    assert fired(hand.sim, "B02") == []
    first, second = odno(buy(hand)), odno(buy(hand))
    assert set(listed(hand)) == {first, second}
    assert listed(hand) == [first]
    hand.sim.advance(21)
    assert set(listed(hand)) == {first, second}


def test_a_list_ends_never_behind_one_key(hand: Hand) -> None:
    buy(hand)
    hand.sim.arm("B05", count=3)
    query = hand.fills_query()
    keys = []
    for _ in range(3):
        answer = hand.get("fills", query, cont="N" if keys else "")
        assert answer.headers["tr_cont"] == "M"
        keys.append(answer.json["ctx_area_nk100"])
        query |= {"CTX_AREA_NK100": keys[-1], "CTX_AREA_FK100": answer.json["ctx_area_fk100"]}
    assert len(set(keys)) == 1
    assert hand.get("fills", query, cont="N").headers["tr_cont"] == "D"


def test_a_list_goes_on_with_empty_pages(hand: Hand) -> None:
    hand.sim.arm("B05", params={"shape": "empty"}, count=2)
    assert listed(hand) == [] and fired(hand.sim, "B05") == []
    buy(hand)
    first = hand.get("fills", hand.fills_query())
    on = {"CTX_AREA_NK100": first.json["ctx_area_nk100"]}
    second = hand.get("fills", hand.fills_query(**on), cont="N")
    assert (len(first.json["output1"]), len(second.json["output1"])) == (1, 0)
    assert first.headers["tr_cont"] == second.headers["tr_cont"] == "M"
    assert first.json["ctx_area_nk100"] != second.json["ctx_area_nk100"]


def test_a_page_shifts(make: Make) -> None:
    hand = Hand(make(profile="mock")).login()
    for _ in range(20):
        hand.sim.manual_order(ACCOUNT, "069500", "buy", 1, 40_000)
    whole = listed(hand)
    hand.sim.arm("B07")
    shifted = listed(hand)
    assert shifted[14] == shifted[15] == whole[14] and whole[15] not in shifted
    assert len(fired(hand.sim, "B07")) == 1
    assert listed(hand) == whole


def test_a_fill_goes_back_in_one_answer(hand: Hand) -> None:
    hand.sim.arm("B08", params={"share": 0.4})
    hand.order("buy", "069500", 1, 60_000)
    assert [row["tot_ccld_qty"] for row in hand.fills()] == ["1"], "of one share nothing can go"
    number = odno(buy(hand))
    row = hand.fills(ODNO=number)[0]
    assert (row["tot_ccld_qty"], row["rmn_qty"]) == ("4", "6")
    again = hand.fills(ODNO=number)[0]
    assert again["tot_ccld_qty"] == "10"
    assert int(row["tot_ccld_amt"]) * 10 == int(again["tot_ccld_amt"]) * 4


@pytest.mark.parametrize("value", ["", "0"])
def test_filled_without_an_amount(hand: Hand, value: str) -> None:
    hand.sim.arm("B09", params={"value": value})
    hand.order("buy", "069500", 10, 45_000)
    assert hand.fills()[0]["tot_ccld_amt"] == "0"
    assert fired(hand.sim, "B09") == []
    number = odno(buy(hand))
    row = hand.fills(ODNO=number)[0]
    assert (row["tot_ccld_qty"], row["tot_ccld_amt"], row["avg_prvs"]) == ("10", value, value)
    assert hand.fills(ODNO=number)[0]["tot_ccld_amt"] not in ("", "0")


SHAPES = [
    ("extra", "new_dvsn_cd", "1"),
    ("missing", "tot_ccld_qty", None),
    ("cased", "Tot_Ccld_Qty", "10"),
]


@pytest.mark.parametrize(("shape", "field", "value"), SHAPES, ids=[one[0] for one in SHAPES])
def test_columns_drift(hand: Hand, shape: str, field: str, value: str | None) -> None:
    hand.sim.arm("B17", params={"shape": shape})
    assert hand.fills() == [] and fired(hand.sim, "B17") == []
    buy(hand)
    assert hand.fills()[0].get(field) == value
    assert ("tot_ccld_qty" in hand.fills()[0]) and len(fired(hand.sim, "B17")) == 1


NOTATIONS = [
    ("comma", "tot_ccld_qty", "1,000"),
    ("decimal", "tot_ccld_qty", "1000.0000"),
    ("minus", "rmn_qty", "-0"),
    ("blank", "tot_ccld_qty", " 1000"),
    ("wide", "tot_ccld_qty", "１０００"),
    ("null", "tot_ccld_qty", None),
]


@pytest.mark.parametrize(("shape", "field", "value"), NOTATIONS, ids=[n[0] for n in NOTATIONS])
def test_a_number_in_another_notation(hand: Hand, shape: str, field: str, value: Any) -> None:
    hand.sim.arm("B18", params={"shape": shape})
    assert hand.fills() == [] and fired(hand.sim, "B18") == []
    hand.order("buy", "069500", 1000)
    assert hand.fills()[0][field] == value
    assert len(fired(hand.sim, "B18")) == 1


@pytest.mark.parametrize("trace", ["", "own"])
def test_another_accounts_rows(hand: Hand, trace: str) -> None:
    buy(hand)
    hand.sim.arm("B19", params={"trace": trace} if trace else {})
    assert len(hand.fills()) == 1 and fired(hand.sim, "B19") == [], "nobody else is here"
    theirs = hand.sim.manual_order(OTHER, "005930", "buy", 3)["odno"]
    answer = hand.get("fills", hand.fills_query())
    assert [row["odno"] for row in answer.json["output1"]] == [theirs]
    whose = ACCOUNT if trace else OTHER
    assert answer.json["ctx_area_fk100"].startswith(whose.replace("-", "!^"))
    assert len(fired(hand.sim, "B19")) == 1


# --- the balance ------------------------------------------------------------------------------


def held(hand: Hand) -> list[tuple[str, str]]:
    answer = hand.get("balance", {**hand.owner, **BALANCE})
    return [(row["pdno"], row["hldg_qty"]) for row in answer.json["output1"]]


BALANCES = [
    ("B10", {}, [("069500", "10"), ("069500", "10")]),
    ("B10", {"shape": "double"}, [("069500", "20")]),
    ("B10", {"shape": "phantom", "as": "005930"}, [("069500", "10"), ("005930", "10")]),
    ("B11", {}, []),
    ("B11", {"shape": "zero"}, [("069500", "0")]),
]


@pytest.mark.parametrize(("fault", "params", "rows"), BALANCES)
def test_a_balance_shows_what_is_not_so(
    hand: Hand, fault: str, params: dict[str, str], rows: list[tuple[str, str]]
) -> None:
    hand.sim.arm(fault, params=params)
    assert held(hand) == [] and fired(hand.sim, fault) == []
    buy(hand)
    assert held(hand) == rows
    assert len(fired(hand.sim, fault)) == 1
    assert held(hand) == [("069500", "10")]
    assert hand.sim.truth()["positions"][ACCOUNT] == {"069500": 10}


# --- tokens -----------------------------------------------------------------------------------


def test_a_dead_token_is_given_out_once_more(hand: Hand) -> None:
    hand.sim.arm("D04")
    assert hand.oauth().json["access_token"] == hand.token
    assert fired(hand.sim, "D04") == [], "it lives"
    hand.sim.arm("D02")
    assert hand.price("005930").code == "EGW00123"
    assert hand.oauth().json["access_token"] == hand.token
    assert len(fired(hand.sim, "D04")) == 1
    assert hand.oauth().json["access_token"] != hand.token


def answered(answer: Answer) -> Any:
    body = answer.json or {}
    return answer.status, body.get("access_token"), body.get("access_token_token_expired")


@pytest.mark.parametrize("shape", ["short", "empty", "no_expiry", "past", "html"])
def test_a_token_that_is_none(hand: Hand, shape: str) -> None:
    good = answered(hand.oauth())
    hand.sim.arm("D05", params={"shape": shape})
    bad = answered(hand.oauth())
    assert bad[0] == 200 and bad[1:] != good[1:]
    assert answered(hand.oauth()) == good
    assert len(fired(hand.sim, "D05")) == 1


# --- truth ------------------------------------------------------------------------------------


def test_a_fill_is_taken_back(hand: Hand) -> None:
    hand.sim.arm("E13", when="at_vt")
    assert fired(hand.sim, "E13") == [], "nothing is filled"
    hand.power()
    cash = hand.sim.truth()["cash"][ACCOUNT]
    number = odno(buy(hand))
    hand.sim.arm("E13", params={"quantity": 4})
    order = hand.sim.truth()["orders"][0]
    assert (order["filled"], hand.sim.truth()["positions"][ACCOUNT]) == (6, {"069500": 6})
    hand.sim.arm("E13")
    assert hand.sim.truth()["positions"][ACCOUNT] == {}
    assert hand.sim.truth()["cash"][ACCOUNT] == cash
    row = hand.fills(ODNO=number)[0]
    assert (row["tot_ccld_qty"], row["rmn_qty"]) == ("0", "0")
    assert [r["qty"] for r in hand.sim.journal() if r["kind"] == "bust"] == [4, 6]


def test_a_second_life_knows_what_was_taken_back(make: Make, tmp_path: Any) -> None:
    path = tmp_path / "journal"
    hand = Hand(make(journal=path)).login()
    buy(hand)
    hand.sim.arm("E13", params={"quantity": 4})
    before = hand.sim.truth()
    hand.sim.stop()
    again = Simulator(
        tame=True, throttled=False, start=FRIDAY, seed=7, journal=path, resume=True
    ).start()
    try:
        after = again.truth()
    finally:
        again.stop()
    assert {**after, "epoch": 0} == {**before, "epoch": 0}


def test_a_lie_is_told_to_those_who_ask_alone(hand: Hand) -> None:
    """What strikes lists strikes no price, and what strikes orders no list."""
    buy(hand)
    for fault in ("A13", "B02", "B10", "B18", "B19"):
        hand.sim.arm(fault)
    assert hand.price("005930").json["rt_cd"] == "0"
    assert not [r for r in hand.sim.journal() if r["kind"] == "fault_fired"]


def test_the_guide_lists_every_fault_with_what_it_takes() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")
    for name, spec in FAULTS.items():
        params = ", ".join(sorted(spec.params))
        assert f"| {name} | {spec.title} | {spec.scope} | {params} |" in guide, name
