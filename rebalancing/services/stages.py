"""One step of a run at a time: each function reads what it needs, then commits one move.

A step may be repeated after a crash anywhere. Reads from the broker happen outside transactions; the
move that follows is conditional on the state the step started from.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction

from portfolio.domain.allocation import groups_of
from portfolio.domain.drift import calculate_drift
from rebalancing.domain import pipeline
from rebalancing.domain.netting import Side
from rebalancing.domain.planning import adjust_buy_quantities
from rebalancing.domain.states import BEFORE_SELLING, RunState
from rebalancing.models import Leg, RebalancingConfig, Run
from rebalancing.planners.rules import plan_by_rules
from rebalancing.services import execution, history
from rebalancing.services.approvals import (
    approval_of,
    approve_by_policy,
    automatic_grounds,
    policy_of,
)
from rebalancing.services.lease import Driver
from rebalancing.services.news import announce
from rebalancing.services.plans import costs_of_legs, outcome_json, read_books
from rebalancing.services.targets import get_target_mp_allocation, get_target_sub_mp_allocation
from trading.domain.cash import usable_cash
from trading.domain.errors import (
    BrokerError,
    InputError,
    JeoulError,
    Reason,
    RuleViolation,
)
from trading.domain.instruments import InstrumentKind
from trading.models import Alert, BrokerOrder, Instrument, Snapshot
from trading.services.alerts import alert
from trading.services.brokers import broker_for
from trading.services.calendar import market_phase, run_cutoffs
from trading.services.clock import market_clock
from trading.services.crashpoints import crashpoint
from trading.services.reconcile import reconcile_account
from trading.services.snapshots import compare_positions, take_snapshot
from trading.services.switches import switch_state

__all__ = ["resumed_deadline", "step"]

log = structlog.get_logger(__name__)

Due = datetime | None
NOW = timedelta(0)
POLL = timedelta(seconds=3)
RETRY = timedelta(seconds=4)
SNAPSHOT_AGE = timedelta(seconds=60)
APPROVAL_TTL = timedelta(minutes=10)
PLANNING_LIMIT = timedelta(minutes=5)
MARKETABLE_WAIT = timedelta(seconds=180)
CASH_WAIT = timedelta(seconds=60)
SETTLE_WAIT = timedelta(seconds=60)
LEG_MOVE = Decimal("0.02")
PLAN_MOVE = Decimal("0.01")


def step(driver: Driver) -> Due:
    """Do one step and say when the next is due; None when a person or nothing is awaited.

    What the broker cannot answer now is asked again; what can never work ends the run truthfully.
    """
    run = driver.run
    now = market_clock(run.account).now()
    if (ended := _must_stop(driver, now)) is not _GO_ON:
        return ended
    try:
        due = _STEPS[RunState(run.state)](driver, now)
    except BrokerError as error:
        return _broker_silent(driver, now, error)
    except (InputError, RuleViolation) as error:
        if run.state not in BEFORE_SELLING:
            raise
        _end(driver, RunState.FAILED, now, "cannot_plan", _facts(error))
        return None
    if due is not None:
        Run.objects.filter(pk=run.pk, terminal_at=None).update(due_at=due)
    return due


_GO_ON = object()


def _must_stop(driver: Driver, now: datetime) -> Any:
    """The kill switch, a person's stop and the end of the day come before every step."""
    run = driver.run
    if run.state in BEFORE_SELLING and run.state != RunState.AWAITING_APPROVAL:
        if not run.dry_run and switch_state(run.account) != "ACTIVE":
            return _end(driver, RunState.CANCELED, now, "trading_stopped", {})
        if not run.dry_run and now > run.deadline_at:
            return _end(driver, RunState.CANCELED, now, "too_late_today", {})
    sending = run.state in _SENDING
    if sending and switch_state(run.account) == "HALTED":
        with transaction.atomic():
            driver.move(RunState.HALTED, at=now, reason="trading_stopped", due_at=now)
        return now
    if sending and now.date() > run.created_at.astimezone(now.tzinfo).date():
        with transaction.atomic():
            driver.move(RunState.FINAL_RECON, at=now, reason="next_day", due_at=now)
        return now
    return _GO_ON


def _broker_silent(driver: Driver, now: datetime, error: BrokerError) -> Due:
    run = driver.run
    log.warning("broker_silent", run_id=run.pk, state=run.state, error=str(error))
    planning = run.state in BEFORE_SELLING and run.state != RunState.AWAITING_APPROVAL
    if planning and now - run.state_since > PLANNING_LIMIT:
        _end(driver, RunState.FAILED, now, "broker_unavailable", {"why": str(error)[:100]})
        return None
    due = now + RETRY
    Run.objects.filter(pk=run.pk, terminal_at=None).update(due_at=due)
    return due


