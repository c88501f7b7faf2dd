"""One step of a run at a time: each stage reads what it needs, then commits one move.

A step may be repeated after a crash anywhere. Reads from the broker happen outside transactions; the
move that follows is conditional on the state the step started from.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from rebalancing.domain.netting import Side
from rebalancing.domain.states import BEFORE_SELLING, RunState
from rebalancing.models import Run
from rebalancing.services import cancelling
from rebalancing.services.lease import Driver
from rebalancing.services.stages import closing, deciding, funding, looking, pausing, sending
from rebalancing.services.stages.common import GO_ON, PLANNING_LIMIT, RETRY, Due, end_run, facts_of
from trading.domain.errors import (
    BrokerError,
    BrokerForeign,
    BrokerPriceless,
    InputError,
    RuleViolation,
)
from trading.services.alerts import alert
from trading.services.clock import market_clock
from trading.services.switches import switch_state

__all__ = ["STEPS", "step"]

log = structlog.get_logger(__name__)


def step(driver: Driver) -> Due:
    """Do one step and say when the next is due; None when a person or nothing is awaited.

    What the broker cannot answer now is asked again; what can never work ends the run truthfully.
    """
    run = driver.run
    now = market_clock(run.account).now()
    if (ended := _must_stop(driver, now)) is not GO_ON:
        return ended
    try:
        due = STEPS[RunState(run.state)](driver, now)
    except BrokerError as error:
        return _broker_silent(driver, now, error)
    except (InputError, RuleViolation) as error:
        if run.state not in BEFORE_SELLING:
            raise
        end_run(driver, RunState.FAILED, now, "cannot_plan", facts_of(error))
        return None
    driver.due_at = due
    return due


def _must_stop(driver: Driver, now: datetime) -> Any:
    """The kill switch, a person's stop and the end of the day come before every step."""
    run = driver.run
    if run.state in BEFORE_SELLING and run.state != RunState.AWAITING_APPROVAL:
        if not run.dry_run and switch_state(run.account) != "ACTIVE":
            return end_run(driver, RunState.CANCELED, now, "trading_stopped", {})
        if not run.dry_run and now > run.deadline_at:
            return end_run(driver, RunState.CANCELED, now, "too_late_today", {})
    sending = run.state in _SENDING
    if (sending or _rests_while_paused(run)) and switch_state(run.account) == "HALTED":
        with transaction.atomic():
            driver.move(RunState.HALTED, at=now, reason="trading_stopped", due_at=now)
        return now
    if run.stop_requested and (run.state == RunState.PAUSED_EXTERNAL or _rests_while_paused(run)):
        with transaction.atomic():
            driver.move(RunState.FINAL_RECON, at=now, reason="person", due_at=now)
        return now
    if sending and now.date() > run.created_at.astimezone(now.tzinfo).date():
        with transaction.atomic():
            driver.move(RunState.FINAL_RECON, at=now, reason="next_day", due_at=now)
        return now
    return GO_ON


def _rests_while_paused(run: Run) -> bool:
    """A paused run whose orders still rest at the broker: a stop cancels them without waiting for the
    person the run waits for. Without such orders it goes on waiting."""
    return run.state in _PAUSED and bool(cancelling.cancellable_orders(run))


def _broker_silent(driver: Driver, now: datetime, error: BrokerError) -> Due:
    run = driver.run
    log.warning("broker_silent", run_id=run.pk, state=run.state, error=str(error))
    if isinstance(error, BrokerForeign):
        alert(error.code, severity="page", account=run.account, run_id=run.pk)
    planning = run.state in BEFORE_SELLING and run.state != RunState.AWAITING_APPROVAL
    if planning and now - run.state_since > PLANNING_LIMIT:
        facts: dict[str, Any] = {"why": str(error)[:100]}
        if isinstance(error, BrokerPriceless):
            facts["tickers"] = ", ".join(error.tickers)
        end_run(driver, RunState.FAILED, now, error.code, facts)
        return None
    due = now + RETRY
    Run.objects.filter(pk=run.pk, terminal_at=None).update(due_at=due)
    return due


_PAUSED = frozenset({RunState.PAUSED_UNKNOWN, RunState.PAUSED_EXTERNAL})

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

STEPS: dict[RunState, Callable[[Driver, datetime], Due]] = {
    RunState.CREATED: looking.created,
    RunState.SNAPSHOT: looking.snapshot,
    RunState.TARGETS: looking.targets,
    RunState.DRIFT: looking.drift,
    RunState.NETTED: looking.netted,
    RunState.PLANNED: deciding.planned,
    RunState.RULES: deciding.rules,
    RunState.AWAITING_APPROVAL: deciding.awaiting,
    RunState.APPROVED: deciding.approved,
    RunState.STALE: deciding.stale,
    RunState.SELLING: sending.sending(Side.SELL, RunState.SELL_WAIT),
    RunState.SELL_WAIT: sending.waiting(Side.SELL, RunState.CASH_CONFIRM),
    RunState.CASH_CONFIRM: funding.cash_confirm,
    RunState.BUY_RESIZE: funding.buy_resize,
    RunState.BUY_RULES: funding.buy_rules,
    RunState.BUYING: sending.sending(Side.BUY, RunState.BUY_WAIT),
    RunState.BUY_WAIT: sending.waiting(Side.BUY, RunState.FINAL_RECON),
    RunState.HALTED: sending.halted,
    RunState.PAUSED_UNKNOWN: pausing.paused,
    RunState.PAUSED_EXTERNAL: pausing.paused,
    RunState.FINAL_RECON: closing.final_recon,
}
