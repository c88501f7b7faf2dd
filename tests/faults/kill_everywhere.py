"""Kill the worker once at each commit and around each order POST; the end must always be the same.

    make storm                 every place, on a PostgreSQL it starts itself
    make storm SEEDS=10-30     only the commits 10 to 30

The simulator's journal is the referee: no request left twice, no order lost, the same final holdings.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NUMBER = "99887766-01"
POINTS = (
    "before_send",
    "before_T2_commit",
    "after_T2_commit",
    "after_reply",
    "before_T3_commit",
    "after_T3_commit",
    "before_run_end_commit",
)
SENDS = 6


@dataclass(frozen=True)
class Outcome:
    """How one killed run ended: its state and the holdings that the exchange knows."""

    state: str
    holdings: dict[str, int]
    killed: bool


def places(first: int = 1, last: int = 60) -> list[str]:
    """Every place to kill at. A run commits some fifty times; a place beyond its end never kills and is
    an ordinary run."""
    around = [f"{point}:{nth}" for point in POINTS for nth in range(1, SENDS + 1)]
    commits = [
        f"{kind}:{k}" for k in range(first, last + 1) for kind in ("before-commit", "commit")
    ]
    return around + commits


def drive(run_id: int, control_url: str, env: dict[str, str]) -> int:
    """Run the child; returns its exit code, −9 when it was killed."""
    command = [sys.executable, "-m", "tests.support.drive_child", str(run_id), control_url]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=100, check=False)
    if done.returncode not in (0, -9):
        raise AssertionError(done.stderr.decode()[-2000:])
    return done.returncode


def child_env(world: Any) -> dict[str, str]:
    """What the child needs to work on the same database and simulator as the test."""
    from django.conf import settings
    from django.db import connection

    made = dict(os.environ)
    row = connection.settings_dict
    if connection.vendor == "sqlite":
        made["DATABASE_URL"] = f"sqlite:///{row['NAME']}"
    else:
        made["DATABASE_URL"] = (
            f"postgresql://{row['USER']}@{row['HOST']}:{row['PORT']}/{row['NAME']}"
        )
    made |= {
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "KIS_REAL_REST_URL": world.sim.base_url,
        "SIM_CLOCK_URL": f"{world.sim.control_url}/__sim/health",
        "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
        "SECRET_KEY": settings.SECRET_KEY,
        "AUDIT_KEY": settings.AUDIT_KEY,
        "KILL_FILE": str(settings.KILL_FILE),
        "LOG_LEVEL": "ERROR",
    }
    return made


def kill_once(world: Any, place: str) -> Outcome:
    """One run, killed at `place`, finished by a second process."""
    from rebalancing.models import Run

    for ticker in ("069500", "360750", "005930", "114260", "148070", "411060"):
        world.sim.set_price(ticker, PRICES[ticker])
    run = world.open()
    env = child_env(world)
    code = drive(run.pk, world.sim.control_url, env | {"JEOUL_CRASH_AT": place})
    if code == -9:
        assert drive(run.pk, world.sim.control_url, env) == 0
    run = Run.objects.get(pk=run.pk)
    if run.state == "PAUSED_UNKNOWN":
        declare_absent(world)
        assert drive(run.pk, world.sim.control_url, env) == 0
        run.refresh_from_db()
    world.settle()
    return Outcome(run.state, world.truth()["positions"][NUMBER], code == -9)


def declare_absent(world: Any) -> None:
    """What a person does when the record says SENDING, the sender is dead and nothing was accepted."""
    from trading.models import Attempt
    from trading.services.reconcile import decide_unknown

    (attempt,) = Attempt.objects.filter(state="UNKNOWN")
    assert attempt.nonce not in {row["nonce"] for row in world.journal("http_req")}
    decide_unknown(attempt.pk, "absent", "owner")


PRICES = {
    "069500": 55_500,
    "360750": 24_500,
    "005930": 98_000,
    "114260": 61_500,
    "148070": 115_000,
    "411060": 28_500,
}


def judge(world: Any) -> None:
    """The journal's verdict on one history."""
    from trading.models import Attempt, BrokerOrder, Ledger, Position

    posts = [row for row in world.journal("http_req") if "/trading/order-" in row["path"]]
    twice = [nonce for nonce, n in Counter(row["nonce"] for row in posts).items() if n > 1]
    assert not twice, f"sent twice: {twice}"
    unknown = {row["nonce"] for row in posts} - set(Attempt.objects.values_list("nonce", flat=True))
    assert not unknown, f"sent without a record: {unknown}"
    accepted = [row["odno"] for row in world.accepted()]
    ours = set(BrokerOrder.objects.exclude(owner=None).values_list("order_no", flat=True))
    assert set(accepted) <= ours, "an accepted order was lost"
    intents = BrokerOrder.objects.exclude(owner=None).values_list("owner_id", flat=True)
    assert len(set(intents)) == len(intents), "one wish, two orders"
    truth = world.truth()
    held = {p.instrument_id: p.quantity for p in Position.objects.filter(quantity__gt=0)}
    assert held == truth["positions"][NUMBER]
    cash = 8_400_000 + sum(
        (row.amount if row.order.side == "SELL" else -row.amount) - row.fee - row.tax
        for row in Ledger.objects.select_related("order")
    )
    assert cash == truth["cash"][NUMBER]["d2_cash"]


def main() -> int:
    sys.path.insert(0, str(ROOT))
    import pytest

    from tests.support.servers import private_servers

    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    with private_servers() as servers:
        os.environ |= {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
        os.environ["KILL_COMMITS"] = chosen or "1-60"
        arguments = ["-q", "-n", "2", "tests/faults/test_kill.py"]
        return int(pytest.main(arguments))


if __name__ == "__main__":
    sys.exit(main())
