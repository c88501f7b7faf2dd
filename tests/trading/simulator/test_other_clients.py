"""A client library that we did not write, unmodified, against the simulator: mojito2 of the package registry.

It knows the broker's host names only; names are resolved to the simulator, https by a certificate of the
simulator's own, as docs/simulator.md tells its reader to do.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from queue import Empty
from typing import Any

import mojito
import pytest

from tests.driver import wait_until
from tests.trading.simulator.conftest import Make
from trading.domain.sessions import KRX
from trading.simulator import DEMO_APPKEY, DEMO_APPSECRET, Simulator
from trading.simulator.ws.streams import Layout

ACCOUNT = "12345678-01"
Client = Callable[[], Any]
PROFILES = {"real": "openapi.koreainvestment.com", "mock": "openapivts.koreainvestment.com"}


@pytest.fixture(params=PROFILES)
def sim(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Simulator:
    """A simulator that the broker's own names lead to."""
    made = make(profile=request.param, tls=tmp_path / "broker.pem")
    named(made, monkeypatch)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "broker.pem"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.chdir(tmp_path)  # it keeps its token in a file of the folder it runs in
    return made


def named(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a line in the hosts file does."""
    resolve = socket.getaddrinfo
    ports = {(host, port): sim.server.port for host in PROFILES.values() for port in (9443, 29443)}
    ports["ops.koreainvestment.com", 21000] = sim.server.stream.port

    def resolved(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        found = ports.get((host, int(port or 0)))
        return resolve("127.0.0.1", found, *more, **named) if found else resolve(host, port, *more)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


@pytest.fixture
def client(sim: Simulator) -> Any:
    mock = sim.world.options.mock
    return mojito.KoreaInvestment(DEMO_APPKEY, DEMO_APPSECRET, ACCOUNT, mock=mock)


def test_it_logs_in_once_and_reads_price_book_and_bars(sim: Simulator, client: Any) -> None:
    again = mojito.KoreaInvestment(
        DEMO_APPKEY, DEMO_APPSECRET, ACCOUNT, mock=sim.world.options.mock
    )
    assert again.access_token == client.access_token
    price = client.fetch_price("005930")["output"]
    last = sim.world.market.shown("005930", sim.now()).last
    assert int(price["stck_prpr"]) == last
    days = client.fetch_ohlcv("005930", "D", "20260701", "20261120")
    assert len(days["output2"]) == len(
        list(KRX.sessions_between(date(2026, 7, 1), date(2026, 11, 20)))
    )
    assert int(days["output2"][0]["stck_clpr"]) == last
    recent = client.fetch_ohlcv_recent30("005930")["output"]
    assert [r["stck_clpr"] for r in recent] == [r["stck_clpr"] for r in days["output2"][:30]]
    minutes = client.fetch_today_1m_ohlcv("005930", "093500")
    assert [row["stck_cntg_hour"] for row in minutes["output2"]] == [
        f"09{minute:02}00" for minute in range(35, -1, -1)
    ]


def test_it_buys_revises_cancels_and_sells(sim: Simulator, client: Any) -> None:
    able = client.check_buy_order("005930", 90_000, "00")["output"]
    assert int(able["nrcvb_buy_qty"]) > 0
    bought = client.create_market_buy_order("005930", 5)
    assert bought["rt_cd"] == "0", bought
    low = int(client.fetch_price("005930")["output"]["stck_llam"])
    resting = client.create_limit_buy_order("005930", low, 3)["output"]
    moved = client.modify_order(
        resting["KRX_FWDG_ORD_ORGNO"], resting["ODNO"], "00", low + 100, 3, True
    )["output"]
    if not sim.world.options.mock:
        working = client.fetch_open_order(
            {"CTX_AREA_FK100": "", "CTX_AREA_NK100": "", "INQR_DVSN_1": "0", "INQR_DVSN_2": "0"}
        )["output"]
        assert [row["odno"] for row in working] == [moved["ODNO"]]
    gone = client.cancel_order(moved["KRX_FWDG_ORD_ORGNO"], moved["ODNO"], 3, True)
    assert gone["rt_cd"] == "0", gone
    sold = client.create_market_sell_order("005930", 2)
    assert sold["rt_cd"] == "0", sold
    sim.advance(10)
    held = client.fetch_balance()["output1"]
    assert {row["pdno"]: int(row["hldg_qty"]) for row in held} == {"005930": 3}
    assert sim.truth()["positions"][ACCOUNT] == {"005930": 3}


@pytest.fixture
def stream(sim: Simulator) -> Iterator[Callable[..., Any]]:
    """Its stream in a thread; `get` waits for one message."""
    threads: list[threading.Thread] = []

    def begin(tr_ids: list[str], codes: list[str], user: str | None = None) -> Any:
        made = mojito.KoreaInvestmentWS(DEMO_APPKEY, DEMO_APPSECRET, tr_ids, codes, user)

        def run() -> None:
            try:
                asyncio.run(made.ws_client())
            except Exception as error:  # the simulator hangs up at the end of the test
                made.ended = error

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        threads.append(thread)
        wanted = len(tr_ids) * len(codes) + (1 if user else 0)
        wait_until(lambda: registered(sim) == wanted, "everything is registered", seconds=15)
        return made

    yield begin
    sim.stop()
    for thread in threads:
        thread.join(10)


def registered(sim: Simulator) -> int:
    return sum(len(s.registered) for s in list(sim.world.streams.sessions.values()))


def next_of(stream: Any, kind: str) -> dict[str, str]:
    """The next message of a kind; raises Empty after ten seconds of silence."""
    for _ in range(200):
        what, told = stream.queue.get(timeout=10)
        if what == kind:
            found: dict[str, str] = told
            return found
    raise Empty


def test_it_streams_trades_and_books(sim: Simulator, stream: Callable[..., Any]) -> None:
    listening = stream(["H0STCNT0", "H0STASP0"], ["005930", "000660"])
    sim.advance(2)
    seen = set()
    while len(seen) < 2:
        trade = next_of(listening, "체결")
        seen.add(trade["유가증권단축종목코드"])
        assert trade["영업일자"] == "20261120"
        assert len(trade) == 46
    sim.advance(1)
    book = next_of(listening, "호가")
    assert int(book["매도호가01"]) > int(book["매수호가01"]) > 0


@pytest.mark.parametrize("sim", ["real"], indirect=True)
def test_it_decrypts_the_notices_of_its_own_orders(
    sim: Simulator, client: Any, stream: Callable[..., Any]
) -> None:
    """In the mock profile the library asks for the real host's notices, which are not offered there."""
    sim.world.streams.layout = Layout(old_notices=True)
    listening = stream(["H0STASP0"], ["005930"], "someone")
    placed = client.create_market_buy_order("005930", 4)["output"]
    sim.advance(1)
    receipt, fill = next_of(listening, "체잔"), next_of(listening, "체잔")
    assert receipt["주문번호"] == fill["주문번호"] == placed["ODNO"]
    assert (receipt["체결여부"], fill["체결여부"]) == ("1", "2")
    assert (fill["계좌명"], fill["체결종목명"], int(fill["체결수량"])) == ("홍길동", "삼성전자", 4)
