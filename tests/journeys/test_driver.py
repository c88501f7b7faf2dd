"""A whole rebalancing from outside: started, looked at, approved and filled without an import.

The second pass of `make test` gives PostgreSQL and Redis, and the same journey then runs with a web
process, a worker and a beat of their own, on a database of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from tests.driver import Driver

pytestmark = [pytest.mark.money, pytest.mark.timeout(400)]
DRY_RUN_ENDS = ("CANCELED", "NO_ACTION", "VETOED", "FAILED")
ENDS = ("COMPLETED", "COMPLETED_WITH_SHORTFALL", "FAILED", "VETOED", "CANCELED")

OPEN = {"DRAFT", "CHECKED", "AUTHORIZED", "SENDING", "UNKNOWN", "ACKED", "PARTIAL", "CANCELING"}


def _own_redis() -> str:
    """A Redis database for each pytest worker."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return f"/{2 + int(worker) % 10}"


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    """Nothing for the embedded default; else a fresh database and a Redis database of this test."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield {}
        return
    import psycopg

    name = f"driver_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield {
            "DATABASE_URL": urlunsplit(urlsplit(url)._replace(path=f"/{name}")),
            # two installations on one queue would take each other's work
            "REDIS_URL": urlunsplit(urlsplit(os.environ["REDIS_URL"])._replace(path=_own_redis())),
        }
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def jeoul(servers: dict[str, str]) -> Iterator[Driver]:
    with Driver() as installation:
        installation.up(env=servers | {"SIM_SPEED": "3"})
        yield installation


def test_a_drifted_account_is_rebalanced_from_outside(jeoul: Driver) -> None:
    demo = jeoul.login("demo")
    looked = jeoul.start_run(demo, dry_run=True)
    assert jeoul.wait_for(looked, *DRY_RUN_ENDS) == "CANCELED"

    run = jeoul.start_run(demo)
    jeoul.wait_for(run, "AWAITING_APPROVAL")
    assert jeoul.decide(demo, run, "yes").status_code == 200
    assert jeoul.wait_for(run, *ENDS, seconds=150) == "COMPLETED"

    rows = jeoul.evidence()
    of = {view: [r for r in rows if r["view"] == view] for view in {r["view"] for r in rows}}
    assert [r["state"] for r in of["run"] if r["id"] == run] == ["COMPLETED"]
    assert not {r["state"] for r in of["intent"]} & OPEN
    assert len(of["attempt"]) >= len(of["border"]) > 0
    assert jeoul.status(intent_id=of["intent"][0]["id"]) == of["intent"][0]["state"]


def test_a_stopped_desk_refuses_a_run_and_says_so(jeoul: Driver) -> None:
    trader = jeoul.login("trader")
    assert jeoul.kill("cli", "halt")["done"]
    account = trader.get("/api/macro-trading/rebalancing/status").json()["account"]
    body = {"account": account, "dry_run": False}
    answer = trader.send("POST", "/api/macro-trading/rebalancing/runs", body, key=uuid4().hex)
    assert answer.status_code == 422
    assert "trading_stopped" in [row["code"] for row in answer.json()["violations"]]
    assert jeoul.kill("cli", "release")["done"]


def test_what_does_not_exist_yet_says_so(jeoul: Driver) -> None:
    trader = jeoul.login("trader")
    assert jeoul.manual(trader, "005930", "BUY", 1, "MKT", uuid4().hex).status_code == 404
    assert jeoul.bot(trader, "start", {"mode": "paper"}).status_code == 404