def _end(driver: Driver, to: RunState, now: datetime, reason: str, facts: dict[str, Any]) -> None:
    run = driver.run
    with transaction.atomic():
        driver.move(
            to,
            at=now,
            reason=reason,
            terminal_at=now,
            due_at=None,
            end_reason=reason,
            end_facts=facts,
        )
        execution.revoke_authorized(run, now, reason)
        if to in (RunState.FAILED, RunState.VETOED):
            alert("run_" + str(to).lower(), account=run.account, run_id=run.pk, reason=reason)


def _facts(error: JeoulError) -> dict[str, Any]:
    reasons: tuple[Reason, ...] = getattr(error, "reasons", ())
    return {
        "reasons": [{"code": r.code, **{k: str(v) for k, v in r.facts.items()}} for r in reasons]
    }


# --- looking ---------------------------------------------------------------------------------
def _created(driver: Driver, now: datetime) -> Due:
    with transaction.atomic():
        driver.move(RunState.SNAPSHOT, at=now)
    return now


def _snapshot(driver: Driver, now: datetime) -> Due:
    """A whole look at the account. Nothing of ours or anybody's may be working meanwhile."""
    run = driver.run
    found = reconcile_account(run.account)
    if not found.complete:
        raise BrokerError("the order list is incomplete")
    if execution.unanswered(run).exists():
        return now + POLL
    working = BrokerOrder.objects.filter(account=run.account, trade_date=now.date(), is_final=False)
    if not run.dry_run and working.exists():
        orders = [str(order) for order in working]
        _end(driver, RunState.FAILED, now, "open_orders", {"orders": orders})
        return None
    assert run.target is not None
    tickers = [t for tickers in run.target.snapshot["sub"].values() for t in tickers]
    snapshot = take_snapshot(run.account, tickers)
    with transaction.atomic():
        driver.move(RunState.TARGETS, at=market_clock(run.account).now(), snapshot=snapshot)
    return now


def _targets(driver: Driver, now: datetime) -> Due:
    with transaction.atomic():
        driver.move(RunState.DRIFT, at=now)
    return now


def _drift(driver: Driver, now: datetime) -> Due:
    run = driver.run
    seen, targets = _values(run, {}), _target_values(run)
    assert run.config is not None
    report = calculate_drift(
        seen.cash,
        seen.holdings,
        seen.prices,
        groups_of(targets.mp, targets.sub),
        targets.mp,
        targets.sub,
        run.config.mp_threshold_percent,
        run.config.sub_mp_threshold_percent,
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
    if not report.needed:
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


def _netted(driver: Driver, now: datetime) -> Due:
    """Fix the trades, look at their books, and make the plan."""
    run = driver.run
    assert run.snapshot is not None and run.config is not None
    config, targets = plan_config(run.config, run), _target_values(run)
    tickers = pipeline.tickers_to_trade(_values(run, {}), targets, config)
    books = read_books(broker_for(run.account), tickers)
    now = market_clock(run.account).now()
    if now - run.snapshot.taken_at > SNAPSHOT_AGE:
        _end(driver, RunState.FAILED, now, "snapshot_too_old", {})
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
    )


# --- deciding --------------------------------------------------------------------------------
def _planned(driver: Driver, now: datetime) -> Due:
    with transaction.atomic():
        driver.move(RunState.RULES, at=now)
    return now


def _rules(driver: Driver, now: datetime) -> Due:
    run = driver.run
    failed = [c for c in run.outcome["checks"] if c["verdict"] == "FAIL"]
    if failed:
        _end(driver, RunState.VETOED, now, "checks_failed", {"checks": failed})
        return None
    if run.dry_run:
        _end(driver, RunState.CANCELED, now, "dry_run", {})
        return None
    needs_person = any(c["verdict"] == "NEEDS_PERSON" for c in run.outcome["checks"])
    grounds = automatic_grounds(run, needs_person=needs_person)
    with transaction.atomic():
        driver.move(
            RunState.AWAITING_APPROVAL,
            at=now,
            plan_expires_at=now + APPROVAL_TTL,
            outcome=run.outcome
            | {"not_automatic": [{"code": g.code, **_texts(g.facts)} for g in grounds]},
        )
        if not grounds:
            approve_by_policy(run, now)
            driver.move(
                RunState.APPROVED, at=now, by=f"policy:{policy_of(run.account).pk}", due_at=now
            )
            return now
    return now + APPROVAL_TTL


def _texts(facts: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in facts.items()}


