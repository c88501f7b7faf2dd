"""A plan against its account's limits and what the day has spent of them, before anything of it is sent."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from rebalancing.domain.plan_limits import PlannedLeg, beyond_limits, most_of
from rebalancing.domain.states import RunState
from rebalancing.models import Leg, Run
from rebalancing.services.approvals import approval_of
from rebalancing.services.lease import Driver
from rebalancing.services.stages.common import end_run
from rebalancing.services.wishes import COLLAR
from trading.domain.sent import spent
from trading.models import Intent
from trading.selectors.limits import limits_in_force
from trading.selectors.sent import sent_since
from trading.services.alerts import alert

__all__ = ["end_beyond", "plan_beyond_limits"]


def plan_beyond_limits(run: Run, now: datetime) -> list[dict[str, Any]]:
    """Every limit that the run's plan would pass today; see `beyond_limits`."""
    approval = approval_of(run)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    quotes: dict[str, Any] = run.snapshot.quotes if run.snapshot is not None else {}
    legs = Leg.objects.filter(run=run, generation=run.generation)
    planned = [
        PlannedLeg(
            leg.instrument_id,
            leg.side,
            tuple(leg.slices or [leg.quantity]),
            most_of(leg.reference_price, COLLAR),
            quotes.get(leg.instrument_id, {}).get("previous_volume"),
            _away(leg),
        )
        for leg in legs
    ]
    return beyond_limits(
        planned,
        limits_in_force(run.account, approval.decided_at if approval is not None else None),
        spent(sent_since(run.account, midnight), (Intent.Origin.RUN, run.pk)),
    )


def _away(leg: Leg) -> Decimal:
    """Of the price that the plan reckons with, from the one that it was made at."""
    if leg.limit_price is None:
        return Decimal(0)
    return abs(Decimal(leg.limit_price) / leg.reference_price - 1) * 100


def end_beyond(driver: Driver, to: RunState, now: datetime, beyond: list[dict[str, Any]]) -> None:
    """End the run for the first of them; all are kept. Nothing of it was sent."""
    first = beyond[0]
    with transaction.atomic():
        end_run(driver, to, now, f"over_{first['limit']}", first | {"beyond": beyond})
        if to is not RunState.VETOED:  # that tells by itself
            run = driver.run
            alert("run_vetoed", account=run.account, run_id=run.pk, reason=run.end_reason)
