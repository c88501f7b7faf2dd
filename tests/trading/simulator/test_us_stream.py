"""The US channels of the WebSocket: the numbers of the REST screens, and what became of an order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.ear import Ear
from tests.trading.simulator.kis import ACCOUNT, Hand, odno
from tests.trading.simulator.test_us_orders import NIGHT, RICH, hold, night
from trading.kis_wire import channels

TRADE = channels()["overseas_delayed_ccnl"].fields
BOOK = channels()["overseas_asking_price"].fields
NOTICE = channels()["overseas_ccnl_notice"].fields


def test_trades_are_those_of_the_price_screen(make: Make) -> None:
    sim = make(start=NIGHT.replace(second=17), tame=False)
    hand = Hand(sim).login()
    with Ear(hand) as ear:
        assert ear.register("HDFSCNT0", "DNASAAPL")["body"]["msg_cd"] == "OPSP0000"
        sim.advance(1)
        rows = [dict(zip(TRADE, row, strict=True)) for row in ear.frame().rows]
    price = hand.us_price("AAPL")
    last = rows[-1]
    assert (last["LAST"], last["TVOL"], last["TAMT"]) == (
        price["last"], price["tvol"], price["tamt"],
    )  # fmt: skip
    assert (last["RATE"], last["DIFF"], last["SIGN"]) == (
        price["rate"], price["diff"], price["sign"],
    )  # fmt: skip
    assert (last["XHMS"], last["KHMS"], last["TYMD"]) == ("094518", "234518", "20261120")
    assert int(last["BIVL"]) + int(last["ASVL"]) == int(last["TVOL"])
    assert Decimal(last["STRN"]) == round(Decimal(last["ASVL"]) * 100 / int(last["BIVL"]), 2)


def test_the_book_is_that_of_the_asking_price_screen(make: Make) -> None:
    hand = night(make)
    hand.us_order("buy", "AAPL", 7, "269.90")
    with Ear(hand) as ear:
        ear.register("HDFSASP0", "RNASAAPL")
        hand.sim.advance(1)
        (row,) = (dict(zip(BOOK, row, strict=True)) for row in ear.frame().rows)
    screen = hand.ask("overseas_inquire_asking_price", EXCD="NAS", SYMB="AAPL").json["output2"]
    for i in range(1, 11):
        for name in ("PBID", "PASK", "VBID", "VASK"):
            assert row[f"{name}{i}"] == screen[f"{name.lower()}{i}"]


@pytest.mark.parametrize(("profile", "tr_id"), [("real", "H0GSCNI0"), ("mock", "H0GSCNI9")])
def test_own_orders_are_told_in_order(make: Make, profile: str, tr_id: str) -> None:
    hand = night(make, profile=profile)
    with Ear(hand) as ear:
        ear.register(tr_id, "me")
        number = odno(hand.us_order("buy", "AAPL", 5, "269.00"))
        hold(hand, "AAPL", "268.00")
        hand.sim.advance(2)
        cancelled = odno(hand.us_order("buy", "AAPL", 3, "100.00"))
        hand.us_change("cancel", cancelled, "AAPL")
        hand.sim.advance(1)
        told = [dict(zip(NOTICE, ear.frame().rows[0], strict=True)) for _ in range(4)]
    assert [(t["CNTG_YN"], t["ACPT_YN"], t["RCTF_CLS"]) for t in told] == [
        ("1", "1", "0"), ("2", "2", "0"), ("1", "1", "0"), ("1", "2", "2"),
    ]  # fmt: skip
    assert [t["ODER_NO"] for t in told[:2]] == [number, number]
    assert (told[1]["CNTG_UNPR"], int(told[1]["CNTG_QTY"])) == ("269.0000", 5)
    assert {t["CUST_ID"] for t in told} == {"me"}
    assert {t["ACNT_NO"] for t in told} == {ACCOUNT.replace("-", "")}
    assert (told[3]["OODER_NO"], told[3]["ODER_COND"], told[3]["ODER_KIND2"]) == (
        cancelled, "6", "2",
    )  # fmt: skip


def test_a_key_that_names_nothing_is_refused(make: Make) -> None:
    hand = night(make)
    with Ear(hand) as ear:
        assert ear.register("HDFSCNT0", "DNYSAAPL")["body"]["msg_cd"] == "OPSP8992"
        assert ear.register("HDFSCNT0", "DNASAAPL")["body"]["msg_cd"] == "OPSP0000"
        assert ear.register("HDFSCNT0", "DHKS00700")["body"]["msg_cd"] == "OPSP0000"


def test_a_snapshot_brings_dollars_and_notices_back(make: Make) -> None:
    sim = make(start=NIGHT - timedelta(minutes=1), accounts=[RICH])
    hand = Hand(sim).login()
    sim.snapshot()
    hand.us_order("buy", "KO", 1, "500.00")
    sim.restore()
    assert sim.truth()["us"]["positions"][ACCOUNT] == {"KO": 50}
    with Ear(hand) as ear:
        ear.register("H0GSCNI0", "me")
        hand.us_order("buy", "KO", 1, "500.00")
        sim.advance(1)
        assert [ear.frame().rows[0][NOTICE.index("CNTG_YN")] for _ in range(2)] == ["1", "2"]
