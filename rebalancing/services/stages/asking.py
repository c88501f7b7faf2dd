"""Advice before the plan: the question is written down in one step, asked in the next, read in a third.

Each is a step of its own so that the call begins with a worker's whole time limit before it and holds no
transaction. Nothing here can fail a run: without advice the rules make the plan.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from rebalancing.domain import pipeline
from rebalancing.domain.advice_states import AdviceState
from rebalancing.models import Advice, Run
from rebalancing.planners.gemini import Briefing
from rebalancing.planners.rules import plan_by_rules
from rebalancing.services import advice as record
from rebalancing.services.lease import Driver
from rebalancing.services.market_context import market_context
from rebalancing.services.plans import read_books
from rebalancing.services.stages.common import GO_ON, SNAPSHOT_AGE
from rebalancing.services.stages.inputs import plan_config, targets_of, values_of
from strategies.services.analysts import analyst_for
from trading.models import Instrument
from trading.services.brokers import broker_for
from trading.services.clock import market_clock, wall_seconds

__all__ = ["advice"]

PAUSE = timedelta(seconds=1)
"""Lets the task that prepared the question end, so that another with its full time asks it."""
SPARE = timedelta(seconds=5)
LEAST_SECONDS = 1.0
"""A shorter call is not worth its price."""


def advice(driver: Driver, now: datetime) -> Any:
    """GO_ON when the plan can be made, else when the next step of the asking is due."""
    run = driver.run
    if not run.wants_advice:
        return GO_ON
    found = record.newest(run)
    if found is None:
        return _prepare(run, now)
    if found.state == AdviceState.READY:
        return _ask(run, found, now)
    if found.state == AdviceState.ASKED:
        # whoever asked is gone: this worker holds the run now
        with transaction.atomic():
            record.give_up(found, "advice_lost", now)
    return GO_ON


def _prepare(run: Run, now: datetime) -> Any:
    analyst = analyst_for("planner")
    if analyst is None:
        record.without(run, "advice_no_key", now)
        return now
    assert run.snapshot is not None and run.config is not None
    config, targets = plan_config(run.config, run), targets_of(run)
    tickers = pipeline.tickers_to_trade(values_of(run, {}), targets, config)
    broker, clock = broker_for(run.account), market_clock(run.account)
    books = read_books(broker, tickers)
    looked = clock.now()
    seen = values_of(run, books)
    made = pipeline.make_plan(seen, targets, config, plan_by_rules, generation=run.generation)
    if made.plan is None:
        record.without(run, "advice_no_trades", looked)
        return now
    briefing = Briefing(
        equity=made.drift.equity,
        trades=made.trades,
        names=dict(Instrument.objects.filter(ticker__in=tickers).values_list("ticker", "name")),
        markets=pipeline.markets_of(seen, made.trades),
        context=market_context(run.account, clock),
        rules=config.rules,
        at=looked,
    )
    record.prepare(run, briefing, analyst.model, looked, looked - now)
    return clock.now() + PAUSE


def _ask(run: Run, prepared: Advice, now: datetime) -> Any:
    analyst = analyst_for("planner")
    clock = market_clock(run.account)
    if analyst is None:
        record.give_up(prepared, "advice_no_key", now)
        return now
    analyst.warm_up()
    now = clock.now()
    seconds = min(settings.GEMINI_TIMEOUT, _wall_seconds_left(run, prepared, now))
    if seconds < LEAST_SECONDS:
        record.give_up(prepared, "advice_no_time", now)
        return now
    record.ask(prepared, analyst, now, seconds, clock)
    return clock.now()


def _wall_seconds_left(run: Run, prepared: Advice, now: datetime) -> float:
    """What the snapshot's age leaves for a call, when the books must be read once more after it."""
    assert run.snapshot is not None
    look = timedelta(milliseconds=prepared.look_ms)
    return wall_seconds(run.account, run.snapshot.taken_at + SNAPSHOT_AGE - now - look - SPARE)