def _awaiting(driver: Driver, now: datetime) -> Due:
    run = driver.run
    assert run.plan_expires_at is not None
    if now <= run.plan_expires_at:
        return run.plan_expires_at + timedelta(seconds=1)
    with transaction.atomic():
        driver.move(
            RunState.APPROVAL_EXPIRED,
            at=now,
            terminal_at=now,
            due_at=None,
            end_reason="approval_expired",
        )
        alert("approval_expired", account=run.account, run_id=run.pk)
    return None


def _approved(driver: Driver, now: datetime) -> Due:
    """Look at the prices once more: a plan the market has left behind is made anew."""
    run = driver.run
    legs = list(Leg.objects.filter(run=run, generation=run.generation))
    broker = broker_for(run.account)
    moved, plan_value, now_value = [], 0, 0
    for leg in legs:
        last = broker.quote(leg.instrument_id).last
        change = abs(Decimal(last) / leg.reference_price - 1)
        plan_value += leg.quantity * leg.reference_price
        now_value += leg.quantity * last
        if change > _leg_limit(run):
            moved.append({"ticker": leg.instrument_id, "from": leg.reference_price, "to": last})
    plan_moved = abs(Decimal(now_value) / plan_value - 1) > PLAN_MOVE
    now = market_clock(run.account).now()
    with transaction.atomic():
        if moved or plan_moved:
            driver.move(
                RunState.STALE,
                at=now,
                reason="prices_moved",
                outcome=run.outcome | {"stale": moved or [{"plan": plan_value, "now": now_value}]},
            )
            return now
        driver.move(RunState.SELLING, at=now, step_deadline_at=_wait_until(run, now), due_at=now)
    return now


def _leg_limit(run: Run) -> Decimal:
    """An approval by policy also keeps to the policy's own, tighter limit."""
    approval = approval_of(run)
    if approval is not None and approval.policy == "automatic":
        return min(LEG_MOVE, policy_of(run.account).max_price_move_percent / 100)
    return LEG_MOVE


def _stale(driver: Driver, now: datetime) -> Due:
    run = driver.run
    with transaction.atomic():
        execution.revoke_authorized(run, now, "stale")
        driver.move(
            RunState.SNAPSHOT,
            at=now,
            reason="new_generation",
            generation=run.generation + 1,
            plan={},
            plan_hash="",
            plan_expires_at=None,
        )
    return now


# --- sending ---------------------------------------------------------------------------------
def _wait_until(run: Run, now: datetime) -> datetime:
    """Every leg starts marketable; sells stop at 15:10 so that buying still has time."""
    return min(now + MARKETABLE_WAIT, run_cutoffs(now.date())[0])


def _sending(side: Side, waiting: RunState) -> Callable[[Driver, datetime], Due]:
    def send(driver: Driver, now: datetime) -> Due:
        """Send the first order of each leg, one a step."""
        run = driver.run
        assert run.step_deadline_at is not None
        progress = execution.work(
            run, str(side), now, run.step_deadline_at, stopping=bool(run.stop_requested)
        )
        if progress.sent:
            return now
        if "retry" in progress.waiting or any(w in _TURN for w in progress.waiting):
            return now + timedelta(seconds=1)
        with transaction.atomic():
            driver.move(waiting, at=now)
        return now

    return send


_TURN = {"turn", "quote_fresh", "pace", "requote", "cash"}


def _waiting(side: Side, after: RunState) -> Callable[[Driver, datetime], Due]:
    def wait(driver: Driver, now: datetime) -> Due:
        """Poll, book, and go on with whatever leg is free to."""
        run = driver.run
        reconcile_account(run.account)
        if (pause := _pause(driver, now)) is not _GO_ON:
            return pause
        now = market_clock(run.account).now()
        assert run.step_deadline_at is not None
        execution.sync_legs(run, execution.open_legs(run, str(side)))
        progress = execution.work(
            run, str(side), now, run.step_deadline_at, stopping=bool(run.stop_requested)
        )
        announce(run.pk, run.account_id)
        if progress.sent:
            return now
        if not progress.done:
            return now + (POLL if not set(progress.waiting) & _TURN else timedelta(seconds=1))
        with transaction.atomic():
            driver.move(after, at=now, step_deadline_at=now + CASH_WAIT, due_at=now)
        return now

    return wait


