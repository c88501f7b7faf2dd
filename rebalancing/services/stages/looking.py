"""From the account as it is to the plan: look, compare with the targets, net, plan."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from portfolio.domain.allocation import groups_of
from portfolio.domain.drift import calculate_drift
from rebalancing.domain import pipeline
from rebalancing.domain.states import RunState
from rebalancing.models import Leg
from rebalancing.planners.rules import plan_by_rules
from rebalancing.services.advice import Settled, settled_advice
from rebalancing.services.lease import Driver
from rebalancing.services.legs import unanswered
from rebalancing.services.plans import costs_of_legs, outcome_json, read_books
from rebalancing.services.stages import asking
from rebalancing.services.stages.common import GO_ON, POLL, SNAPSHOT_AGE, Due, end_run
from rebalancing.services.stages.inputs import plan_config, targets_of, values_of
from trading.domain.errors import BrokerError
from trading.domain.quotes import OrderBook
from trading.models import BrokerOrder, Lane
from trading.services.brokers import broker_for
from trading.services.clock import market_clock
from trading.services.reconcile import reconcile_account
from trading.services.snapshots import take_snapshot

__all__ = ["created", "drift", "netted", "snapshot", "targets"]


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
        orders = [order.identity for order in working]
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
    seen, targets = values_of(run, {}), targets_of(run)
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
    """Fix the trades, look at their books, ask for advice where that is wanted, and make the plan."""
    if (waiting := asking.advice(driver, now)) is not GO_ON:
        return waiting  # type: ignore[no-any-return]
    run = driver.run
    assert run.snapshot is not None and run.config is not None
    config, targets = plan_config(run.config, run), targets_of(run)
    tickers = pipeline.tickers_to_trade(values_of(run, {}), targets, config)
    books = read_books(broker_for(run.account), tickers)
    now = market_clock(run.account).now()
    if now - run.snapshot.taken_at > SNAPSHOT_AGE:
        end_run(driver, RunState.FAILED, now, "snapshot_too_old", {})
        return None
    seen, told = values_of(run, books), settled_advice(run)
    made = pipeline.make_plan(
        seen,
        targets,
        config,
        plan_by_rules,
        generation=run.generation,
        advice=told.plan,
        no_advice=told.reasons,
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
    ruled = made
    if told.plan is not None:  # what the rules would have done, to stand beside the advice
        ruled = pipeline.make_plan(seen, targets, config, plan_by_rules, generation=run.generation)
    _write_plan(driver, now, made, outcome, books, told, ruled)
    return now


def _write_plan(
    driver: Driver,
    now: datetime,
    made: pipeline.PlanOutcome,
    outcome: dict[str, object],
    books: dict[str, OrderBook],
    told: Settled,
    ruled: pipeline.PlanOutcome,
) -> None:
    """The plan, its legs and lanes, and what became of the advice, in one transaction."""
    run, plan = driver.run, made.plan
    assert plan is not None and ruled.plan is not None
    costs = costs_of_legs(run.account, plan.legs, plan.references, books, now)
    with transaction.atomic():
        driver.move(
            RunState.PLANNED,
            at=now,
            outcome=outcome,
            planner=plan.planner,
            plan={"canonical": plan.canonical, "costs": costs},
            plan_hash=plan.plan_hash,
        )
        told.settle(made.discarded, ruled.plan.legs, now)
        Leg.objects.bulk_create(
            Leg(
                run=run,
                generation=run.generation,
                number=number,
                instrument_id=leg.ticker,
                side=str(leg.side),
                quantity=leg.quantity,
                reference_price=plan.references[leg.ticker],
                order_type=str(leg.order_type),
                price_strategy=leg.price_strategy or "",
                limit_price=leg.limit_price,
                slices=list(leg.slices),
                reason=leg.reason,
                expected_cost=costs[number]["total"],
            )
            for number, leg in enumerate(plan.legs)
        )
        Lane.objects.bulk_create(
            (
                Lane(account_id=run.account_id, instrument_id=leg.ticker, side=str(leg.side))
                for leg in plan.legs
            ),
            ignore_conflicts=True,
        )
