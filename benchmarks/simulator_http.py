"""How fast the KIS simulator answers: orders over one keep-alive connection and without sockets, a whole
market by thirty at once, ticks to four WebSocket sessions.

The simulator of the HTTP and WebSocket figures is a process of its own with its journal on disk, as the
demo's is. No peer: nobody else offers one.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import httpx2
import numpy as np
import websockets.asyncio.client as client

from trading.brokers.kis.client import Credentials, KisClient
from trading.brokers.kis.history import KisHistory
from trading.domain.ports import StoredToken
from trading.simulator import DEMO_APPKEY, DEMO_APPSECRET, Simulator
from trading.simulator.http import Request
from trading.simulator.prices import FileSource

ORDERS = 3_000
MARKET = 2_700
PER_SECOND = 18
TICK_SECONDS = 10
KEYS = {"appkey": DEMO_APPKEY, "appsecret": DEMO_APPSECRET}
RICH = [{**KEYS, "account": "12345678-01", "cash": 10**12}]
START = "2026-11-20T09:35:00+09:00"


def figures() -> dict[str, dict[str, object]]:
    entries = {
        "simulator_orders_inside": _entry(_inside(), "orders/s", 2_000, "World.answer"),
        "simulator_orders_http": _entry(_over_http(), "orders/s", 500, "kis_simulator"),
        "simulator_sweep": _sweep(),
        "simulator_ticks": _entry(asyncio.run(_ticks()), "ticks/s", 5_000, "kis_simulator"),
    }
    return entries


def _entry(values: list[float], unit: str, goal: float, entry: str) -> dict[str, object]:
    return {
        "value": round(statistics.median(values)),
        "unit": unit,
        "goal": f"≥ {goal:,.0f}",
        "peer": None,
        "peer_version": None,
        "peer_value": None,
        "ratio": None,
        "runs": len(values),
        "agree": True,
        "spread": [round(min(values)), round(max(values))],
        "entry": entry,
    }


def _order(code: str, price: int) -> bytes:
    return json.dumps(
        {
            "CANO": "12345678",
            "ACNT_PRDT_CD": "01",
            "PDNO": code,
            "ORD_DVSN": "00",
            "ORD_QTY": "1",
            "ORD_UNPR": str(price),
            "EXCG_ID_DVSN_CD": "KRX",
        }
    ).encode()


def _bodies() -> list[bytes]:
    """Buys of one share in twelve names: some fill, most rest."""
    sim = Simulator(seed=1, throttled=False)
    codes = list(sim.world.market.source.listings)[:12]
    found = []
    for number in range(ORDERS):
        code = codes[number % len(codes)]
        last = sim.world.market.shown(code, sim.now()).last
        found.append(_order(code, last // 1_000 * 1_000 - (number % 3) * 1_000))
    return found


def _inside(runs: int = 3) -> list[float]:
    """Orders a second without sockets, the journal in memory."""
    bodies, rates = _bodies(), []
    for _ in range(runs):
        world = Simulator(seed=1, throttled=False, accounts=RICH).world
        login = json.dumps({"grant_type": "client_credentials", **KEYS}).encode()
        head = {"content-type": "application/json"}
        reply = world.answer(Request("POST", "/oauth2/tokenP", {}, head, login)).reply
        assert reply is not None
        token = json.loads(reply.body)["access_token"]
        headers = head | KEYS | {"authorization": f"Bearer {token}", "tr_id": "TTTC0012U"}
        path = "/uapi/domestic-stock/v1/trading/order-cash"
        began = time.perf_counter()
        taken = 0
        for body in bodies:
            answer = world.answer(Request("POST", path, {}, headers, body)).reply
            assert answer is not None
            taken += b'"rt_cd":"0"' in answer.body
        rates.append(len(bodies) / (time.perf_counter() - began))
        if taken < len(bodies) // 2:
            raise AssertionError(f"only {taken} orders were taken")
    return rates


@contextmanager
def _process(*more: str) -> Iterator[tuple[str, str, str]]:
    """(REST address, WebSocket address, control address) of a simulator in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="jeoul-bench-") as folder:
        ports = [_free_port() for _ in range(3)]
        command = [sys.executable, "-m", "trading.simulator", "--exit-with-parent", "--unthrottled"]
        command += ["--port", str(ports[0]), "--ws-port", str(ports[1])]
        command += ["--control-port", str(ports[2]), "--journal", f"{folder}/journal.jsonl"]
        process = subprocess.Popen([*command, *more], stderr=subprocess.DEVNULL)
        control = f"http://127.0.0.1:{ports[2]}/__sim"
        try:
            _wait(f"{control}/health")
            yield f"http://127.0.0.1:{ports[0]}", f"ws://127.0.0.1:{ports[1]}", control
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def _accounts(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A file of accounts."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(rows, file)
        file.flush()
        yield file.name


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str) -> None:
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        try:
            if httpx2.get(url, trust_env=False).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")


