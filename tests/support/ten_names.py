"""A portfolio of ten names with two mixes to swing between, for what a whole run costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from tests.support.world import NAMES, World, world_of

__all__ = ["MIXES", "Step", "aim", "count_statements", "drive", "ten_names"]

STOCKS = {"069500": 20, "102110": 20, "360750": 20, "133690": 20, "005930": 10, "000660": 10}
BONDS = {"114260": 50, "148070": 50}
METALS = {"411060": 50, "132030": 50}
SUB = {"STOCK": STOCKS, "BOND": BONDS, "ALTERNATIVE": METALS}
MIXES = (
    {"STOCK": 50, "BOND": 30, "ALTERNATIVE": 10, "CASH": 10},
    {"STOCK": 30, "BOND": 40, "ALTERNATIVE": 20, "CASH": 10},
)
HOLDINGS = {"069500": 610, "360750": 590, "005930": 85, "114260": 205, "148070": 78, "411060": 470}
Step = Callable[[str, Callable[[], Any]], Any]
"""Does one piece of a run's work, given the state the run is in, and hands on what it returns."""


@contextmanager
def ten_names(**options: Any) -> Iterator[World]:
    """A world of ten names that is off its first mix; `options` are those of `world_of`."""
    _instruments()
    with world_of(holdings=HOLDINGS, cash=40_000_000, mp=MIXES[0], sub=SUB, **options) as world:
        yield world


def _instruments() -> None:
    """The names beyond those every test world has."""
    from trading.models import Instrument

    for tickers in SUB.values():
        for ticker in tickers:
            if ticker not in NAMES:
                kind = "kospi" if ticker == "000660" else "etf"
                Instrument.objects.create(ticker=ticker, name=ticker, kind=kind)


def aim(world: World, mix: dict[str, int]) -> None:
    """Another mix of the same names, so that the next run has something to do."""
    from portfolio.models import ModelPortfolio, SubPortfolio
    from portfolio.services import create_model_version
    from rebalancing.services.targets import decide_targets

    weights = {name: Decimal(percent).quantize(Decimal("0.01")) for name, percent in mix.items()}
    model = ModelPortfolio.objects.get(code="MP-T")
    subs = [sub.versions.get() for sub in SubPortfolio.objects.all()]
    version = create_model_version(model, weights, by="bench")
    decide_targets(world.account, version, subs, by="bench")


def drive(world: World, step: Step) -> Any:
    """One run from its opening to its end; the opening, the approval and every `run_advance` through
    `step`. Raises AssertionError when it ends in any other way than completed."""
    from rebalancing.models import Run
    from rebalancing.services.advance import run_advance
    from rebalancing.services.approvals import decide_run

    run = step("OPEN", world.open)
    while not run.is_terminal:
        if run.state == "AWAITING_APPROVAL":
            key, shown = run.pk, run.plan_hash
            step(
                run.state,
                lambda key=key, shown=shown: decide_run(key, shown, world.owner, "APPROVE"),
            )
        else:
            if run.due_at is not None and run.due_at > world.now:
                world.sim.advance((run.due_at - world.now).total_seconds())
            step(run.state, lambda key=run.pk: run_advance(key))
        run = Run.objects.get(pk=run.pk)
    if not run.state.startswith("COMPLETED"):
        raise AssertionError(f"the run to be measured ended {run.state}: {run.end_facts}")
    return run


def count_statements(world: World) -> dict[str, int]:
    """Drive one run; the most SQL statements that one step in each state has sent, the worst first."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    most: dict[str, int] = {}

    def counted(state: str, work: Callable[[], Any]) -> Any:
        with CaptureQueriesContext(connection) as queries:
            done = work()
        most[state] = max(most.get(state, 0), len(queries))
        return done

    drive(world, counted)
    return dict(sorted(most.items(), key=lambda row: -row[1]))
