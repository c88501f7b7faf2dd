"""Orders go out leg by leg, are polled to their end, and a stop cancels what works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from rebalancing.domain.netting import Side
from rebalancing.domain.states import RunState
from rebalancing.models import Run
from rebalancing.services import cancelling, execution, wishes
from rebalancing.services.lease import Driver
from rebalancing.services.legs import only_unanswered, open_legs, sync_legs, unanswered
from rebalancing.services.news import announce
from rebalancing.services.stages.common import (
    AFTER_INTERRUPTION,
    CASH_WAIT,
    GO_ON,
    INTERRUPTED,
    POLL,
    TURN,
    Due,
)
from rebalancing.services.stages.pausing import pause_if_needed
from trading.selectors.order_lists import FRESH, LIST_AGE, newest_whole_list
from trading.services.calendar import run_cutoffs
from trading.services.clock import market_clock
from trading.services.reconcile import reconcile_account

__all__ = ["halted", "sending", "waiting"]

SOON_SEEN = timedelta(seconds=30)
SLOW_POLL = timedelta(seconds=10)


def sending(side: Side, waiting: RunState) -> Callable[[Driver, datetime], Due]:
    def send(driver: Driver, now: datetime) -> Due:
        """Send the first order of each leg, one a step."""
        run = driver.run
        assert run.step_deadline_at is not None
        progress = execution.work(
            run, str(side), now, run.step_deadline_at, stopping=bool(run.stop_requested)
        )
        if progress.again:
            return now
        _give_time(run, set(progress.waiting), now)
        if set(progress.waiting) & TURN:
            return now + timedelta(seconds=1)
        with transaction.atomic():
            driver.move(waiting, at=now)
        return now

    return send


def waiting(side: Side, after: RunState) -> Callable[[Driver, datetime], Due]:
    def wait(driver: Driver, now: datetime) -> Due:
        """Poll and book, or on a fresh list go on with whatever leg is free to: one of them a step."""
        run = driver.run
        if not _has_fresh_list(run, now):
            found = reconcile_account(run.account)
            if (pause := pause_if_needed(driver, now)) is not GO_ON:
                return pause
            now = market_clock(run.account).now()
            sync_legs(run, open_legs(run, str(side)))
            announce(run.pk, run.account_id)
            if found.complete:
                return (
                    found.ended_at
                )  # the next step goes by this list, however fast the clock runs
        # without a whole list a deadline still holds, and a cancel looks for itself
        assert run.step_deadline_at is not None
        progress = execution.work(
            run, str(side), now, run.step_deadline_at, stopping=bool(run.stop_requested)
        )
        if progress.again:
            return now
        if not progress.done:
            _give_time(run, set(progress.waiting), now)
            return now + _patience(run, set(progress.waiting), now)
        with transaction.atomic():
            driver.move(after, at=now, step_deadline_at=now + CASH_WAIT, due_at=now)
        return now

    return wait


def _give_time(run: Run, waits: set[str], now: datetime) -> None:
    """An interruption takes nothing of a leg's time: the step ends later, within the day's cut-offs."""
    if INTERRUPTED not in waits or run.stop_requested:
        return
    assert run.step_deadline_at is not None
    sells, buys, _close = run_cutoffs(now.date())
    latest = sells if run.state in (RunState.SELLING, RunState.SELL_WAIT) else buys
    deadline = min(now + AFTER_INTERRUPTION, latest)
    if deadline > run.step_deadline_at:
        Run.objects.filter(pk=run.pk, terminal_at=None).update(step_deadline_at=deadline)
        run.step_deadline_at = deadline


def _patience(run: Run, waits: set[str], now: datetime) -> timedelta:
    """How long until the next look: a second for what passes by itself, a poll for orders that work.

    Where nothing is left but an order without an answer, its first half minute is looked at as often as
    an order that works; after that it waits for its time of absence and is looked at now and then.
    """
    if waits & TURN:
        return timedelta(seconds=1)
    lost = unanswered(run)
    if waits == {"unknown"} and not lost.filter(committed_at__gt=now - SOON_SEEN).exists():
        return SLOW_POLL
    return POLL


def _has_fresh_list(run: Run, now: datetime) -> bool:
    """Whether a whole read of the broker's orders is young enough to act on, or is the very one that this
    step was made due by."""
    newest = newest_whole_list(run.account_id, now)
    if newest is None:
        return False
    return now - newest < FRESH or (newest == run.due_at and now - newest < LIST_AGE)


def halted(driver: Driver, now: datetime) -> Due:
    """Stopped: nothing new goes out, what works is cancelled, then the books are closed."""
    run = driver.run
    reconcile_account(run.account)
    wishes.revoke_authorized(run, now, "halted")
    if cancelling.cancel_working(run, now) and not only_unanswered(run):
        return now + POLL
    with transaction.atomic():
        driver.move(RunState.FINAL_RECON, at=now, due_at=now)
    return now
