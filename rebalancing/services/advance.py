"""`run_advance`: one step of one run, safe to call any number of times from anywhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby

import structlog

from rebalancing.models import Run
from rebalancing.services.lease import lease
from rebalancing.services.stages.step import step
from trading.domain.errors import ConfigurationError, StateConflict
from trading.models import Account, Alert
from trading.models.prepared import Prepared
from trading.services.alerts import alert
from trading.services.clock import market_clock

__all__ = ["due_runs", "run_advance"]

log = structlog.get_logger(__name__)
BROKEN_PAUSE = timedelta(seconds=30)


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
        except Exception as error:
            # A step that breaks must not be tried every second in silence.
            _page_broken_step(driver.run, state, error)
            raise
        log.info("step_done", was=state, state=driver.run.state)
        return due


def _page_broken_step(run: Run, state: str, error: Exception) -> None:
    due = run.due_at
    later = (due + BROKEN_PAUSE) if due is not None else None
    Run.objects.filter(pk=run.pk, terminal_at=None).update(due_at=later)
    alert(
        "run_step_broken",
        severity=Alert.Severity.PAGE,
        account=run.account,
        run_id=run.pk,
        state=state,
        error=type(error).__name__,
    )


def due_runs() -> list[int]:
    """Runs whose time has come by their own market's clock."""
    found = []
    for account, runs in groupby(_ALIVE(), key=lambda row: row[0]):
        try:
            now = market_clock(_ACCOUNT.first(account=account)).now()
        except ConfigurationError:
            continue
        found += [run for _account, run, due in runs if due <= now]
    return found


_ACCOUNT = Prepared(lambda value: Account.objects.filter(pk=value.account), account=int)
_ALIVE = Prepared(
    lambda _value: (
        Run.objects.filter(terminal_at=None)
        .exclude(due_at=None)
        .order_by("account", "pk")
        .values_list("account", "pk", "due_at")
    )
)
