"""What Celery wakes: one step of a run, and the sweep that finds whatever was forgotten."""

from __future__ import annotations

from celery import shared_task

from rebalancing.services.advance import due_runs, run_advance
from rebalancing.services.day_jobs import run_day_jobs
from rebalancing.services.heartbeat import beat
from rebalancing.services.live_laws import stop_when_a_law_breaks
from rebalancing.services.schedule import fire_due_schedules
from rebalancing.services.watch import refresh_accounts
from rebalancing.services.watchdog import page_what_hangs
from trading.services.chain_watch import stop_when_the_chain_breaks

__all__ = ["advance", "day_jobs", "laws", "look", "sweep", "watch"]

STEPS_AT_A_TIME = 40


@shared_task(max_retries=0, soft_time_limit=45, time_limit=60)
def advance(run_id: int) -> None:
    """Steps of one run while each is due at once; the sweep takes over when one must wait.

    Losing or doubling this message does no harm: the row knows where the run is.
    """
    for _ in range(STEPS_AT_A_TIME):
        if run_advance(run_id) is None or run_id not in due_runs():
            return


@shared_task(max_retries=0)
def sweep() -> None:
    """Every second: start what a schedule asks for, wake what is due."""
    beat()
    fire_due_schedules()
    for run_id in due_runs():
        advance.delay(run_id)


@shared_task(max_retries=0, soft_time_limit=45, time_limit=60)
def look() -> None:
    """A fresh look at every account that has not been looked at for a minute."""
    refresh_accounts()


@shared_task(max_retries=0, soft_time_limit=120, time_limit=150)
def day_jobs() -> None:
    """The jobs of the trading day whose time has come: the morning's check, the close."""
    run_day_jobs()


@shared_task(max_retries=0)
def watch() -> None:
    """Page what lasts too long, and stop everything when the record was tampered with."""
    page_what_hangs()
    stop_when_the_chain_breaks()


@shared_task(max_retries=0, soft_time_limit=45, time_limit=60)
def laws() -> None:
    """Every minute: stop everything when our own rows break a law of the house."""
    stop_when_a_law_breaks()
