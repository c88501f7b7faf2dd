"""From the account as it is to the plan: look, compare with the targets, net, plan."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from portfolio.domain.allocation import groups_of
from portfolio.domain.drift import calculate_drift
from rebalancing.domain import pipeline
from rebalancing.domain.states import RunState
from rebalancing.models import Leg, RebalancingConfig, Run
from rebalancing.planners.rules import plan_by_rules
from rebalancing.services.lease import Driver
from rebalancing.services.legs import unanswered
from rebalancing.services.plans import costs_of_legs, outcome_json, read_books
from rebalancing.services.stages.common import POLL, SNAPSHOT_AGE, Due, end_run
from rebalancing.services.targets import get_target_mp_allocation, get_target_sub_mp_allocation
from trading.domain.errors import BrokerError
from trading.domain.instruments import InstrumentKind
from trading.models import BrokerOrder, Instrument, Lane, Snapshot
from trading.services.brokers import broker_for
from trading.services.clock import market_clock
from trading.services.reconcile import reconcile_account
from trading.services.snapshots import take_snapshot

__all__ = ["created", "drift", "netted", "plan_config", "snapshot", "targets"]


def created(driver: Driver, now: datetime) -> Due:
    with transaction.atomic():
        driver.move(RunState.SNAPSHOT, at=now)
    return now


def snapshot(driver: Driver, now: datetime) -> Due:
    """A whole look at the account. Nothing of ours or anybody's may be working meanwhile."""
    run = driver.run
    found = reconcile_account(run.account)
    if not found.complete:
        raise BrokerError("the order list is incomplete")
    if unanswered(run).exists():
        return now + POLL
    working = BrokerOrder.objects.filter(account=run.account, trade_date=now.date(), is_final=False)
    if not run.dry_run and working.exists():
        orders = [str(order) for order in working]
        end_run(driver, RunState.FAILED, now, "open_orders", {"orders": orders})
        return None
    assert run.target is not None
    tickers = [t for tickers in run.target.snapshot["sub"].values() for t in tickers]
    snapshot = take_snapshot(run.account, tickers)
    with transaction.atomic():
        driver.move(RunState.TARGETS, at=market_clock(run.account).now(), snapshot=snapshot)
    return now


def targets(driver: Driver, now: datetime) -> Due:
    with transaction.atomic():
        driver.move(RunState.DRIFT, at=now)
    return now


def drift(driver: Driver, now: datetime) -> Due:
    run = driver.run
    seen, targets = _values(run, {}), _target_values(run)
    assert run.config is not None
    config = plan_config(run.config, run)
    report = calculate_drift(
        seen.cash,
        seen.holdings,
        seen.prices,
        groups_of(targets.mp, targets.sub),
        targets.mp,
        targets.sub,
        config.mp_threshold,
        config.sub_threshold,
    )
    outcome = {
        "drift": {
            "equity": report.equity,
            "cash": seen.cash,
            "mp": {k: str(round(v, 4)) for k, v in report.mp.items()},
            "sub": {k: str(round(v, 4)) for k, v in report.sub.items()},
            "triggers": [[t.level, t.name] for t in report.triggers],
        }
    }
    if not config.calls_for(report):
        with transaction.atomic():
            driver.move(
                RunState.NO_ACTION,
                at=now,
                outcome=outcome,
                terminal_at=now,
                due_at=None,
                end_reason="inside_bands",
            )
        return None
    with transaction.atomic():
        driver.move(RunState.NETTED, at=now, outcome=outcome)
    return now


def netted(driver: Driver, now: datetime) -> Due:
    """Fix the trades, look at their books, and make the plan."""
    run = driver.run
    assert run.snapshot is not None and run.config is not None
    config, targets = plan_config(run.config, run), _target_values(run)
    tickers = pipeline.tickers_to_trade(_values(run, {}), targets, config)
    books = read_books(broker_for(run.account), tickers)
    now = market_clock(run.account).now()
    if now - run.snapshot.taken_at > SNAPSHOT_AGE:
        end_run(driver, RunState.FAILED, now, "snapshot_too_old", {})
        return None
    made = pipeline.make_plan(
        _values(run, books), targets, config, plan_by_rules, generation=run.generation
    )
    outcome = run.outcome | outcome_json(made)
    if made.plan is None:
        with transaction.atomic():
            driver.move(
                RunState.NO_ACTION,
                at=now,
                outcome=outcome,
                terminal_at=now,
                due_at=None,
                end_reason="all_trades_too_small",
            )
        return None
    costs = costs_of_legs(run.account, made.plan.legs, made.plan.references, books, now)
    with transaction.atomic():
        driver.move(
            RunState.PLANNED,
            at=now,
            outcome=outcome,
            plan={"canonical": made.plan.canonical, "costs": costs},
            plan_hash=made.plan.plan_hash,
        )
        Leg.objects.bulk_create(
            Leg(
                run=run,
                generation=run.generation,
                number=number,
                instrument_id=leg.ticker,
                side=str(leg.side),
                quantity=leg.quantity,
                reference_price=made.plan.references[leg.ticker],
                order_type=str(leg.order_type),
                price_strategy=leg.price_strategy or "",
                limit_price=leg.limit_price,
                slices=list(leg.slices),
                reason=leg.reason,
                expected_cost=costs[number]["total"],
            )
            for number, leg in enumerate(made.plan.legs)
        )
        Lane.objects.bulk_create(
            (
                Lane(account_id=run.account_id, instrument_id=leg.ticker, side=str(leg.side))
                for leg in made.plan.legs
            ),
            ignore_conflicts=True,
        )
    return now


def _values(run: Run, books: dict[str, Any]) -> pipeline.Snapshot:
    """The stored snapshot as the pure code wants it."""
    snapshot: Snapshot = run.snapshot  # type: ignore[assignment]
    known = {i.ticker: i for i in Instrument.objects.filter(ticker__in=snapshot.quotes)}
    untradable = {
        ticker
        for ticker, quote in snapshot.quotes.items()
        if quote["halted"] or ticker not in known or not known[ticker].tradable
    }
    return pipeline.Snapshot(
        account_id=str(run.account_id),
        cash=snapshot.cash,
        holdings={t: row["quantity"] for t, row in snapshot.holdings.items()},
        prices={t: quote["last"] for t, quote in snapshot.quotes.items()},
        kinds={t: InstrumentKind(i.kind) for t, i in known.items()},
        books=books,
        daily_volumes={
            t: quote["previous_volume"]
            for t, quote in snapshot.quotes.items()
            if quote.get("previous_volume")
        },
        untradable=frozenset(untradable),
    )


def _target_values(run: Run) -> pipeline.Targets:
    assert run.target is not None
    return pipeline.Targets(
        mp=get_target_mp_allocation(run.target), sub=get_target_sub_mp_allocation(run.target)
    )


def plan_config(config: RebalancingConfig, run: Run) -> pipeline.PlanConfig:
    return pipeline.PlanConfig(
        mp_threshold=config.mp_threshold_percent,
        sub_threshold=config.sub_mp_threshold_percent,
        min_trade=config.min_trade_won,
        buffer=config.cash_buffer_percent / 100,
        commission=run.account.commission,
        inside_bands=run.ignores_bands,
        flow=run.flow,
    )
