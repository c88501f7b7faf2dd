"""Orders that no account here may give are refused with a reason, and leave nothing behind."""

from __future__ import annotations

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import ACCOUNT, Hand
from trading.kis_wire import calls
from trading.simulator.calls import HANDLERS

STOCK = {"PDNO": "005930", "ORD_QTY": "3", "ORD_UNPR": "95000", "ORD_DVSN": "00"}
SHARE = {"OVRS_EXCG_CD": "NASD", "PDNO": "AAPL", "ORD_QTY": "1", "OVRS_ORD_UNPR": "230.00"}


def test_every_call_of_the_table_is_answered_by_somebody() -> None:
    served_by_the_door = {"auth_token", "auth_ws_token", "revoke", "hashkey"}
    assert set(calls()) - set(HANDLERS) <= served_by_the_door


@pytest.mark.parametrize(
    ("call", "variant", "body", "code"),
    [
        ("order_credit", "buy", {**STOCK, "CRDT_TYPE": "21", "LOAN_DT": "20261120"}, "APBK0952"),
        ("order_credit", "sell", {**STOCK, "CRDT_TYPE": "25", "LOAN_DT": "20261120"}, "APBK1234"),
        ("order_credit", "buy", {**STOCK, "PDNO": "999999", "CRDT_TYPE": "21"}, "APBK0656"),
        ("overseas_daytime_order", "buy", SHARE, "APBK1664"),
        ("overseas_daytime_order", "sell", SHARE, "APBK1664"),
        ("overseas_daytime_order_rvsecncl", "", {**SHARE, "ORGN_ODNO": "1"}, "APBK1663"),
    ],
)
def test_it_is_refused_and_nothing_moves(
    make: Make, call: str, variant: str, body: dict[str, str], code: str
) -> None:
    sim = make()
    hand = Hand(sim).login()
    hand.balance()
    hand.us_balance()
    before = sim.truth()
    answer = hand.send(call, variant, **body)
    assert (answer.status, answer.json["rt_cd"], answer.code) == (200, "1", code), answer.text
    assert sim.truth() == before
    refused = [row for row in sim.journal() if row["kind"] == "refused"]
    assert [(row["account"], row["code"]) for row in refused] == [(ACCOUNT, code)]


@pytest.mark.parametrize("call", ["order_credit", "overseas_daytime_order"])
def test_in_mock_there_is_no_such_service(make: Make, call: str) -> None:
    hand = Hand(make(profile="mock")).login()
    real = next(tr.real for tr in calls()[call].trs)
    assert hand.send(call, "buy", tr_id=str(real), **STOCK).code in ("EGW02004", "OPSQ0002")
