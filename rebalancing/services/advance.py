"""`run_advance`: one step of one run, safe to call any number of times from anywhere."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db.models import Q

from rebalancing.models import Run
from rebalancing.services.lease import lease
from rebalancing.services.stages import step
from trading.domain.errors import ConfigurationError, StateConflict
from trading.models import Account
from trading.services.clock import market_clock

__all__ = ["due_runs", "run_advance"]

log = structlog.get_logger(__name__)


def run_advance(run_id: int) -> datetime | None:
    """Do one step of the run and return when the next is due, in its market's time.

    None when it has ended, waits for a person, or somebody else is driving it.
    """
    with structlog.contextvars.bound_contextvars(run_id=run_id), lease(run_id) as driver:
        if driver is None:
            return None
        state = driver.run.state
        try:
            due = step(driver)
        except StateConflict as conflict:
            log.info("step_overtaken", state=state, conflict=str(conflict))
            return None
        log.info("step_done", was=state, state=driver.run.state)
        return due


def due_runs() -> list[int]:
    """Runs whose time has come by their own market's clock."""
    found = []
    for account in Account.objects.filter(runs__terminal_at=None).distinct():
        try:
            now = market_clock(account).now()
        except ConfigurationError:
            continue
        found += list(
            Run.objects.filter(account=account, terminal_at=None)
            .filter(Q(due_at__lte=now))
            .values_list("pk", flat=True)
        )
    return found
