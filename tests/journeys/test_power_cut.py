"""The demo loses its power in the middle of a run; the next start goes on with the same market."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.driver import Driver, Session, wait_until

pytestmark = pytest.mark.timeout(300)
ENDS = ("COMPLETED", "COMPLETED_WITH_SHORTFALL", "FAILED", "VETOED", "CANCELED")
SPEED = {"SIM_SPEED": "3"}


def test_a_run_cut_short_twice_by_a_lost_demo_ends_as_one() -> None:
    with Driver() as jeoul:
        jeoul.up(env=SPEED)
        run = approved_run(jeoul, jeoul.login("demo"))
        for orders, how in ((1, signal.SIGKILL), (4, signal.SIGINT)):
            wait_until(lambda n=orders: len(accepted(jeoul)) >= n, f"{orders} orders are accepted")
            before = journal(jeoul)
            port = urlsplit(jeoul.facts()["kis_real"]).port
            assert port
            jeoul.down("up", how)
            with occupied(port):  # the world comes back at another address
                jeoul.up(env=SPEED)
            assert journal(jeoul)[: len(before)] == before, "the same world, not a new one"
            assert urlsplit(jeoul.facts()["kis_real"]).port != port
        assert jeoul.wait_for(run, *ENDS, seconds=90) == "COMPLETED"
        evidence = jeoul.evidence()
        orders = [row for row in evidence if row["view"] == "border"]
        assert {row["side"].lower() for row in orders} == {"buy", "sell"}
        assert {row["odno_key"][-10:] for row in orders} == {row["odno"] for row in accepted(jeoul)}
        assert not [row for row in orders if row["source"] == "EXTERNAL"]
        filled: dict[str, int] = {}
        for row in journal(jeoul):
            if row["kind"] == "fill":
                filled[row["odno"]] = filled.get(row["odno"], 0) + row["qty"]
        assert {o["odno_key"][-10:]: o["cum_qty"] for o in orders if o["cum_qty"]} == filled
        nonces = [
            row["nonce"] for row in journal(jeoul) if "/trading/order-" in row.get("path", "")
        ]
        assert len(nonces) == len(set(nonces))
        issued = [row for row in journal(jeoul) if row["kind"] == "token_issue"]
        assert len(issued) == 1, "a broker at another port still takes the token it gave"


@contextmanager
def occupied(port: int) -> Iterator[None]:
    """Somebody else listens on `port` as soon as the one who did is gone."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wait_until(lambda: _bound(listener, port), "the old simulator leaves its port", seconds=20)
        listener.listen()
        yield


def _bound(listener: socket.socket, port: int) -> bool:
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def approved_run(jeoul: Driver, demo: Session) -> int:
    run = jeoul.start_run(demo)
    jeoul.wait_for(run, "AWAITING_APPROVAL")
    assert jeoul.decide(demo, run, "yes").status_code == 200
    return run


def journal(jeoul: Driver) -> list[dict[str, Any]]:
    """Everything the simulator has on disk, all days."""
    files = sorted((jeoul.folder / "demo").glob("journal-*.jsonl"))
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    return [json.loads(line) for line in text.splitlines()]


def accepted(jeoul: Driver) -> list[dict[str, Any]]:
    return [row for row in journal(jeoul) if row["kind"] == "accepted"]
