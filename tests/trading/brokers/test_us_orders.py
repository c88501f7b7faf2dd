"""US orders over real sockets: sent once, listed as truth has them, cancelled, and never a market order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.brokers.test_client import client, good, script
from tests.trading.brokers.test_history import Reader, reader
from tests.trading.simulator.kis import Hand
from trading.brokers.kis.orders import Line, decode_reply
from trading.brokers.kis.us_orders import KisUsOrders
from trading.domain.errors import BrokerGarbled, BrokerMisconfigured
from trading.domain.orders import AttemptState, Classification, classify_reply
from trading.domain.sessions import SEOUL
from trading.domain.us import UsExchange, UsOrderRequest, UsOrderRow, UsOrderType

__all__ = ["reader"]

NIGHT = datetime(2026, 11, 20, 23, 45, tzinfo=SEOUL)
DAY = date(2026, 11, 20)
NASDAQ, NYSE, AMEX = UsExchange.NASDAQ, UsExchange.NYSE, UsExchange.AMEX
BUY = UsOrderRequest("AAPL", NASDAQ, "BUY", 2, Decimal("100.00"))


class Desk:
    """The adapter beside a hand at the same simulator."""

    def __init__(self, make: Reader, profile: str = "real", at: datetime = NIGHT) -> None:
        history, self.sim = make(profile, at)
        self._client: Any = history._client
        self.orders = KisUsOrders(self._client)
        self.hand = Hand(self.sim).login()

    def fund(self, dollars: int = 20_000) -> None:
        self.sim.control.cash({"account": self.hand.account, "amount": dollars, "currency": "USD"})

    def last(self, symbol: str) -> Decimal:
        return Decimal(self.hand.us_price(symbol)["last"])

    def send(self, request: UsOrderRequest) -> tuple[Classification, str]:
        """What the answer proves, and the order's number."""
        self.hand.login()
        token = self._client.tokens.renew(None).token
        line = Line(self._client, token)
        try:
            raw = line.post(self.orders.prepare(request), "n" * 32)
        finally:
            line.close()
        reply = decode_reply(raw)
        return classify_reply(raw.transport, reply), reply.order_no

    def listed(self) -> dict[str, UsOrderRow]:
        self.sim.advance(10)
        found = self.orders.orders(DAY, DAY)
        assert found.complete, found.problem
        return {row.order_no: row for row in found.rows}


@pytest.mark.parametrize("profile", ["real", "mock"])
@pytest.mark.parametrize(("symbol", "exchange"), [("AAPL", NASDAQ), ("KO", NYSE), ("SPY", AMEX)])
def test_what_was_bought_and_sold_is_listed_as_truth_has_it(
    reader: Reader, profile: str, symbol: str, exchange: UsExchange
) -> None:
    desk = Desk(reader, profile)
    desk.fund()
    high, low = desk.last(symbol) + 1, desk.last(symbol) - 1
    proof, bought = desk.send(UsOrderRequest(symbol, exchange, "BUY", 3, high))
    assert proof.state is AttemptState.ACKED
    desk.sim.advance(10)
    proof, sold = desk.send(UsOrderRequest(symbol, exchange, "SELL", 1, low))
    assert proof.state is AttemptState.ACKED
    rows = desk.listed()
    truth = {o["odno"]: o for o in desk.sim.truth()["us"]["orders"]}
    for number, side, quantity in ((bought, "BUY", 3), (sold, "SELL", 1)):
        row = rows[number]
        assert (row.side, row.symbol, row.exchange) == (side, symbol, exchange)
        assert (row.quantity, row.filled_quantity, row.remaining_quantity) == (
            quantity,
            quantity,
            0,
        )
        assert row.filled_amount * 100 == truth[number]["amount"]
        assert not row.is_change and row.trade_date == DAY


@pytest.mark.parametrize("profile", ["real", "mock"])
def test_the_rest_of_an_order_is_cancelled_and_nothing_fills_after(
    reader: Reader, profile: str
) -> None:
    desk = Desk(reader, profile)
    desk.fund()
    _proof, number = desk.send(BUY)
    waiting = desk.listed()[number]
    assert (waiting.remaining_quantity, waiting.limit) == (2, Decimal("100.00"))
    open_orders = desk.orders.working()
    if profile == "mock":
        assert open_orders is None, "the practice host does not offer the question"
    else:
        assert open_orders is not None and [o.order_no for o in open_orders] == [number]
    proof, cancel = desk.send(replace(BUY, cancels=number))
    assert proof.state is AttemptState.ACKED
    rows = desk.listed()
    assert rows[number].remaining_quantity == 0 and rows[number].filled_quantity == 0
    assert rows[cancel].original_order_no == number and rows[cancel].is_change
    assert not desk.orders.working()


