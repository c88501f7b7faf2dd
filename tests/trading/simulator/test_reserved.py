"""Reserved orders: taken between sessions, sent at 08:30, true about what became of them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.trading.simulator.kis import ACCOUNT, Hand
from trading.domain.matching import OrderType, Side
from trading.domain.sessions import KRX, SEOUL
from trading.simulator import DEMO_APPKEY, DEMO_APPSECRET, Simulator
from trading.simulator.placing import NewOrder
from trading.simulator.reservations import Reservation, Reservations

EVENING = datetime(2026, 11, 26, 18, 0, tzinfo=SEOUL)
"""A Thursday after its session; Friday the 27th is the next one."""
MINUTE, HOUR = 60, 3600
OWNER = {"appkey": DEMO_APPKEY, "appsecret": DEMO_APPSECRET, "account": ACCOUNT}


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
        ({"RSVN_ORD_END_DT": "20261228"}, "APBK0919"),
    ],
)
def test_what_cannot_be_an_order_is_refused_when_it_is_taken(
    make: Any, how: dict[str, str], code: str
) -> None:
    hand = make()
    assert reserve(hand, **how)["msg_cd"] == code
    assert listed(hand) == []


@pytest.mark.parametrize("until", ["20261127", "20261227"])
def test_one_may_end_on_its_first_session_and_up_to_thirty_days_later(
    make: Any, until: str
) -> None:
    hand = make()
    assert reserve(hand, RSVN_ORD_END_DT=until)["msg_cd"] == "APBK2938"
    assert listed(hand)[0]["rsvn_end_dt"] == until


@pytest.mark.parametrize(
    ("at", "waits"),
    [
        ("2026-11-26T18:00:00", True),
        ("2026-11-27T08:29:59", True),
        ("2026-11-27T08:30:00", False),
        ("2026-11-28T12:00:00", False),
    ],
)
def test_until_half_past_eight_of_its_session_it_waits(at: str, waits: bool) -> None:
    order = NewOrder(ACCOUNT, "005930", Side.BUY, 3, OrderType.MARKET, 0)
    one = Reservation(42_401, EVENING, date(2026, 11, 27), date(2026, 11, 27), order)
    moment = datetime.fromisoformat(at).replace(tzinfo=SEOUL)
    assert Reservations(KRX, [one]).waits(one, moment, lambda *_order: (0, 0)) is waits


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
    assert change(hand, "modify", first, SLL_BUY_DVSN_CD="01")["msg_cd"] == "APBK1663"
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


SPAN = {"ORD_DVSN_CD": "00", "ORD_UNPR": "90000", "RSVN_ORD_END_DT": "20261201"}
"""Friday, Monday and Tuesday, at a price that the market does not reach by itself."""


def spread(make: Any) -> tuple[Hand, str]:
    """A reservation over three sessions, in the evening of the first, which filled nothing of it."""
    hand = make()
    hand.sim.set_price("005930", 98_000)
    seq = reserve(hand, **SPAN)["output"]["RSVN_ORD_SEQ"]
    hand.sim.advance(24 * HOUR)
    hand.login()
    return hand, seq


def test_one_with_an_end_date_waits_again_after_a_session_and_is_taken_back(make: Any) -> None:
    hand, seq = spread(make)
    (order,) = hand.sim.truth()["orders"]
    (row,) = listed(hand, PRCS_DVSN_CD="2")
    assert (row["prcs_rslt"], row["odno"], row["ord_tmd"]) == ("미처리", order["odno"], "083000")
    assert listed(hand, PRCS_DVSN_CD="1") == []
    assert change(hand, "cancel", seq)["output"]["NRML_PRCS_YN"] == "Y"
    assert listed(hand)[0]["prcs_rslt"] == "취소"
    hand.sim.advance(5 * 24 * HOUR)
    assert len(hand.sim.truth()["orders"]) == 1


def test_what_a_change_between_two_sessions_says_is_sent_on_the_next(make: Any) -> None:
    hand, seq = spread(make)
    how = {"ORD_DVSN_CD": "00", "ORD_UNPR": "91000", "ORD_QTY": "4"}
    assert change(hand, "modify", seq, **how)["output"]["NRML_PRCS_YN"] == "Y"
    hand.sim.advance(3 * 24 * HOUR)
    asked = [(o["trade_date"], o["qty"]) for o in hand.sim.truth()["orders"]]
    assert asked == [("20261127", 3), ("20261130", 4)]


@pytest.mark.parametrize(
    ("end", "code", "sent"),
    [
        ("20261203", "APBK2939", ["20261127", "20261130", "20261201", "20261202", "20261203"]),
        ("20261130", "APBK2939", ["20261127", "20261130"]),
        ("", "APBK2939", ["20261127", "20261130", "20261201"]),
        ("20261129", "APBK0919", ["20261127", "20261130", "20261201"]),
        ("20270201", "APBK0919", ["20261127", "20261130", "20261201"]),
    ],
    ids=["later", "sooner", "as it was", "before the next session", "too far"],
)
def test_a_change_moves_the_last_day_to_one_that_is_to_come(
    make: Any, tmp_path: Path, end: str, code: str, sent: list[str]
) -> None:
    journal = tmp_path / "journal.jsonl"
    hand = make(journal=journal)
    hand.sim.set_price("005930", 98_000)
    seq = reserve(hand, **SPAN)["output"]["RSVN_ORD_SEQ"]
    hand.sim.advance(24 * HOUR)
    hand.login()
    assert change(hand, "modify", seq, **(SPAN | {"RSVN_ORD_END_DT": end}))["msg_cd"] == code
    hand.sim.__exit__(None, None, None)
    again = make(journal=journal, resume=True)
    again.sim.set_price("005930", 98_000)
    again.sim.advance(8 * 24 * HOUR)
    assert [order["trade_date"] for order in again.sim.truth()["orders"]] == sent


def test_in_a_session_one_that_waits_again_is_neither_changed_nor_taken_back(make: Any) -> None:
    hand = make()
    hand.sim.set_price("005930", 98_000)
    seq = reserve(hand, **SPAN)["output"]["RSVN_ORD_SEQ"]
    morning(hand)
    assert change(hand, "cancel", seq)["msg_cd"] == "APBK1058"
    assert change(hand, "modify", seq)["msg_cd"] == "APBK1058"
    hand.sim.set_price("005930", 89_000)
    hand.sim.advance(10)
    assert change(hand, "cancel", seq)["msg_cd"] == "APBK1663", "it is filled"
    assert listed(hand)[0]["prcs_rslt"] == "처리"


def test_after_its_last_session_it_waits_no_more(make: Any) -> None:
    hand, seq = spread(make)
    hand.sim.advance(4 * 24 * HOUR)
    hand.login()
    assert f"{hand.sim.now():%m%d}" == "1201"
    assert change(hand, "cancel", seq)["msg_cd"] == "APBK1663"
    (row,) = listed(hand)
    assert (row["prcs_rslt"], row["tot_ccld_qty"]) == ("처리", "0")


@pytest.mark.parametrize(
    ("first", "last", "there"),
    [
        ("20261101", "20261126", False),
        ("20261101", "20261127", True),
        ("20261128", "20261129", True),
        ("20261201", "20261231", True),
        ("20261202", "20261231", False),
    ],
)
def test_the_list_has_those_that_are_meant_for_any_day_of_the_span(
    make: Any, first: str, last: str, there: bool
) -> None:
    hand = make()
    reserve(hand, **SPAN)
    rows = listed(hand, RSVN_ORD_ORD_DT=first, RSVN_ORD_END_DT=last)
    assert bool(rows) is there


def test_a_second_day_that_refuses_it_does_not_hide_the_order_of_the_first(make: Any) -> None:
    hand = make(accounts=[{**OWNER, "cash": 300_000}])
    hand.sim.set_price("005930", 98_000)
    seq = reserve(hand, **(SPAN | {"RSVN_ORD_END_DT": "20261130"}))["output"]["RSVN_ORD_SEQ"]
    hand.sim.advance(24 * HOUR)
    (order,) = hand.sim.truth()["orders"]
    hand.sim.world.truth.move_cash(ACCOUNT, -200_000, "withdraw")
    hand.sim.advance(3 * 24 * HOUR)
    hand.login()
    (row,) = listed(hand, RSVN_ORD_SEQ=seq)
    assert (row["prcs_rslt"], row["odno"]) == ("처리", order["odno"])
    assert row["rjct_rson2"] == "주문가능금액을 초과 했습니다"
    assert len(hand.sim.truth()["orders"]) == 1


def test_the_list_shows_fills_when_the_order_list_shows_them(make: Any) -> None:
    hand = make(tame=False)
    for quantity in range(1, 6):
        reserve(hand, ORD_QTY=str(quantity))
    hand.sim.advance(15 * HOUR)
    told = set()
    for _second in range(8):
        fills = {row["odno"]: (row["tot_ccld_qty"], row["tot_ccld_amt"]) for row in hand.fills()}
        for row in listed(hand):
            shown = fills.get(row["odno"], ("0", "0"))
            assert (row["tot_ccld_qty"], row["tot_ccld_amt"]) == shown
            told.add(shown[0])
        hand.sim.advance(1)
    assert "0" in told and len(told) > 1, "the screens were late, and then told of it"


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
