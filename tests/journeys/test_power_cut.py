"""The demo loses its power in the middle of a run; the next start goes on with the same market."""

from __future__ import annotations

import json
import signal
from typing import Any

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
            jeoul.down("up", how)
            jeoul.up(env=SPEED)
            assert journal(jeoul)[: len(before)] == before, "the same world, not a new one"
        # COMPLETED is what a person expects. A start that finds no usable token is refused a new one for
        # a minute (EGW00133), which at this speed is a whole selling deadline: the run then ends short.
        ended = jeoul.wait_for(run, *ENDS, seconds=90)
        assert ended in ("COMPLETED", "COMPLETED_WITH_SHORTFALL")
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
