"""Reserved US orders: taken in Korea's day, sent before the open, listed with what became of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import Answer, Hand
from tests.trading.simulator.test_resume import second_life
from tests.trading.simulator.test_us_orders import RICH, hold
from trading.domain.sessions import SEOUL

NOON = datetime(2026, 11, 20, 12, tzinfo=SEOUL)
SPAN = {"INQR_STRT_DT": "20261120", "INQR_END_DT": "20261120", "INQR_DVSN_CD": "00"}


def day(make: Make, **options: object) -> Hand:
    return Hand(make(**{"start": NOON, "accounts": [RICH], **options})).login()


def reserve(hand: Hand, side: str, code: str, qty: object, price: str, **more: str) -> Answer:
    body = {"PDNO": code, "OVRS_EXCG_CD": "NYSE" if code == "KO" else "NASD"}
    body |= {"FT_ORD_QTY": str(qty), "FT_ORD_UNPR3": price, "ORD_SVR_DVSN_CD": "0"}
    return hand.send("overseas_order_resv", side, **{**body, **more})


def listed(hand: Hand) -> list[dict[str, str]]:
    answer = hand.ask("overseas_order_resv_list", "us", OVRS_EXCG_CD="NASD", **SPAN)
    return list(answer.json["output"])


def test_a_reservation_becomes_an_order_before_the_open(make: Make, tmp_path: Path) -> None:
    hand = day(make, journal=tmp_path / "first.jsonl")
    hold(hand, "AAPL", "270.00")
    taken = reserve(hand, "usBuy", "AAPL", 3, "275.00")
    assert taken.code == "APBK0013"
    refused = reserve(hand, "usSell", "AAPL", 1, "270.00")
    gone = reserve(hand, "usBuy", "AAPL", 5, "275.00").json["output"]
    back = {n: gone[n] for n in ("RSVN_ORD_RCIT_DT", "OVRS_RSVN_ODNO")}
    assert hand.send("overseas_order_resv_ccnl", "us", **back).code == "APBK1711"
    assert hand.send("overseas_order_resv_ccnl", "us", **back).code == "APBK0400"
    assert [row["ovrs_rsvn_ord_stat_cd_name"] for row in listed(hand)] == ["접수"] * 3
    assert hand.us_fills() == []
    again = second_life(make, hand.sim, tmp_path, accounts=[RICH])
    assert again.truth() == hand.sim.truth()
    again.stop()

    hand.sim.advance(11 * 3_600 + 21 * 60)
    rows = listed(hand.login())
    (order,) = hand.us_fills()
    assert (order["odno"], order["nccs_qty"], order["ord_tmd"]) == (rows[0]["odno"], "3", "232000")
    assert (rows[1]["ovrs_rsvn_ord_stat_cd_name"], rows[1]["nprc_rson_text"]) == (
        "거부", "not_held",
    )  # fmt: skip
    assert refused.json["rt_cd"] == "0", "shares are looked at when it is sent"
    assert (rows[2]["cncl_yn"], rows[2]["odno"]) == ("Y", "")
    hand.sim.advance(600)
    assert listed(hand)[0]["ft_ccld_qty"] == hand.us_fills()[0]["ft_ccld_qty"] == "3"
    late = second_life(make, hand.sim, tmp_path, accounts=[RICH])
    assert late.truth() == hand.sim.truth()


@pytest.mark.parametrize(
    ("moment", "real_code", "mock_code"),
    [
        ("2026-11-20T09:59:59", "APBK1664", "40570000"),
        ("2026-11-20T10:00:00", "APBK0013", "40600000"),
        ("2026-11-20T23:19:59", "APBK0013", "40600000"),
        ("2026-11-20T23:20:00", "APBK1664", "40580000"),
        ("2026-07-20T22:19:59", "APBK0013", "40600000"),
        ("2026-07-20T22:20:00", "APBK1664", "40580000"),
        ("2026-11-26T12:00:00", "APAM3099", "40100000"),
    ],
)
@pytest.mark.parametrize("profile", ["real", "mock"])
def test_reservations_have_hours(
    make: Make, profile: str, moment: str, real_code: str, mock_code: str
) -> None:
    start = datetime.fromisoformat(moment).replace(tzinfo=SEOUL)
    hand = day(make, start=start, profile=profile)
    code = mock_code if profile == "mock" else real_code
    assert reserve(hand, "usBuy", "AAPL", 1, "10.00").code == code


def test_each_refusal_and_the_reservation_it_lets_through(make: Make) -> None:
    hand = day(make)
    for refused, code, taken in (
        (("usBuy", "AAPL", 0, "10.00"), "APBK0400", ("usBuy", "AAPL", 1, "10.00")),
        (("usBuy", "AAPL", 1, "0"), "APBK0506", ("usBuy", "AAPL", 1, "0.01")),
        (("usBuy", "XXXX", 1, "10.00"), "APBK0656", ("usBuy", "MSFT", 1, "10.00")),
        (("asia", "AAPL", 1, "10.00"), "APBK0656", ("usSell", "KO", 1, "10.00")),
    ):
        assert reserve(hand, *refused).code == code
        assert reserve(hand, *taken).json["rt_cd"] == "0"
    assert reserve(hand, "usBuy", "AAPL", 1, "0", ORD_DVSN="31").code == "OPSQ2001"
    assert reserve(hand, "usSell", "KO", 1, "0", ORD_DVSN="31").json["rt_cd"] == "0"
    assert len(listed(hand)) == 5
