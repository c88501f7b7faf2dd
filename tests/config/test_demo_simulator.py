"""The demo's market from start to start: the next day, the same day again, a child that dies."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from config.runtime.simulator import DemoSimulator
from tests.driver import wait_until

# one account and one set of ports for each pytest worker: two demos of one account would take each other
# for themselves, and one that dies would find its usual port taken by the other
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
NUMBER = f"123456{WORKER:02}-01"
PORTS = (19_443 + 10 * WORKER, 19_444 + 10 * WORKER, 19_445 + 10 * WORKER)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    row = {"appkey": "k" * 36, "appsecret": "s" * 180, "account": NUMBER, "cash": 5_000_000}
    row["holdings"] = {"069500": 10}
    (tmp_path / "accounts.json").write_text(json.dumps([row]), encoding="utf-8")
    return tmp_path


@pytest.fixture
def first(folder: Path) -> Iterator[DemoSimulator]:
    simulator = DemoSimulator(folder, ports=PORTS)
    simulator.start()
    yield simulator
    simulator.stop()


def ask(simulator: DemoSimulator, what: str) -> Any:
    return httpx2.get(f"{simulator.control_url}/{what}", trust_env=False).json()


def buy(simulator: DemoSimulator, quantity: int) -> None:
    order = {"account": NUMBER, "ticker": "069500", "side": "buy", "qty": quantity, "price": None}
    url = f"{simulator.control_url}/manual_order"
    assert httpx2.post(url, json=order, trust_env=False).json()["accepted"]


def lose_power(simulator: DemoSimulator) -> None:
    """Nothing is saved any more and the child is gone."""
    simulator._stopping.set()
    with simulator._turn:
        assert simulator._child is not None
        simulator._child.kill()
        simulator._child.wait(10)


def test_a_start_that_finds_work_half_done_goes_on_in_the_same_world(
    first: DemoSimulator, folder: Path
) -> None:
    buy(first, 3)
    truth, health = ask(first, "truth"), ask(first, "health")
    lose_power(first)
    again = DemoSimulator(folder, resume=True, ports=PORTS)
    again.start()
    try:
        assert again.resumed
        assert ask(again, "truth")["orders"][0]["odno"] == truth["orders"][0]["odno"]
        assert ask(again, "health")["vt"][:16] >= health["vt"][:16]
        assert ask(again, "health")["vt"][:10] == health["vt"][:10]
    finally:
        again.stop()


def test_the_next_day_begins_with_the_last_fill_of_the_day_before(
    first: DemoSimulator, folder: Path
) -> None:
    buy(first, 3)
    truth, day = ask(first, "truth"), ask(first, "health")["vt"][:10]
    lose_power(first)
    (folder / "world.json").write_text("{}", encoding="utf-8")
    again = DemoSimulator(folder, ports=PORTS)
    again.start()
    try:
        assert not again.resumed
        assert ask(again, "health")["vt"][:10] > day
        assert ask(again, "truth")["positions"] == truth["positions"]
        assert ask(again, "truth")["cash"][NUMBER]["d2_cash"] == truth["cash"][NUMBER]["d2_cash"]
    finally:
        again.stop()


def test_a_broker_that_dies_comes_back_on_the_same_port(first: DemoSimulator) -> None:
    buy(first, 3)
    truth = ask(first, "truth")
    dead = first._child
    assert dead is not None
    dead.kill()
    wait_until(lambda: first._child is not dead and _answers(first), "it comes back")
    assert ask(first, "truth") == truth


def test_another_demo_on_the_same_port_is_never_taken_for_ours(
    first: DemoSimulator, tmp_path: Path
) -> None:
    ours = tmp_path / "ours"
    ours.mkdir()
    row = {"appkey": "o" * 36, "appsecret": "s" * 180, "account": "87654321-01", "cash": 1}
    (ours / "accounts.json").write_text(json.dumps([row]), encoding="utf-8")
    simulator = DemoSimulator(ours, ports=PORTS)
    simulator.port, simulator.control_port = first.port, first.control_port
    simulator.start()
    try:
        assert simulator.port != first.port
        assert list(ask(simulator, "truth")["cash"]) == ["87654321-01"]
    finally:
        simulator.stop()


def test_the_world_of_a_demo_that_took_our_port_is_not_kept_as_ours(
    first: DemoSimulator, tmp_path: Path
) -> None:
    ours = tmp_path / "ours"
    ours.mkdir()
    row = {"appkey": "o" * 36, "appsecret": "s" * 180, "account": "87654321-01", "cash": 1}
    (ours / "accounts.json").write_text(json.dumps([row]), encoding="utf-8")
    dead = DemoSimulator(ours, ports=PORTS)
    dead.control_port = first.control_port
    dead._save()
    assert not (ours / "world.json").exists()
    first._save()
    assert NUMBER in (first.folder / "world.json").read_text(encoding="utf-8")


def _answers(simulator: DemoSimulator) -> bool:
    try:
        return bool(ask(simulator, "health"))
    except httpx2.HTTPError:
        return False


@pytest.mark.parametrize(
    "journal", [None, '{"seq":1,"kind":"clock","vt":"2026-11-20T09:35+09:00"}\n']
)
def test_what_cannot_be_gone_on_with_is_left_behind(folder: Path, journal: str | None) -> None:
    if journal is not None:
        (folder / "journal-20261120.jsonl").write_text(journal, encoding="utf-8")
    simulator = DemoSimulator(folder, resume=True, ports=PORTS)
    simulator.start()
    try:
        assert not simulator.resumed
        assert ask(simulator, "truth")["positions"] == {NUMBER: {"069500": 10}}
    finally:
        simulator.stop()