def _pause(driver: Driver, now: datetime) -> Any:
    """An order nobody can find, or somebody else's order on our names, stops the run for a person."""
    run = driver.run
    lost = execution.unanswered(run).filter(absent_presumed=True)
    if lost.exists():
        return _to_pause(driver, RunState.PAUSED_UNKNOWN, now, "unknown_order")
    since = run.outcome.get("external_accepted_at")
    seen_after = datetime.fromisoformat(since) if since else run.created_at
    tickers = Leg.objects.filter(run=run, generation=run.generation).values("instrument_id")
    foreign = BrokerOrder.objects.filter(
        account=run.account,
        source=BrokerOrder.Source.EXTERNAL,
        original_order_no="",
        first_seen_at__gt=seen_after,
        instrument_id__in=tickers,
    )
    if foreign.exists():
        return _to_pause(driver, RunState.PAUSED_EXTERNAL, now, "external_order")
    return _GO_ON


def _to_pause(driver: Driver, to: RunState, now: datetime, reason: str) -> Due:
    run = driver.run
    with transaction.atomic():
        driver.move(
            to,
            at=now,
            reason=reason,
            outcome=run.outcome | {"resume": run.state},
            due_at=now + timedelta(seconds=20),
        )
        alert("run_paused", severity=Alert.Severity.PAGE, account=run.account, run_id=run.pk)
    return now + timedelta(seconds=20)


def _paused(driver: Driver, now: datetime) -> Due:
    """Keep looking; an unknown order that turns up lets the run go on, a foreign one needs a person."""
    run = driver.run
    reconcile_account(run.account)
    if run.state == RunState.PAUSED_UNKNOWN and not execution.unanswered(run).exists():
        with transaction.atomic():
            driver.move(
                RunState(run.outcome["resume"]),
                at=now,
                reason="resolved",
                due_at=now,
                step_deadline_at=resumed_deadline(run, now),
            )
        return now
    if now > run.deadline_at and not execution.working_orders(run):
        with transaction.atomic():
            driver.move(RunState.FINAL_RECON, at=now, reason="too_late_today", due_at=now)
        return now
    return now + timedelta(seconds=20)


def resumed_deadline(run: Run, now: datetime) -> datetime:
    """Time spent waiting for a person does not count: the interrupted step gets its full time again,
    within the day's cut-offs."""
    buying = run.outcome.get("resume") in (RunState.BUYING, RunState.BUY_WAIT)
    return min(now + MARKETABLE_WAIT, run_cutoffs(now.date())[1 if buying else 0])


def _cash_confirm(driver: Driver, now: datetime) -> Due:
    """Wait until the broker itself says that the proceeds may be spent; never buy on expectation."""
    run = driver.run
    buys = execution.open_legs(run, "BUY")
    last_buy = run_cutoffs(now.date())[1]
    if not buys or run.stop_requested or now > last_buy or market_phase(now) != "regular":
        with transaction.atomic():
            for leg in buys:
                Leg.objects.filter(pk=leg.pk).update(
                    done=True, outcome=run.stop_requested or "too_late_today"
                )
            driver.move(RunState.FINAL_RECON, at=now, due_at=now)
        return now
    cash = broker_for(run.account).orderable_cash(buys[0].instrument_id).amount
    need = sum(leg.quantity * leg.reference_price for leg in buys) * 102 // 100
    now = market_clock(run.account).now()
    assert run.step_deadline_at is not None
    if cash < need and now < run.step_deadline_at:
        return now + POLL
    with transaction.atomic():
        driver.move(RunState.BUY_RESIZE, at=now, cash_confirmed=cash)
    return now


def _buy_resize(driver: Driver, now: datetime) -> Due:
    """Shrink the buys to the confirmed cash at the prices they would be sent at now."""
    run = driver.run
    buys = execution.open_legs(run, "BUY")
    broker = broker_for(run.account)
    prices, fees = {}, {}
    for leg in buys:
        kind = leg.instrument.instrument_kind
        book = broker.book(leg.instrument_id)
        found = execution.price_now(leg, book, first=True)
        price = leg.reference_price if isinstance(found, Reason) else found
        prices[leg.instrument_id] = max(price, leg.limit_price or 0)
        fees[leg.instrument_id] = run.account.commission.of(kind)
    assert run.cash_confirmed is not None
    fitted = adjust_buy_quantities(
        {leg.instrument_id: leg.quantity for leg in buys}, prices, run.cash_confirmed, fee=fees
    )
    with transaction.atomic():
        for leg in buys:
            quantity = fitted[leg.instrument_id]
            Leg.objects.filter(pk=leg.pk).update(
                resized_quantity=quantity,
                done=quantity == 0,
                outcome="no_cash" if quantity == 0 else "",
            )
        driver.move(RunState.BUY_RULES, at=market_clock(run.account).now())
    return now