@pytest.mark.parametrize(
    ("kind", "side", "limited"),
    [
        (UsOrderType.LIMIT_ON_OPEN, "BUY", True),
        (UsOrderType.LIMIT_ON_OPEN, "SELL", True),
        (UsOrderType.MARKET_ON_OPEN, "SELL", False),
        (UsOrderType.LIMIT_ON_CLOSE, "BUY", True),
        (UsOrderType.MARKET_ON_CLOSE, "SELL", False),
    ],
)
def test_orders_for_the_open_and_the_close_meet_there(
    reader: Reader, kind: UsOrderType, side: Any, limited: bool
) -> None:
    desk = Desk(reader, at=NIGHT - timedelta(days=1))
    desk.fund()
    desk.send(UsOrderRequest("AAPL", NASDAQ, "BUY", 5, desk.last("AAPL") + 1))
    desk.sim.advance((NIGHT.replace(hour=23, minute=0) - desk.sim.now()).total_seconds())
    far = desk.last("AAPL") * (Decimal("1.2") if side == "BUY" else Decimal("0.8"))
    limit = far.quantize(Decimal("0.01")) if limited else None
    proof, number = desk.send(UsOrderRequest("AAPL", NASDAQ, side, 1, limit, kind))
    assert proof.state is AttemptState.ACKED
    assert desk.listed()[number].filled_quantity == 0, "before the open"
    desk.sim.advance(8 * 3600)
    row = desk.listed()[number]
    assert (row.filled_quantity, row.limit) == (1, limit)


def test_a_refusal_is_proof_with_its_code(reader: Reader) -> None:
    desk = Desk(reader)
    proof, number = desk.send(BUY)
    assert (proof.state, proof.why, number) == (AttemptState.REJECTED, "APBK0952", "")
    desk.fund()
    assert desk.send(BUY)[0].state is AttemptState.ACKED
    foreign, _number = desk.send(replace(BUY, symbol="NOPE"))
    assert (foreign.state, foreign.why) == (AttemptState.REJECTED, "APBK0656")


def test_outside_the_hours_nothing_is_taken(reader: Reader) -> None:
    desk = Desk(reader, at=NIGHT.replace(hour=12))
    desk.fund()
    proof, _number = desk.send(BUY)
    assert (proof.state, proof.why) == (AttemptState.REJECTED, "APBK1664")


@pytest.mark.parametrize(
    ("fault", "params", "state", "taken"),
    [
        ("A02", {"seconds": 0}, AttemptState.UNKNOWN, 0),
        ("A03", {"seconds": 0}, AttemptState.UNKNOWN, 1),
        ("A04", {}, AttemptState.UNKNOWN, 1),
        ("A05", {}, AttemptState.UNKNOWN, 1),
        ("A07", {"accepted": True}, AttemptState.UNKNOWN, 1),
        ("A08", {"accepted": False}, AttemptState.UNKNOWN, 0),
        ("A12", {}, AttemptState.UNKNOWN, 1),
        ("A14", {"code": "APBK0952"}, AttemptState.REJECTED, 0),
        ("A16", {"accepted": True}, AttemptState.UNKNOWN, 1),
        ("A19", {}, AttemptState.UNKNOWN, 0),
    ],
)
def test_what_is_not_proven_is_unknown_and_the_list_alone_tells(
    reader: Reader, fault: str, params: dict[str, Any], state: AttemptState, taken: int
) -> None:
    desk = Desk(reader)
    desk.fund()
    desk.sim.arm(fault, params=params)
    proof, _number = desk.send(BUY)
    assert proof.state is state
    assert any(line["kind"] == "fault_fired" for line in desk.sim.journal())
    rows = [row for row in desk.listed().values() if not row.is_change]
    assert [(row.symbol, row.quantity) for row in rows] == [("AAPL", 2)] * taken


def test_a_cancel_whose_answer_is_lost_is_found_in_the_list(reader: Reader) -> None:
    desk = Desk(reader)
    desk.fund()
    _proof, number = desk.send(BUY)
    desk.sim.arm("A21", params={"seconds": 0})
    assert desk.send(replace(BUY, cancels=number))[0].state is AttemptState.UNKNOWN
    rows = desk.listed()
    assert rows[number].remaining_quantity == 0
    assert [row.original_order_no for row in rows.values() if row.is_change] == [number]