def _post(base: str, path: str, body: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = httpx2.post(base + path, json=body, trust_env=False).json()
    return found


def _over_http() -> list[float]:
    """Orders a second over one keep-alive connection, each answered before the next."""
    bodies, rates = _bodies(), []
    for _ in range(2):
        with (
            _accounts(RICH) as file,
            _process("--speed", "0", "--start", START, "--accounts", file) as (base, _ws, _control),
        ):
            login = {"grant_type": "client_credentials", **KEYS}
            token = _post(base, "/oauth2/tokenP", login)["access_token"]
            headers = {
                "content-type": "application/json",
                "authorization": f"Bearer {token}",
                "tr_id": "TTTC0012U",
                **KEYS,
            }
            connection = http.client.HTTPConnection(base.removeprefix("http://"))
            began = time.perf_counter()
            for body in bodies:
                connection.request(
                    "POST", "/uapi/domestic-stock/v1/trading/order-cash", body, headers
                )
                connection.getresponse().read()
            rates.append(len(bodies) / (time.perf_counter() - began))
            connection.close()
    return rates


class _Pace:
    """One call each eighteenth of a second, what the real limit allows at best, and three per cent more:
    calls spaced exactly at the limit break it as soon as one is late on its way."""

    def __init__(self) -> None:
        self._next = time.perf_counter()

    def acquire(self, lane: str) -> None:
        wait = self._next - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        self._next = max(self._next, time.perf_counter()) + 1.03 / PER_SECOND

    def slow_down(self) -> None:
        raise AssertionError("the simulator said too fast")


class _Kept:
    def __init__(self, token: StoredToken) -> None:
        self._token = token

    def current(self) -> StoredToken:
        return self._token

    def renew(self, dead: str | None) -> StoredToken:
        return self._token


def _market(seed: int, tame: bool) -> FileSource:
    """A market of 2,700 names with ten days each."""
    rng = np.random.default_rng(seed)
    codes = np.repeat([f"{n:06d}" for n in range(100_000, 100_000 + MARKET)], 10)
    days = np.tile(np.arange("2026-11-09", "2026-11-19", dtype="datetime64[D]"), MARKET)
    base = np.repeat(rng.integers(20, 900, MARKET) * 100, 10)
    columns = dict.fromkeys(("open", "high", "low", "close"), base)
    columns |= {"volume": np.full(len(codes), 500_000)}
    return FileSource({"code": codes, "date": days, **columns}, seed, tame)


def _sweep() -> dict[str, object]:
    """Seconds for the whole market at the real profile's rate, against what the rate alone demands."""
    with (
        Simulator(seed=1, source=_market, start=_start()) as sim,
        httpx2.Client(trust_env=False) as web,
    ):
        from trading.brokers.kis.auth import issue_token

        keys = Credentials(DEMO_APPKEY, DEMO_APPSECRET, "12345678-01")
        token = issue_token(sim.base_url, keys, sim.now(), web)
        kis = KisClient(
            base_url=sim.base_url,
            wire="real",
            credentials=keys,
            tokens=_Kept(token),
            budget=_Pace(),
            http=web,
        )
        codes = [f"{n:06d}" for n in range(100_000, 100_000 + MARKET)]
        sim.world.clock.speed = 1.0
        began = time.perf_counter()
        found = KisHistory(kis, sim).glances(codes)
        took = time.perf_counter() - began
    calls = MARKET // 30
    demanded = (calls - 1) / PER_SECOND
    return _entry([took], "s", 0, "KisHistory.glances") | {
        "value": round(took, 2),
        "spread": [round(took, 2)] * 2,
        "goal": f"≤ {demanded * 1.1:.2f}",
        "peer": "the rate limit alone",
        "peer_value": round(demanded, 2),
        "ratio": round(took / demanded, 2),
        "agree": len(found) == MARKET,
    }


def _start() -> Any:
    from datetime import datetime

    from trading.domain.sessions import SEOUL

    return datetime.combine(date(2026, 11, 18), datetime.min.time(), SEOUL).replace(hour=10)


async def _ticks() -> list[float]:
    """Trade records a second that four sessions of different keys receive, at a clock sixty times ours."""
    accounts = [
        {"appkey": f"{n}" * 36, "appsecret": "s" * 180, "account": f"1111111{n}-01"}
        for n in range(4)
    ]
    with (
        _accounts(accounts) as file,
        _process("--speed", "60", "--start", START, "--accounts", file) as (base, ws, control),
    ):
        codes = [row["code"] for row in _instruments(control)][:19]
        counts = [0] * len(accounts)
        tasks = [
            asyncio.create_task(_listen(base, ws, account, codes, counts, i))
            for i, account in enumerate(accounts)
        ]
        rates = []
        await asyncio.sleep(4)
        for _ in range(3):
            before, began = sum(counts), time.perf_counter()
            await asyncio.sleep(TICK_SECONDS / 3)
            rates.append((sum(counts) - before) / (time.perf_counter() - began))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return rates


def _instruments(control: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx2.get(f"{control}/instruments", trust_env=False).json()[
        "instruments"
    ]
    return found


async def _listen(
    base: str, ws: str, account: dict[str, str], codes: list[str], counts: list[int], place: int
) -> None:
    body = {
        "grant_type": "client_credentials",
        "appkey": account["appkey"],
        "secretkey": account["appsecret"],
    }
    approval = _post(base, "/oauth2/Approval", body)["approval_key"]
    header = {"approval_key": approval, "custtype": "P", "tr_type": "1", "content-type": "utf-8"}
    async with client.connect(ws, ping_interval=None, compression=None, proxy=None) as line:
        for tr_id in ("H0STCNT0", "H0UNCNT0"):
            for code in codes:
                wanted = {"input": {"tr_id": tr_id, "tr_key": code}}
                await line.send(json.dumps({"header": header, "body": wanted}))
        async for message in line:
            if message[:2] == "0|":
                counts[place] += int(str(message)[11:14])
            elif "PINGPONG" in str(message):
                await line.send(message)
