"""A run stops for a person: an order nobody can find, or somebody else on our names."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from rebalancing.domain.states import RunState
from rebalancing.models import Leg, Run
from rebalancing.services import wishes
from rebalancing.services.lease import Driver
from rebalancing.services.legs import unanswered, working_orders
from rebalancing.services.stages.common import GO_ON, MARKETABLE_WAIT, Due
from trading.domain.sessions import Phase
from trading.models import Alert, BrokerOrder
from trading.selectors.calendar import is_trading_day
from trading.services.alerts import alert
from trading.services.calendar import market_phase, run_cutoffs
from trading.services.pauses import pause_account
from trading.services.reconcile import reconcile_account

__all__ = ["is_of_another_session", "pause_if_needed", "pause_run", "paused", "resumed_deadline"]


def pause_if_needed(driver: Driver, now: datetime) -> Any:
    """An order nobody can find, or somebody else's order on our names, stops the run for a person."""
    run = driver.run
    lost = unanswered(run).filter(absent_presumed=True)
    if lost.exists():
        return pause_run(driver, RunState.PAUSED_UNKNOWN, now, "unknown_order")
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
        return pause_run(driver, RunState.PAUSED_EXTERNAL, now, "external_order")
    return GO_ON


def pause_run(driver: Driver, to: RunState, now: datetime, reason: str) -> Due:
    """Somebody else's order pauses the account too: a run that is closed leaves it paused."""
    run = driver.run
    with transaction.atomic():
        if to == RunState.PAUSED_EXTERNAL:
            pause_account(run.account, run.account.EXTERNAL_ORDER, wishes.ENGINE)
        driver.move(
            to,
            at=now,
            reason=reason,
            outcome=run.outcome | {"resume": run.state},
            due_at=now + timedelta(seconds=20),
        )
        alert("run_paused", severity=Alert.Severity.PAGE, account=run.account, run_id=run.pk)
    return now + timedelta(seconds=20)


def paused(driver: Driver, now: datetime) -> Due:
    """Keep looking; an unknown order that turns up lets the run go on, a foreign one needs a person."""
    run = driver.run
    found = reconcile_account(run.account)
    if found.complete and is_of_another_session(run, now):
        with transaction.atomic():
            driver.move(RunState.FINAL_RECON, at=now, reason="next_day", due_at=now)
        return now
    if run.state == RunState.PAUSED_UNKNOWN and not unanswered(run).exists():
        with transaction.atomic():
            driver.move(
                RunState(run.outcome["resume"]),
                at=now,
                reason="resolved",
                due_at=now,
                step_deadline_at=resumed_deadline(run, now),
            )
        return now
    if now > run.deadline_at and not working_orders(run):
        with transaction.atomic():
            driver.move(RunState.FINAL_RECON, at=now, reason="too_late_today", due_at=now)
        return now
    return now + timedelta(seconds=20)


def is_of_another_session(run: Run, now: datetime) -> bool:
    """A later session is on: a run of an earlier one never continues, whatever it waits for."""
    later = now.date() > run.created_at.astimezone(now.tzinfo).date()
    return later and market_phase(now) == Phase.REGULAR


def resumed_deadline(run: Run, now: datetime) -> datetime:
    """Time spent waiting for a person does not count: the interrupted step gets its full time again,
    within the day's cut-offs. A day without a session has none, and nothing is sent on it."""
    if not is_trading_day(now.date()):
        return now
    buying = run.outcome.get("resume") in (RunState.BUYING, RunState.BUY_WAIT)
    return min(now + MARKETABLE_WAIT, run_cutoffs(now.date())[1 if buying else 0])
