"""Between the sells and the buys: confirmed cash, shrunk buys, the last check."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from rebalancing.domain.planning import adjust_buy_quantities
from rebalancing.domain.states import RunState
from rebalancing.models import Leg
from rebalancing.services import wishes
from rebalancing.services.lease import Driver
from rebalancing.services.legs import open_legs
from rebalancing.services.stages.common import MARKETABLE_WAIT, POLL, Due
from trading.domain.errors import Reason
from trading.services.brokers import broker_for
from trading.services.calendar import market_phase, run_cutoffs
from trading.services.clock import market_clock
from trading.services.day_loss import look_at_the_day

__all__ = ["buy_resize", "buy_rules", "cash_confirm"]


def cash_confirm(driver: Driver, now: datetime) -> Due:
    """Wait until the broker itself says that the proceeds may be spent; never buy on expectation."""
    run = driver.run
    buys = open_legs(run, "BUY")
    last_buy = run_cutoffs(now.date())[1]
    if not buys or run.stop_requested or now > last_buy or market_phase(now) != "regular":
        with transaction.atomic():
            for leg in buys:
                Leg.objects.filter(pk=leg.pk).update(
                    done=True, outcome=run.stop_requested or "too_late_today"
                )
            driver.move(RunState.FINAL_RECON, at=now, due_at=now)
        return now
    cash = broker_for(run.account).orderable_cash(buys[0].instrument_id).amount
    need = sum(leg.quantity * leg.reference_price for leg in buys) * 102 // 100
    now = market_clock(run.account).now()
    assert run.step_deadline_at is not None
    if cash < need and now < run.step_deadline_at:
        return now + POLL
    # prices may have fallen since the plan: a day that is lost stops the buys, by the switch they obey
    assert run.snapshot is not None
    look_at_the_day(run.account, run.snapshot.quotes)
    now = market_clock(run.account).now()
    with transaction.atomic():
        driver.move(RunState.BUY_RESIZE, at=now, cash_confirmed=cash)
    return now


def buy_resize(driver: Driver, now: datetime) -> Due:
    """Shrink the buys to the confirmed cash at the prices they would be sent at now."""
    run = driver.run
    buys = open_legs(run, "BUY")
    broker = broker_for(run.account)
    prices, fees = {}, {}
    for leg in buys:
        kind = leg.instrument.instrument_kind
        book = broker.book(leg.instrument_id)
        found = wishes.price_now(leg, book, first=True)
        price = leg.reference_price if isinstance(found, Reason) else found
        prices[leg.instrument_id] = max(price, leg.limit_price or 0)
        fees[leg.instrument_id] = run.account.commission.of(kind)
    assert run.cash_confirmed is not None
    fitted = adjust_buy_quantities(
        {leg.instrument_id: leg.quantity for leg in buys}, prices, run.cash_confirmed, fee=fees
    )
    with transaction.atomic():
        for leg in buys:
            quantity = fitted[leg.instrument_id]
            Leg.objects.filter(pk=leg.pk).update(
                resized_quantity=quantity,
                done=quantity == 0,
                outcome="no_cash" if quantity == 0 else "",
            )
        driver.move(RunState.BUY_RULES, at=market_clock(run.account).now())
    return now


def buy_rules(driver: Driver, now: datetime) -> Due:
    """Only what was approved, and no more than the cash: then the buys may go."""
    run = driver.run
    legs = Leg.objects.filter(run=run, generation=run.generation, side="BUY")
    assert all(leg.wanted <= leg.quantity for leg in legs)
    deadline = min(now + MARKETABLE_WAIT, run_cutoffs(now.date())[1])
    with transaction.atomic():
        driver.move(RunState.BUYING, at=now, step_deadline_at=deadline)
    return now
