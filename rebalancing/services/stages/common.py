"""What every stage of a run shares: its times, its limits, and the way a run ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from rebalancing.domain.states import RunState
from rebalancing.models import Run
from rebalancing.services import wishes
from rebalancing.services.lease import Driver
from trading.domain.errors import JeoulError, Reason
from trading.services.alerts import alert
from trading.services.calendar import run_cutoffs

__all__ = [
    "APPROVAL_TTL",
    "CASH_WAIT",
    "Due",
    "AFTER_INTERRUPTION",
    "GO_ON",
    "INTERRUPTED",
    "LEG_MOVE",
    "MARKETABLE_WAIT",
    "PLANNING_LIMIT",
    "PLAN_MOVE",
    "POLL",
    "RETRY",
    "SETTLE_WAIT",
    "SNAPSHOT_AGE",
    "TURN",
    "end_run",
    "facts_of",
    "wait_until",
]

GO_ON = object()
"""Nothing stands in the way: the stage does its own work."""

Due = datetime | None
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
INTERRUPTED = "not_interrupted"
AFTER_INTERRUPTION = timedelta(seconds=90)
"""What a step keeps, at least, while a volatility interruption holds one of its legs."""
TURN = frozenset({"turn", "quote_fresh", "pace", "requote", "cash", "retry"})
"""Waits that pass within a second."""


def end_run(
    driver: Driver, to: RunState, now: datetime, reason: str, facts: dict[str, Any]
) -> None:
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
        wishes.revoke_authorized(run, now, reason)
        if to in (RunState.FAILED, RunState.VETOED):
            alert("run_" + str(to).lower(), account=run.account, run_id=run.pk, reason=reason)


def facts_of(error: JeoulError) -> dict[str, Any]:
    reasons: tuple[Reason, ...] = getattr(error, "reasons", ())
    return {
        "reasons": [{"code": r.code, **{k: str(v) for k, v in r.facts.items()}} for r in reasons]
    }


def wait_until(run: Run, now: datetime) -> datetime:
    """Every leg starts marketable; sells stop at 15:10 so that buying still has time."""
    return min(now + MARKETABLE_WAIT, run_cutoffs(now.date())[0])
