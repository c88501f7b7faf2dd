"""Calls over a real socket: what may still be cancelled, and the hash over an order's body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.support.world import world_of
from tests.trading.brokers.test_client import client, script
from trading.brokers.kis.broker import KisBroker
from trading.domain.errors import BrokerError, BrokerGarbled, BrokerMisconfigured
from trading.domain.orders import Reply
from trading.domain.ports import OrderRequest, PreparedPost
from trading.services.brokers import broker_for, forget_brokers
from trading.services.clock import WallClock

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def post(broker: KisBroker, prepared: PreparedPost) -> Reply:
    line = broker.open_line()
    try:
        return broker.read_reply(line.post(prepared, "n" * 32))
    finally:
        line.close()


def resting_buy(broker: KisBroker, quantity: int = 3) -> Reply:
    """A buy at the day's lower limit, which nobody sells to."""
    quote = broker.quote("069500")
    request = OrderRequest("069500", "BUY", quantity, quote.lower_limit)
    return post(broker, broker.prepare(request))


def test_an_open_order_may_be_cancelled_and_a_cancelled_one_no_more(world: Any) -> None:
    broker = broker_for(world.account)
    assert broker.cancellable() == []
    reply = resting_buy(broker)
    world.settle(5)
    found = broker.cancellable()
    assert found is not None
    (order,) = found
    assert (order.order_no, order.org_no) == (reply.order_no.zfill(10), reply.org_no)
    assert (order.ticker, order.side) == ("069500", "BUY")
    assert (order.quantity, order.filled_quantity, order.cancellable) == (3, 0, 3)
    cancel = OrderRequest("069500", "BUY", 3, None, cancels=(order.org_no, order.order_no))
    assert post(broker, broker.prepare(cancel)).ok
    world.settle(5)
    assert broker.cancellable() == []


def test_the_mock_environment_does_not_offer_the_question(transactional_db: None) -> None:
    with world_of(wire="mock") as world:
        broker = broker_for(world.account)
        resting_buy(broker)
        world.settle(5)
        assert broker.cancellable() is None
        assert len(broker.orders(world.now.date(), world.now.date()).rows) == 1


OPEN = {
    "ord_gno_brno": "06010",
    "odno": "0000051378",
    "pdno": "069500",
    "ord_qty": "10",
    "tot_ccld_qty": "4",
    "psbl_qty": "6",
    "sll_buy_dvsn_cd": "02",
}


def asked(*rows: dict[str, str]) -> Any:
    body = {"rt_cd": "0", "msg_cd": "", "msg1": "", "output": list(rows)}
    return KisBroker(client(script((200, body, {"tr_cont": "D"}))), WallClock()).cancellable()


def test_nothing_left_is_not_cancellable() -> None:
    assert [order.cancellable for order in asked(OPEN)] == [6]
    assert asked(OPEN | {"psbl_qty": "0"}) == []


@pytest.mark.parametrize(
    "rows",
    [
        (OPEN, OPEN),
        (OPEN | {"psbl_qty": "7"},),
        (OPEN | {"psbl_qty": ""},),
        (OPEN | {"psbl_qty": "-1"},),
        (OPEN | {"odno": "x"},),
        (OPEN | {"sll_buy_dvsn_cd": "00"},),
    ],
    ids=["twice", "more than ordered", "blank", "negative", "no number", "no side"],
)
def test_a_nonsense_list_of_open_orders_is_refused(rows: Any) -> None:
    with pytest.raises(BrokerGarbled):
        asked(*rows)


# --- the hash over a body ---------------------------------------------------------------------
def test_the_hash_binds_the_body(world: Any) -> None:
    broker = broker_for(world.account)
    price = broker.quote("069500").lower_limit
    one = broker.prepare(OrderRequest("069500", "BUY", 1, price))
    two = broker.prepare(OrderRequest("069500", "BUY", 2, price))
    assert one.hashkey == "", "unless asked for, an order carries none"
    assert broker.hashkey(one) == broker.hashkey(one) != broker.hashkey(two)
    signed = PreparedPost(one.path, one.tr_id, one.body, broker.hashkey(one))
    assert post(broker, signed).ok
    crossed = PreparedPost(two.path, two.tr_id, two.body, broker.hashkey(one))
    refused = post(broker, crossed)
    assert (refused.ok, refused.msg_cd) == (False, "EGW00131")


def test_where_orders_are_signed_each_carries_its_hash(world: Any, settings: Any) -> None:
    settings.KIS_SIGN_ORDERS = True
    forget_brokers()
    broker = broker_for(world.account)
    prepared = broker.prepare(OrderRequest("069500", "BUY", 1, broker.quote("069500").lower_limit))
    assert prepared.hashkey == broker.hashkey(prepared)
    assert post(broker, prepared).ok


def answers(status: int, body: Any) -> Callable[[httpx2.Request], httpx2.Response]:
    return lambda _request: httpx2.Response(status, json=body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"BODY": {"A": "2"}, "HASH": "h" * 64}, BrokerGarbled),
        ({"BODY": {"A": "1"}, "HASH": ""}, BrokerGarbled),
        ({"BODY": {"A": "1"}, "HASH": "한" * 64}, BrokerGarbled),
        ({"BODY": {"A": "1"}, "HASH": "h" * 60 + "\r\nx: y"}, BrokerGarbled),
        ({"HASH": "h" * 64}, BrokerGarbled),
        ({"rt_cd": "1", "msg_cd": "EGW00103", "msg1": "x"}, BrokerMisconfigured),
    ],
    ids=["another body", "blank", "not ascii", "a header inside", "no body", "refused"],
)
def test_an_answer_that_is_no_hash(body: Any, error: type[BrokerError]) -> None:
    with pytest.raises(error):
        client(answers(200, body)).hash_of(b'{"A": "1"}')


def test_an_answer_that_is_a_hash() -> None:
    assert client(answers(200, {"BODY": {"A": "1"}, "HASH": "h" * 64})).hash_of(b'{"A":"1"}')
