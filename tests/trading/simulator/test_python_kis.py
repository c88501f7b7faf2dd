"""A second client library that we did not write, unmodified: python-kis of the package registry.

It wants https, both hosts at once when it practises, and the 23-field notices of its own time.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from pykis import PyKis

from tests.driver import wait_until
from tests.trading.simulator.conftest import Make
from trading.simulator import DEMO_APPKEY, DEMO_APPSECRET, Simulator
from trading.simulator.ws.streams import Layout

ACCOUNT = "12345678-01"
NAMES = {
    "real": (("openapi.koreainvestment.com", 9443), ("ops.koreainvestment.com", 21000)),
    "mock": (("openapivts.koreainvestment.com", 29443), ("ops.koreainvestment.com", 31000)),
}
KEYS = {"appkey": DEMO_APPKEY, "secretkey": DEMO_APPSECRET}
PRACTICE = {"appkey": "P" * 36, "secretkey": "R" * 180}


@pytest.fixture
def brokers(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Simulator]:
    """Both hosts, under the broker's names and certificates that are trusted together."""
    made, trusted, ports = {}, b"", {}
    for profile, (rest, stream) in NAMES.items():
        pem = tmp_path / f"{profile}.pem"
        sim = made[profile] = make(profile=profile, tls=pem)
        sim.world.streams.layout = Layout(old_notices=True)
        trusted += pem.read_bytes()
        ports[rest], ports[stream] = sim.server.port, sim.server.stream.port
    (tmp_path / "trusted.pem").write_bytes(trusted)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "trusted.pem"))
    monkeypatch.setenv("NO_PROXY", "*")
    resolve = socket.getaddrinfo

    def resolved(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        found = ports.get((host, int(port or 0)))
        return resolve("127.0.0.1", found, *more, **named) if found else resolve(host, port, *more)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    return made


@pytest.fixture(params=["real", "mock"])
def kis(brokers: dict[str, Simulator], request: pytest.FixtureRequest) -> Iterator[PyKis]:
    practice = (
        {"virtual_id": "someone", "virtual_appkey": PRACTICE["appkey"],
         "virtual_secretkey": PRACTICE["secretkey"]}
        if request.param == "mock"
        else {}
    )  # fmt: skip
    client = PyKis(id="someone", account=ACCOUNT, **KEYS, **practice, keep_token=False)
    yield client
    client.websocket.disconnect()


@pytest.fixture
def sim(kis: PyKis, brokers: dict[str, Simulator]) -> Simulator:
    """The host that takes its orders."""
    return brokers["mock" if kis.virtual else "real"]


def test_it_quotes_and_reads_the_book_and_the_bars(kis: PyKis, sim: Simulator) -> None:
    stock = kis.stock("005930")
    quote, book = stock.quote(), stock.orderbook()
    assert (quote.name, quote.halt, quote.market) == ("삼성전자", False, "KRX")
    shown = sim.world.market.shown("005930", sim.world.now())
    assert abs(int(quote.price) - shown.last) * 100 < shown.last and quote.low <= quote.price
    assert len(book.asks) == len(book.bids) == 10
    assert book.asks[0].price > book.bids[0].price
    days = stock.chart("30d").bars
    assert len(days) > 15 and all(bar.low <= bar.close <= bar.high for bar in days)
    weeks = stock.chart("1y", period="week").bars
    assert 50 <= len(weeks) <= 54 and weeks[0].time < weeks[-1].time


def test_it_finds_a_us_share_by_its_name(kis: PyKis, sim: Simulator) -> None:
    share = kis.stock("AAPL")
    assert (share.market, share.quote().symbol) == ("NASDAQ", "AAPL")
    assert len(share.chart("30d").bars) > 15


def test_it_buys_cancels_and_sees_what_it_holds(kis: PyKis, sim: Simulator) -> None:
    account, stock = kis.account(), kis.stock("005930")
    assert int(account.balance().deposit("KRW").amount) == 100_000_000
    price = int(stock.orderbook().bids[4].price)
    order = stock.buy(price=price, qty=3)
    if not kis.virtual:  # in practice it offers neither, whatever the broker does
        working = account.pending_orders(country="KR").orders
        assert [(o.order_number.number, int(o.qty)) for o in working] == [(order.number, 3)]
        order = order.modify(price=price - 500)
        (moved,) = account.pending_orders(country="KR").orders
        assert int(moved.price) == price - 500
    order.cancel()
    gone = next(o for o in sim.truth()["orders"] if o["odno"] == order.number)
    assert gone["filled"] == 0
    bought = stock.buy(qty=2)
    held = account.balance().stock("005930")
    assert held is not None and int(held.qty) == 2
    truth = sim.truth()
    assert truth["positions"][ACCOUNT] == {"005930": 2}
    assert next(o["filled"] for o in truth["orders"] if o["odno"] == bought.number) == 2
    assert sim.world.now().date() == date(2026, 11, 20)


def listens(sim: Simulator) -> bool:
    """Whether somebody is registered for own-order notices."""
    channels = {
        tr_id
        for session in list(sim.world.streams.sessions.values())
        for tr_id, _key in list(session.registered)
    }
    return bool({"H0STCNI0", "H0STCNI9"} & channels)


def test_it_streams_trades_the_book_and_its_own_fills(
    kis: PyKis, brokers: dict[str, Simulator], sim: Simulator
) -> None:
    """When it practises, it shows the real host a key of the other one, which is not taken here: it then
    hears its own fills only."""
    account, stock = kis.account(), kis.stock("005930")
    heard: dict[str, list[Any]] = {"price": [], "orderbook": [], "execution": []}
    tickets = [
        stock.on(name, lambda _sender, event, name=name: heard[name].append(event.response))
        for name in ("price", "orderbook")
    ]
    tickets.append(
        account.on("execution", lambda _sender, event: heard["execution"].append(event.response))
    )

    wanted = ["price", "orderbook"] if not kis.virtual else []

    def move() -> bool | None:
        for broker in brokers.values():
            broker.advance(1)
        return (listens(sim) and all(heard[name] for name in wanted)) or None

    wait_until(move, "trades and a book", seconds=30)
    order = stock.buy(qty=1)
    sim.advance(1)
    fill = wait_until(
        lambda: next((e for e in heard["execution"] if int(e.executed_qty or 0)), None),
        "its own fill",
        seconds=30,
    )
    assert (fill.symbol, int(fill.executed_qty)) == ("005930", 1)
    assert fill.order_number.number == order.number
    for trade in heard["price"][-1:]:
        assert trade.symbol == "005930" and isinstance(trade.time, datetime)
    for book in heard["orderbook"][-1:]:
        assert book.asks[0].price > book.bids[0].price
    assert bool(heard["price"]) is not kis.virtual
    del tickets
