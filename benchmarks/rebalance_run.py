"""What one rebalancing of ten names costs us: our own seconds, and the SQL of its worst step.

The simulator is tame, without rate limits, and its clock stands still except for what a run has to
wait for; that waiting is not counted. What is counted includes the simulator's own work on each
call, because it answers from this process.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from benchmarks.place import django_place, entry_of

__all__ = ["figures"]

ENTRY = "rebalancing.services.advance.run_advance"
RUNS = 3
STOCKS = {"069500": 20, "102110": 20, "360750": 20, "133690": 20, "005930": 10, "000660": 10}
BONDS = {"114260": 50, "148070": 50}
METALS = {"411060": 50, "132030": 50}
SUB = {"STOCK": STOCKS, "BOND": BONDS, "ALTERNATIVE": METALS}
MIXES = (
    {"STOCK": 50, "BOND": 30, "ALTERNATIVE": 10, "CASH": 10},
    {"STOCK": 30, "BOND": 40, "ALTERNATIVE": 20, "CASH": 10},
)
HOLDINGS = {"069500": 610, "360750": 590, "005930": 85, "114260": 205, "148070": 78, "411060": 470}
Step = Callable[[Any], None]


def figures() -> dict[str, dict[str, Any]]:
    """Seconds: median of some runs. Statements: the worst step of one more run."""
    with django_place():
        from tests.support.world import world_of

        _instruments()
        with world_of(holdings=HOLDINGS, cash=40_000_000, mp=MIXES[0], sub=SUB) as world:
            seconds, steps, orders = [], 0, []
            for number in range(RUNS):
                timer = _Timer()
                run = _drive(world, timer)
                seconds.append(timer.seconds)
                steps = timer.steps
                orders.append(_orders_of(run))
                _aim(world, MIXES[(number + 1) % 2])
            counter = _Counter()
            _drive(world, counter)
    worst = max(counter.most, key=lambda name: counter.most[name])
    return {
        "rebalance_run_seconds": entry_of(
            round(statistics.median(seconds), 2),
            "s",
            ENTRY,
            RUNS,
            goal=5,
            worst=round(max(seconds), 2),
            steps=steps,
            orders=orders,
        ),
        "rebalance_run_statements": entry_of(
            counter.most[worst],
            "SQL statements in a step",
            ENTRY,
            1,
            goal=60,
            step=worst,
            steps=dict(sorted(counter.most.items(), key=lambda row: -row[1])),
        ),
    }


def _instruments() -> None:
    """The names beyond those every test world has."""
    from tests.support.world import NAMES
    from trading.models import Instrument

    for tickers in SUB.values():
        for ticker in tickers:
            if ticker not in NAMES:
                kind = "kospi" if ticker == "000660" else "etf"
                Instrument.objects.create(ticker=ticker, name=ticker, kind=kind)


def _aim(world: Any, mix: dict[str, int]) -> None:
    """Another mix of the same names, so that the next run has something to do."""
    from portfolio.models import ModelPortfolio, SubPortfolio
    from portfolio.services import create_model_version
    from rebalancing.services.targets import decide_targets

    weights = {name: Decimal(percent).quantize(Decimal("0.01")) for name, percent in mix.items()}
    model = ModelPortfolio.objects.get(code="MP-T")
    subs = [sub.versions.get() for sub in SubPortfolio.objects.all()]
    version = create_model_version(model, weights, by="bench")
    decide_targets(world.account, version, subs, by="bench")


def _orders_of(run: Any) -> int:
    from trading.models import Intent

    return Intent.objects.filter(origin="run", origin_id=run.pk, action="order").count()


def _drive(world: Any, step: Step) -> Any:
    """One run from its opening to its end, every `run_advance` through `step`."""
    from rebalancing.models import Run
    from rebalancing.services.approvals import decide_run

    run = world.open()
    while not run.is_terminal:
        if run.state == "AWAITING_APPROVAL":
            decide_run(run.pk, run.plan_hash, world.owner, "APPROVE")
        else:
            if run.due_at is not None and run.due_at > world.now:
                world.sim.advance((run.due_at - world.now).total_seconds())
            step(run)
        run = Run.objects.get(pk=run.pk)
    if not run.state.startswith("COMPLETED"):
        raise AssertionError(f"the run to be measured ended {run.state}: {run.end_facts}")
    return run


class _Timer:
    """Adds up the seconds spent inside `run_advance`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.steps = 0

    def __call__(self, run: Any) -> None:
        from rebalancing.services.advance import run_advance

        start = time.perf_counter()
        run_advance(run.pk)
        self.seconds += time.perf_counter() - start
        self.steps += 1


class _Counter:
    """Keeps the most statements that one step of each state has sent."""

    def __init__(self) -> None:
        self.most: dict[str, int] = {}

    def __call__(self, run: Any) -> None:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        from rebalancing.services.advance import run_advance

        with CaptureQueriesContext(connection) as queries:
            run_advance(run.pk)
        self.most[run.state] = max(self.most.get(run.state, 0), len(queries))