def _buy_rules(driver: Driver, now: datetime) -> Due:
    """Only what was approved, and no more than the cash: then the buys may go."""
    run = driver.run
    legs = Leg.objects.filter(run=run, generation=run.generation, side="BUY")
    assert all(leg.wanted <= leg.quantity for leg in legs)
    deadline = min(now + MARKETABLE_WAIT, run_cutoffs(now.date())[1])
    with transaction.atomic():
        driver.move(RunState.BUYING, at=now, step_deadline_at=deadline)
    return now


def _halted(driver: Driver, now: datetime) -> Due:
    """Stopped: nothing new goes out, what works is cancelled, then the books are closed."""
    run = driver.run
    reconcile_account(run.account)
    execution.revoke_authorized(run, now, "halted")
    if execution.cancel_working(run, now):
        return now + POLL
    with transaction.atomic():
        driver.move(RunState.FINAL_RECON, at=now, due_at=now)
    return now


# --- closing ---------------------------------------------------------------------------------
def _final_recon(driver: Driver, now: datetime) -> Due:
    """Nothing works any more, our shares are the broker's shares: write the history and end."""
    run = driver.run
    found = reconcile_account(run.account)
    execution.revoke_authorized(run, now, "run_ends")
    if execution.unanswered(run).filter(absent_presumed=True).exists():
        return _to_pause(driver, RunState.PAUSED_UNKNOWN, now, "unknown_order")
    if execution.cancel_working(run, now) or not found.complete:
        return now + POLL
    legs = list(Leg.objects.filter(run=run, generation=run.generation))
    execution.sync_legs(run, legs)
    broker = broker_for(run.account)
    balance = broker.balance()
    ticker = legs[0].instrument_id if legs else next(iter(run.snapshot.quotes))  # type: ignore[union-attr]
    cash = usable_cash(balance.d2_cash, broker.orderable_cash(ticker).amount)
    now = market_clock(run.account).now()
    expected = history.expected_cash(run)
    agreed = history.positions_agree(run.account, balance) and cash == expected
    if not agreed and now - run.state_since <= SETTLE_WAIT:
        return now + POLL  # lists lag behind one another for some seconds
    after = history.Closing(balance=balance, cash=cash, at=now)
    with transaction.atomic():
        compare_positions(run.account, balance, now)
        legs = list(Leg.objects.filter(run=run, generation=run.generation))
        complete = all(leg.filled_quantity == leg.quantity for leg in legs)
        to = RunState.COMPLETED if complete else RunState.COMPLETED_WITH_SHORTFALL
        facts = history.shortfall(legs, after) | {"expected_cash": expected}
        driver.move(
            to,
            at=now,
            terminal_at=now,
            due_at=None,
            end_reason="" if complete else "shortfall",
            end_facts=facts,
        )
        history.write(run, legs, after)
        if cash != expected:
            alert(
                "cash_differs",
                account=run.account,
                run_id=run.pk,
                broker=cash,
                expected=expected,
            )
        if not complete:
            alert(
                "run_shortfall",
                account=run.account,
                run_id=run.pk,
                cash=after.cash,
                missing=facts["missing"],
            )
        crashpoint("before_run_end_commit")
    return None


_SENDING = frozenset(
    {
        RunState.SELLING,
        RunState.SELL_WAIT,
        RunState.CASH_CONFIRM,
        RunState.BUY_RESIZE,
        RunState.BUY_RULES,
        RunState.BUYING,
        RunState.BUY_WAIT,
    }
)

_STEPS: dict[RunState, Callable[[Driver, datetime], Due]] = {
    RunState.CREATED: _created,
    RunState.SNAPSHOT: _snapshot,
    RunState.TARGETS: _targets,
    RunState.DRIFT: _drift,
    RunState.NETTED: _netted,
    RunState.PLANNED: _planned,
    RunState.RULES: _rules,
    RunState.AWAITING_APPROVAL: _awaiting,
    RunState.APPROVED: _approved,
    RunState.STALE: _stale,
    RunState.SELLING: _sending(Side.SELL, RunState.SELL_WAIT),
    RunState.SELL_WAIT: _waiting(Side.SELL, RunState.CASH_CONFIRM),
    RunState.CASH_CONFIRM: _cash_confirm,
    RunState.BUY_RESIZE: _buy_resize,
    RunState.BUY_RULES: _buy_rules,
    RunState.BUYING: _sending(Side.BUY, RunState.BUY_WAIT),
    RunState.BUY_WAIT: _waiting(Side.BUY, RunState.FINAL_RECON),
    RunState.HALTED: _halted,
    RunState.PAUSED_UNKNOWN: _paused,
    RunState.PAUSED_EXTERNAL: _paused,
    RunState.FINAL_RECON: _final_recon,
}
