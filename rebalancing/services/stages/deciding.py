"""From the plan to the permission to send exactly it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from rebalancing.domain.states import RunState
from rebalancing.models import Leg, Run
from rebalancing.services import wishes
from rebalancing.services.approvals import (
    approval_of,
    approve_by_policy,
    automatic_grounds,
)
from rebalancing.services.lease import Driver
from rebalancing.services.stages.common import (
    APPROVAL_TTL,
    LEG_MOVE,
    PLAN_MOVE,
    Due,
    end_run,
    wait_until,
)
from rebalancing.services.stages.plan_limits import end_beyond, plan_beyond_limits
from trading.services.alerts import alert
from trading.services.brokers import broker_for
from trading.services.calendar import run_cutoffs
from trading.services.clock import market_clock
from trading.services.policies import policy_of

__all__ = ["approved", "awaiting", "planned", "rules", "stale"]


def planned(driver: Driver, now: datetime) -> Due:
    with transaction.atomic():
        driver.move(RunState.RULES, at=now)
    return now


def rules(driver: Driver, now: datetime) -> Due:
    run = driver.run
    failed = [c for c in run.outcome["checks"] if c["verdict"] == "FAIL"]
    if failed:
        end_run(driver, RunState.VETOED, now, "checks_failed", {"checks": failed})
        return None
    if beyond := plan_beyond_limits(run, now):
        end_beyond(driver, RunState.VETOED, now, beyond)
        return None
    if run.dry_run:
        end_run(driver, RunState.CANCELED, now, "dry_run", {})
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


def awaiting(driver: Driver, now: datetime) -> Due:
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


def approved(driver: Driver, now: datetime) -> Due:
    """Look at the prices once more: a plan the market has left behind is made anew."""
    run = driver.run
    legs = list(Leg.objects.filter(run=run, generation=run.generation))
    if now >= run_cutoffs(now.date())[0] and any(leg.side == "SELL" for leg in legs):
        # the buys would spend the cash that the sells were to bring
        end_run(driver, RunState.CANCELED, now, "too_late_today", {})
        return None
    if beyond := plan_beyond_limits(run, now):
        # spent by other orders, or tightened, while the plan waited for its approval
        end_beyond(driver, RunState.CANCELED, now, beyond)
        return None
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
        driver.move(RunState.SELLING, at=now, step_deadline_at=wait_until(run, now), due_at=now)
    return now


def _leg_limit(run: Run) -> Decimal:
    """An approval by policy also keeps to the policy's own, tighter limit."""
    approval = approval_of(run)
    if approval is not None and approval.policy == "automatic":
        return min(LEG_MOVE, policy_of(run.account).max_price_move_percent / 100)
    return LEG_MOVE


def stale(driver: Driver, now: datetime) -> Due:
    run = driver.run
    with transaction.atomic():
        wishes.revoke_authorized(run, now, "stale")
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
