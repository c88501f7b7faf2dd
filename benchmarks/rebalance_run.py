"""What one rebalancing of ten names costs us: our own seconds, and the SQL of its worst step.

The simulator has no rate limits, and its clock stands still except for what a run has to wait for; that
waiting is not counted. What is counted, from the opening over the approval to the end, includes the
simulator's own work on each call, because it answers from this process. The statements are those of the
worst of four runs: both faces of the broker, each in a tame market and in a messy one.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks import statements
from benchmarks.place import django_place, entry_of

__all__ = ["figures"]

ENTRY = "rebalancing.services.advance.run_advance"
RUNS = 3


def figures() -> dict[str, dict[str, Any]]:
    """Seconds: median of some runs. Statements: the worst step of one run in each market."""
    with django_place():
        seconds = _seconds()
    return {"rebalance_run_seconds": seconds, "rebalance_run_statements": _statements()}


def _seconds() -> dict[str, Any]:
    from tests.support.ten_names import MIXES, aim, drive, ten_names

    seconds, steps, orders = [], 0, []
    with ten_names() as world:
        for number in range(RUNS):
            timer = _Timer()
            orders.append(_orders_of(drive(world, timer)))
            seconds.append(timer.seconds)
            steps = timer.steps
            aim(world, MIXES[(number + 1) % 2])
    return entry_of(
        round(statistics.median(seconds), 2),
        "s",
        ENTRY,
        RUNS,
        goal=5,
        worst=round(max(seconds), 2),
        steps=steps,
        orders=orders,
    )


def _statements() -> dict[str, Any]:
    found = {
        f"{wire} {manners}": statements.measured(wire, manners)
        for wire, manners in statements.MARKETS
    }
    worst = max(found, key=lambda market: max(found[market].values()))
    state = next(iter(found[worst]))
    return entry_of(
        found[worst][state],
        "SQL statements in a step",
        ENTRY,
        len(found),
        goal=60,
        step=f"{state}, {worst}",
        steps=found,
    )


def _orders_of(run: Any) -> int:
    from trading.models import Intent

    return Intent.objects.filter(origin="run", origin_id=run.pk, action="order").count()


class _Timer:
    """Adds up the seconds of the opening, the approval and every step."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.steps = 0

    def __call__(self, _state: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        done = work()
        self.seconds += time.perf_counter() - start
        self.steps += 1
        return done
