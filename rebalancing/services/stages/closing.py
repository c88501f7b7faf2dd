"""The end: our shares are the broker's shares, and the history is written."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from rebalancing.domain.states import RunState
from rebalancing.models import Leg, Run
from rebalancing.services import cancelling, history, wishes
from rebalancing.services.lease import Driver
from rebalancing.services.legs import only_unanswered, sync_legs, unanswered
from rebalancing.services.stages.common import POLL, SETTLE_WAIT, Due
from rebalancing.services.stages.pausing import is_of_another_session, pause_run
from trading.domain.cash import usable_cash
from trading.models import Transition
from trading.services.alerts import alert
from trading.services.brokers import broker_for
from trading.services.clock import market_clock
from trading.services.crashpoints import crashpoint
from trading.services.reconcile import reconcile_account
from trading.services.snapshots import compare_positions

__all__ = ["final_recon"]


def final_recon(driver: Driver, now: datetime) -> Due:
    """Nothing works any more, our shares are the broker's shares: write the history and end."""
    run = driver.run
    found = reconcile_account(run.account)
    wishes.revoke_authorized(run, now, "run_ends")
    # an order of an earlier session cannot fill any more: it stays UNKNOWN, and a person's, without the run
    over = is_of_another_session(run, now)
    lost = unanswered(run).filter(absent_presumed=True)
    if lost.exists() and not over and not cancelling.cancellable_orders(run):
        return pause_run(driver, RunState.PAUSED_UNKNOWN, now, "unknown_order")
    working = cancelling.cancel_working(run, now) and not (over and only_unanswered(run))
    if working or not found.complete:
        return now + POLL
    legs = list(Leg.objects.filter(run=run, generation=run.generation))
    sync_legs(run, legs)
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
            end_reason="" if complete else _why_short(run),
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


def _why_short(run: Run) -> str:
    """Somebody stopped it, an order's fate is still not known, or the market did not give what was planned."""
    if run.stop_requested == "person":
        return "stopped_by_person"
    halted = Transition.objects.filter(
        object_type="run", object_id=run.pk, to_state=RunState.HALTED
    )
    if halted.exists():
        return "stopped_by_switch"
    return "unknown_order" if unanswered(run).exists() else "shortfall"