def test_an_empty_page_in_the_middle_is_not_all_there_is(reader: Reader) -> None:
    desk = Desk(reader)
    desk.fund(200_000)
    for n in range(25):
        desk.send(replace(BUY, quantity=n + 1))
    desk.sim.advance(10)
    desk.sim.arm("B03", match={"page": 2}, params={"code": "EGW00202"}, count=9)
    assert not desk.orders.orders(DAY, DAY).complete


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 0},
        {"quantity": -1},
        {"limit": None},
        {"limit": Decimal("0")},
        {"limit": Decimal("nan")},
        {"limit": Decimal("100.001")},
        {"limit": Decimal("0.12345")},
        {"order_type": UsOrderType.MARKET_ON_OPEN},
        {"order_type": UsOrderType.MARKET_ON_CLOSE, "limit": None},
        {"symbol": "aapl"},
        {"symbol": "A^B|.."},
        {"symbol": ""},
        {"cancels": "12", "quantity": -5},
        {"cancels": "1２"},
        {"cancels": "x"},
    ],
)
def test_what_no_exchange_takes_is_never_made(wrong: dict[str, Any]) -> None:
    assert replace(BUY, limit=Decimal("0.1234")).limit
    assert replace(BUY, side="SELL", limit=None, order_type=UsOrderType.MARKET_ON_CLOSE)
    with pytest.raises(ValueError, match=r"share|limit"):
        replace(BUY, **wrong)


ROW = {
    "ord_dt": "20261120", "ord_gno_brno": "01790", "odno": "0030000001", "orgn_odno": "",
    "sll_buy_dvsn_cd": "02", "pdno": "AAPL", "ft_ord_qty": "3", "ft_ord_unpr3": "100.00000000",
    "ft_ccld_qty": "1", "ft_ccld_amt3": "99.50000", "nccs_qty": "2", "ovrs_excg_cd": "NASD",
    "rjct_rson": "", "rjct_rson_name": "",
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"ft_ccld_qty": "4"},
        {"nccs_qty": "3"},
        {"nccs_qty": ""},
        {"ft_ord_qty": "3.5"},
        {"odno": "A1"},
        {"ord_dt": ""},
        {"ovrs_excg_cd": "SEHK"},
        {"sll_buy_dvsn_cd": "00"},
        {"pdno": ""},
    ],
)
def test_a_list_that_contradicts_itself_is_incomplete_and_says_why(change: dict[str, str]) -> None:
    def listed(row: dict[str, str]) -> Any:
        return KisUsOrders(client(script(good(output=[row], ctx_area_nk200="")))).orders(DAY, DAY)

    fine = listed(ROW)
    assert fine.complete and fine.rows[0].filled_amount == Decimal("99.5")
    bad = listed(ROW | change)
    assert not bad.complete and bad.problem and not bad.rows


def test_one_order_listed_twice_proves_nothing() -> None:
    twice = script(good(output=[ROW, ROW | {"ft_ccld_qty": "2", "nccs_qty": "1"}]))
    assert not KisUsOrders(client(twice)).orders(DAY, DAY).complete
    with pytest.raises(BrokerGarbled):
        KisUsOrders(client(script(good(output=[ROW, ROW])))).working()


def test_of_what_has_filled_whole_or_was_taken_back_nothing_works() -> None:
    filled = ROW | {"odno": "0030000002", "ft_ccld_qty": "3", "nccs_qty": "0"}
    gone = ROW | {"odno": "0030000003", "ft_ccld_qty": "1", "nccs_qty": "0"}
    found = KisUsOrders(client(script(good(output=[filled, ROW, gone])))).working()
    assert found is not None and [o.order_no for o in found] == ["0030000001"]


def test_many_orders_come_from_every_page(reader: Reader) -> None:
    desk = Desk(reader)
    desk.fund(200_000)
    sent = {desk.send(replace(BUY, quantity=n + 1))[1] for n in range(45)}
    assert len(sent) == 45
    assert set(desk.listed()) == sent
    working = desk.orders.working()
    assert working is not None and {o.order_no for o in working} == sent


def test_the_practice_host_is_asked_for_limits_alone(reader: Reader) -> None:
    desk = Desk(reader, "mock")
    assert desk.orders.prepare(BUY)
    sale = replace(BUY, side="SELL", limit=None, order_type=UsOrderType.MARKET_ON_OPEN)
    with pytest.raises(BrokerMisconfigured):
        desk.orders.prepare(sale)
