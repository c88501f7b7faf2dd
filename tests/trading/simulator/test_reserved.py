"""Reserved orders: taken between sessions, sent at 08:30, true about what became of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.trading.simulator.kis import ACCOUNT, Hand
from trading.domain.sessions import SEOUL
from trading.simulator import Simulator

EVENING = datetime(2026, 11, 26, 18, 0, tzinfo=SEOUL)
"""A Thursday after its session; Friday the 27th is the next one."""
MINUTE, HOUR = 60, 3600


@pytest.fixture
def make(tmp_path: Path) -> Any:
    worlds: list[Simulator] = []

    def start(**options: Any) -> Hand:
        settings: dict[str, Any] = {
            "seed": 7, "speed": 0, "tame": True, "throttled": False, "start": EVENING,
        } | options  # fmt: skip
        sim = Simulator(**settings)
        sim.__enter__()
        worlds.append(sim)
        return Hand(sim).login()

    yield start
    for sim in worlds:
        sim.__exit__(None, None, None)


def reserve(hand: Hand, side: str = "02", **how: str) -> Any:
    wanted = {"PDNO": "005930", "ORD_QTY": "3", "ORD_UNPR": "0", "ORD_DVSN_CD": "01"}
    rest = {"ORD_OBJT_CBLC_DVSN_CD": "10", "SLL_BUY_DVSN_CD": side}
    return hand.send("order_resv", **(wanted | rest | how)).json


def listed(hand: Hand, **how: str) -> list[dict[str, str]]:
    asked = {
        "RSVN_ORD_ORD_DT": "20261101", "RSVN_ORD_END_DT": "20261231", "TMNL_MDIA_KIND_CD": "00",
        "PRCS_DVSN_CD": "0", "CNCL_YN": "Y", "RSVN_ORD_SEQ": "", "PDNO": "",
        "SLL_BUY_DVSN_CD": "", "CTX_AREA_FK200": "", "CTX_AREA_NK200": "",
    }  # fmt: skip
    return hand.ask("order_resv_ccnl", **(asked | how)).json["output"]


def change(hand: Hand, variant: str, seq: str, **how: str) -> Any:
    wanted = {
        "RSVN_ORD_SEQ": seq, "PDNO": "005930", "ORD_QTY": "5", "ORD_UNPR": "0",
        "SLL_BUY_DVSN_CD": "02", "ORD_DVSN_CD": "01", "ORD_OBJT_CBLC_DVSN_CD": "10",
    }  # fmt: skip
    return hand.send("order_resv_rvsecncl", variant=variant, **(wanted | how)).json


def morning(hand: Hand) -> None:
    hand.sim.advance(15.5 * HOUR)
    assert hand.sim.now().strftime("%H:%M") == "09:30"


def test_a_reservation_becomes_an_order_at_half_past_eight(make: Any) -> None:
    hand = make()
    answer = reserve(hand)
    assert (answer["rt_cd"], answer["msg_cd"]) == ("0", "APBK2938")
    (row,) = listed(hand)
    assert row["rsvn_ord_seq"] == answer["output"]["RSVN_ORD_SEQ"]
    assert (row["prcs_rslt"], row["odno"], row["tot_ccld_qty"]) == ("미처리", "", "0")
    morning(hand)
    (row,) = listed(hand)
    (order,) = hand.sim.truth()["orders"]
    assert (row["prcs_rslt"], row["odno"], row["ord_tmd"]) == ("처리", order["odno"], "083000")
    assert (row["tot_ccld_qty"], row["rsvn_ord_ord_dt"]) == ("3", "20261127")
    assert int(row["tot_ccld_amt"]) > 0
    assert hand.sim.truth()["positions"][ACCOUNT] == {"005930": 3}


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"PDNO": "999999"}, "APBK0656"),
        ({"ORD_QTY": "0"}, "APBK0400"),
        ({"ORD_QTY": "３"}, "APBK0400"),
        ({"ORD_DVSN_CD": "00", "ORD_UNPR": "0"}, "APBK0506"),
        ({"ORD_DVSN_CD": "99"}, "OPSQ2001"),
        ({"SLL_BUY_DVSN_CD": "00"}, "OPSQ2001"),
        ({"RSVN_ORD_END_DT": "20261125"}, "APBK0919"),
        ({"RSVN_ORD_END_DT": "20270120"}, "APBK0919"),
    ],
)
def test_what_cannot_be_an_order_is_refused_when_it_is_taken(
    make: Any, how: dict[str, str], code: str
) -> None:
    hand = make()
    assert reserve(hand, **how)["msg_cd"] == code
    assert listed(hand) == []


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2026-11-26T15:39", "APBK1058"),
        ("2026-11-26T15:40", "APBK2938"),
        ("2026-11-27T07:29", "APBK2938"),
        ("2026-11-27T07:30", "APBK1058"),
        ("2026-11-27T10:00", "APBK1058"),
        ("2026-11-28T12:00", "APBK2938"),
    ],
)
def test_they_are_taken_between_two_sessions_only(make: Any, at: str, code: str) -> None:
    hand = make(start=datetime.fromisoformat(at).replace(tzinfo=SEOUL))
    assert reserve(hand)["msg_cd"] == code


def test_money_and_shares_are_looked_at_when_it_is_sent(make: Any) -> None:
    hand = make()
    reserve(hand, side="01")
    morning(hand)
    (row,) = listed(hand)
    assert (row["prcs_rslt"], row["odno"]) == ("거부", "")
    assert row["rjct_rson2"] == "매도가능수량이 부족합니다."
    assert hand.sim.truth()["orders"] == []


def test_one_that_waits_is_changed_and_taken_back_and_one_that_went_is_not(make: Any) -> None:
    hand = make()
    first, second = (reserve(hand)["output"]["RSVN_ORD_SEQ"] for _ in range(2))
    assert change(hand, "modify", first)["output"]["NRML_PRCS_YN"] == "Y"
    assert change(hand, "cancel", second)["output"]["NRML_PRCS_YN"] == "Y"
    assert change(hand, "cancel", second)["msg_cd"] == "APBK1663"
    assert change(hand, "modify", first, PDNO="000660")["msg_cd"] == "APBK1663"
    assert [r["prcs_rslt"] for r in listed(hand)] == ["미처리", "취소"]
    assert [r["rsvn_ord_seq"] for r in listed(hand, CNCL_YN="N")] == [first]
    morning(hand)
    assert [o["qty"] for o in hand.sim.truth()["orders"]] == [5]
    assert change(hand, "cancel", first)["msg_cd"] == "APBK1663"


def test_a_span_is_tried_each_session_until_it_is_filled(make: Any) -> None:
    hand = make()
    hand.sim.set_price("005930", 98_000)
    reserve(hand, ORD_DVSN_CD="00", ORD_UNPR="90000", RSVN_ORD_END_DT="20261201")
    far = listed(hand)[0]
    for _ in range(5):
        hand.sim.advance(24 * HOUR)
    days = [o["trade_date"] for o in hand.sim.truth()["orders"]]
    assert days == ["20261127", "20261130", "20261201"], (
        "not on the weekend, not after the last day"
    )
    assert far["rsvn_end_dt"] == "20261201"


def test_what_is_filled_is_not_ordered_again(make: Any) -> None:
    hand = make()
    reserve(hand, RSVN_ORD_END_DT="20261201")
    for _ in range(5):
        hand.sim.advance(24 * HOUR)
    assert [o["trade_date"] for o in hand.sim.truth()["orders"]] == ["20261127"]


def test_a_list_goes_on_by_its_key(make: Any) -> None:
    hand = make()
    made = [reserve(hand)["output"]["RSVN_ORD_SEQ"] for _ in range(23)]
    first = hand.ask("order_resv_ccnl", **_all())
    assert first.headers["tr_cont"] == "M" and len(first.json["output"]) == 20
    key = first.json["ctx_area_nk200"]
    rest = hand.ask("order_resv_ccnl", cont="N", **(_all() | {"CTX_AREA_NK200": key}))
    assert rest.headers["tr_cont"] == "D"
    seen = [r["rsvn_ord_seq"] for r in (*first.json["output"], *rest.json["output"])]
    assert seen == made


def _all() -> dict[str, str]:
    return {
        "RSVN_ORD_ORD_DT": "20261101", "RSVN_ORD_END_DT": "20261231", "TMNL_MDIA_KIND_CD": "00",
        "PRCS_DVSN_CD": "0", "CNCL_YN": "Y", "RSVN_ORD_SEQ": "", "PDNO": "",
        "SLL_BUY_DVSN_CD": "", "CTX_AREA_FK200": "", "CTX_AREA_NK200": "",
    }  # fmt: skip


def test_a_second_life_keeps_them(make: Any, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    hand = make(journal=journal)
    first, second, third = (reserve(hand)["output"]["RSVN_ORD_SEQ"] for _ in range(3))
    change(hand, "cancel", second)
    change(hand, "modify", third, ORD_DVSN_CD="00", ORD_UNPR="90000", ORD_QTY="4")
    before = listed(hand)
    hand.sim.__exit__(None, None, None)
    again = make(journal=journal, resume=True)
    assert listed(again) == before
    morning(again)
    assert [o["qty"] for o in again.sim.truth()["orders"]] == [3, 4]
    assert {r["rsvn_ord_seq"]: r["prcs_rslt"] for r in listed(again)} == {
        first: "처리", second: "취소", third: "처리",
    }  # fmt: skip


def test_the_mock_host_does_not_offer_them(make: Any) -> None:
    hand = make(profile="mock")
    answer = hand.ask("order_resv_ccnl", **_all())
    assert answer.json["rt_cd"] == "1"
