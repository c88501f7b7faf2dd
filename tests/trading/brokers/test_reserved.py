"""Reserved orders over real sockets: taken at night, changed, taken back, and told what became of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.trading.brokers.test_client import client, good, script
from tests.trading.brokers.test_history import Reader, reader
from trading.brokers.kis.orders import Line
from trading.brokers.kis.reserved import KisReserved
from trading.domain.errors import BrokerGarbled, BrokerMisconfigured, BrokerUnsupported
from trading.domain.orders import AttemptState, Classification, Reply
from trading.domain.ports import PreparedPost, RawReply
from trading.domain.reserved import (
    ReservedChange,
    ReservedOrder,
    ReservedRequest,
    ReservedState,
    classify_reserved,
)
from trading.domain.sessions import SEOUL

__all__ = ["reader"]

EVENING = datetime(2026, 11, 20, 18, 0, tzinfo=SEOUL)
MONDAY = date(2026, 11, 23)
BUY = ReservedRequest("069500", "BUY", 3, None)


class Night:
    def __init__(self, make: Reader, at: datetime = EVENING, profile: str = "real") -> None:
        history, self.sim = make(profile, at)
        self._client: Any = history._client
        self.reserved = KisReserved(self._client)

    def post(self, prepared: PreparedPost) -> RawReply:
        line = Line(self._client, self._client.tokens.renew(None).token)
        try:
            return line.post(prepared, "n" * 32)
        finally:
            line.close()

    def take(self, request: ReservedRequest) -> tuple[Classification, str]:
        raw = self.post(self.reserved.prepare(request))
        reply = self.reserved.read_reply(raw)
        return classify_reserved(raw.transport, reply), reply.order_no

    def change(self, change: ReservedChange) -> tuple[Classification, str]:
        raw = self.post(self.reserved.prepare_change(change))
        reply = self.reserved.read_change(raw, change)
        return classify_reserved(raw.transport, reply), reply.order_no

    def listed(self, last: date = MONDAY) -> dict[str, ReservedOrder]:
        return {one.number: one for one in self.reserved.orders(MONDAY, last)}


def test_a_reservation_is_sent_at_the_next_session_and_the_list_says_so(reader: Reader) -> None:
    night = Night(reader)
    proof, number = night.take(BUY)
    assert proof.state is AttemptState.ACKED and number
    waiting = night.listed()[number]
    assert (waiting.state, waiting.session, waiting.order_no) == (
        ReservedState.WAITING,
        MONDAY,
        "",
    )
    assert (waiting.ticker, waiting.side, waiting.quantity, waiting.limit) == (
        "069500",
        "BUY",
        3,
        None,
    )
    night.sim.advance((EVENING.replace(day=23, hour=10) - EVENING).total_seconds())
    sent = night.listed()[number]
    assert (sent.state, sent.filled_quantity) == (ReservedState.SENT, 3)
    truth = {o["odno"]: o for o in night.sim.truth()["orders"]}[sent.order_no]
    assert (truth["filled"], truth["amount"]) == (3, sent.filled_amount)


def test_one_that_was_taken_back_is_never_sent(reader: Reader) -> None:
    night = Night(reader)
    _proof, number = night.take(BUY)
    proof, changed = night.change(ReservedChange(number, BUY))
    assert (proof.state, changed) == (AttemptState.ACKED, number)
    assert night.listed()[number].state is ReservedState.CANCELLED
    night.sim.advance((EVENING.replace(day=23, hour=10) - EVENING).total_seconds())
    assert night.listed()[number].state is ReservedState.CANCELLED
    assert night.sim.truth()["orders"] == []
    again, _number = night.change(ReservedChange(number, BUY))
    assert again.state in (AttemptState.REJECTED, AttemptState.UNKNOWN)


def test_a_revision_is_what_is_sent(reader: Reader) -> None:
    night = Night(reader)
    _proof, number = night.take(BUY)
    proof, _changed = night.change(ReservedChange(number, BUY, replace(BUY, quantity=5)))
    assert proof.state is AttemptState.ACKED
    assert night.listed()[number].quantity == 5
    night.sim.advance((EVENING.replace(day=23, hour=10) - EVENING).total_seconds())
    assert [o["qty"] for o in night.sim.truth()["orders"]] == [5]


def test_one_that_nobody_can_pay_is_refused_in_the_morning_with_its_reason(reader: Reader) -> None:
    night = Night(reader)
    _proof, number = night.take(replace(BUY, quantity=100_000))
    night.sim.advance((EVENING.replace(day=23, hour=10) - EVENING).total_seconds())
    found = night.listed()[number]
    assert found.state is ReservedState.REFUSED and "초과" in found.refusal
    assert found.order_no == "" and found.filled_quantity == 0


def test_with_an_end_it_is_tried_on_each_session(reader: Reader) -> None:
    night = Night(reader)
    until = MONDAY + timedelta(days=2)
    limit = int(night.sim.world.market.shown("069500", night.sim.now()).last * 0.8)
    limit -= limit % 5
    _proof, number = night.take(ReservedRequest("069500", "BUY", 1, limit, until))
    assert (night.listed()[number].until, night.listed()[number].limit) == (until, limit)
    night.sim.advance((EVENING.replace(day=24, hour=10) - EVENING).total_seconds())
    assert len(night.sim.truth()["orders"]) == 2, "Monday's expired, Tuesday's works"


def test_one_with_an_end_comes_again_until_it_is_taken_back(reader: Reader) -> None:
    night = Night(reader)
    until = MONDAY + timedelta(days=2)
    limit = int(night.sim.world.market.shown("069500", night.sim.now()).last * 0.8)
    wanted = ReservedRequest("069500", "BUY", 1, limit - limit % 5, until)
    _proof, number = night.take(wanted)
    night.sim.advance((EVENING.replace(day=23, hour=18) - EVENING).total_seconds())
    sent = night.listed(until)[number]
    assert (sent.state, sent.comes_again(MONDAY)) == (ReservedState.SENT, True)
    assert not sent.comes_again(until), "the last session is the last"
    proof, _number = night.change(ReservedChange(number, wanted))
    assert proof.state is AttemptState.ACKED
    assert not night.listed(until)[number].comes_again(MONDAY)
    night.sim.advance(24 * 3600)
    assert len(night.sim.truth()["orders"]) == 1, "nothing more was sent"


def test_in_the_session_none_is_taken(reader: Reader) -> None:
    night = Night(reader, EVENING.replace(hour=10))
    proof, number = night.take(BUY)
    assert (proof.state, number) == (AttemptState.REJECTED, "")


def test_the_practice_host_keeps_no_reservations(reader: Reader) -> None:
    night = Night(reader, profile="mock")
    with pytest.raises(BrokerMisconfigured):
        night.reserved.prepare(BUY)
    with pytest.raises(BrokerUnsupported):
        night.reserved.orders(MONDAY, MONDAY)


def test_many_come_from_every_page(reader: Reader) -> None:
    night = Night(reader)
    numbers = {night.take(replace(BUY, quantity=n + 1))[1] for n in range(45)}
    assert len(numbers) == 45 and set(night.listed()) == numbers


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Reply(True, True, order_no="42401"), AttemptState.ACKED),
        (Reply(True, True, order_no=""), AttemptState.UNKNOWN),
        (Reply(True, True, order_no="0"), AttemptState.UNKNOWN),
        (Reply(True, True, order_no="４２"), AttemptState.UNKNOWN),
        (Reply(True, False, "APBK1058"), AttemptState.REJECTED),
        (Reply(True, False, "XXXX0000"), AttemptState.UNKNOWN),
        (Reply(False), AttemptState.UNKNOWN),
    ],
)
def test_what_an_answer_proves(reply: Reply, state: AttemptState) -> None:
    assert classify_reserved("answered", reply).state is state
    assert classify_reserved("lost", reply).state is AttemptState.UNKNOWN
    assert classify_reserved("not_sent", reply).state is AttemptState.NOT_SENT


def test_a_change_counts_only_where_the_broker_says_that_it_was_done() -> None:
    reserved = KisReserved(client(script()))

    def told(output: object) -> str:
        raw = RawReply("answered", 200, json.dumps(good(output=output)[1]).encode())
        return reserved.read_change(raw, ReservedChange("42401", BUY)).order_no

    assert told({"NRML_PRCS_YN": "Y"}) == "42401"
    assert told([{"NRML_PRCS_YN": "Y"}]) == "42401", "the portal's sheet says array"
    for output in ({"NRML_PRCS_YN": "N"}, {}, [], "", {"NRML_PRCS_YN": None}):
        assert told(output) == ""


ROW = {
    "rsvn_ord_seq": "42401", "rsvn_ord_ord_dt": "20261123", "rsvn_ord_rcit_dt": "20261120",
    "pdno": "069500", "ord_dvsn_cd": "00", "ord_rsvn_qty": "3", "tot_ccld_qty": "1",
    "cncl_ord_dt": "", "rjct_rson2": "", "odno": "0000012345", "sll_buy_dvsn_cd": "02",
    "ord_rsvn_unpr": "55000", "tot_ccld_amt": "55000", "rsvn_end_dt": "20261123",
}  # fmt: skip


def listed(*rows: dict[str, str]) -> tuple[ReservedOrder, ...]:
    asked = KisReserved(client(script(good(output=list(rows), ctx_area_nk200=""))))
    return asked.orders(MONDAY, MONDAY)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, ReservedState.SENT),
        ({"odno": ""}, ReservedState.WAITING),
        ({"odno": "0000000000"}, ReservedState.WAITING),
        ({"odno": "", "rjct_rson2": "주문가능금액 초과"}, ReservedState.REFUSED),
        ({"odno": "0000000000", "rjct_rson2": "주문가능금액 초과"}, ReservedState.REFUSED),
        ({"rjct_rson2": "주문가능금액 초과"}, ReservedState.REFUSED),
        ({"rjct_rson2": "  "}, ReservedState.SENT),
        ({"cncl_ord_dt": "20261121"}, ReservedState.CANCELLED),
        ({"cncl_ord_dt": "20261121", "rjct_rson2": "취소"}, ReservedState.CANCELLED),
    ],
    ids=str,
)
def test_what_became_of_a_reservation_is_read_from_its_row(
    change: dict[str, str], state: ReservedState
) -> None:
    assert listed(ROW | change)[0].state is state


@pytest.mark.parametrize(
    "change",
    [
        {"rsvn_ord_seq": ""},
        {"rsvn_ord_ord_dt": "2026112"},
        {"rsvn_ord_ord_dt": ""},
        {"ord_rsvn_qty": "0"},
        {"tot_ccld_qty": "4"},
        {"tot_ccld_qty": ""},
        {"ord_rsvn_unpr": "55,000"},
        {"ord_rsvn_unpr": "55000.5"},
        {"sll_buy_dvsn_cd": ""},
        {"pdno": ""},
    ],
)
def test_a_reservation_that_contradicts_itself_is_none(change: dict[str, str]) -> None:
    assert listed(ROW)[0].state is ReservedState.SENT
    with pytest.raises(BrokerGarbled):
        listed(ROW | change)
    with pytest.raises(BrokerGarbled):
        listed(ROW, ROW)


@pytest.mark.parametrize("wrong", [{"quantity": 0}, {"limit": 0}, {"limit": -5}])
def test_what_no_exchange_takes_is_never_made(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"share|limit"):
        replace(BUY, **wrong)
