"""What the gate is told about an order: lanes, approvals, twins and promises, as the record has them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.orders import OTHER, Orders, listed, promise
from tests.support.world import World
from trading.domain.limits import GateInputs
from trading.models import Account, Attempt, BrokerOrder, Intent, Ledger, Reservation
from trading.services.gate_inputs import FreshInputs, gate_inputs
from trading.services.limits import add_limits
from trading.services.reservations import budget_used, reserve_for

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def seen_by_the_gate(orders: Orders, intent: Intent, **fresh: Any) -> GateInputs:
    """The gate's inputs for `intent` now."""
    return gate_inputs(intent, orders.lane(intent), FreshInputs(**fresh), orders.world.now, None)


@pytest.fixture
def orders(world: World) -> Orders:
    """One order of a run went out; names, approvals and lists exist."""
    world.drive(world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists())
    return Orders(world, Attempt.objects.get())


@pytest.mark.parametrize(
    ("state", "free"),
    [
        ("SENDING", False),
        ("UNKNOWN", False),
        ("ACKED", True),
        ("REJECTED", True),
        ("NOT_SENT", True),
        ("ABSENT", True),
    ],
)
def test_a_lane_is_free_when_nobody_waits_for_an_answer_on_it(
    orders: Orders, state: str, free: bool
) -> None:
    orders.attempt(state)
    assert seen_by_the_gate(orders, orders.intent()).lane_free is free
    assert seen_by_the_gate(orders, orders.intent(instrument_id=OTHER)).lane_free


def test_an_order_of_yesterday_without_an_answer_holds_its_lane_and_counts_for_nothing_else(
    orders: Orders,
) -> None:
    before = seen_by_the_gate(orders, orders.intent())
    orders.attempt("UNKNOWN", age=86_400)
    after = seen_by_the_gate(orders, orders.intent())
    assert before.lane_free and not after.lane_free
    assert (after.sent_today, after.day_won) == (before.sent_today, before.day_won)


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({}, 1),
        ({"age": 61}, 0),
        ({"quantity": 11}, 0),
        ({"limit_price": 30_005}, 0),
        ({"side": "SELL"}, 0),
        ({"instrument_id": OTHER}, 0),
        ({"origin": "bot", "origin_id": 7}, 1),
    ],
    ids=["the same", "long ago", "quantity", "price", "side", "name", "another parent"],
)
def test_the_same_order_within_a_minute_is_a_duplicate(
    orders: Orders, change: dict[str, Any], count: int
) -> None:
    orders.attempt("ACKED", **change)
    assert seen_by_the_gate(orders, orders.intent()).duplicates == count


def test_what_was_not_sent_and_what_the_same_parent_sent_is_no_duplicate(orders: Orders) -> None:
    orders.attempt("NOT_SENT")
    assert seen_by_the_gate(orders, orders.intent()).duplicates == 0
    orders.attempt("REJECTED", origin="bot", origin_id=7)
    assert seen_by_the_gate(orders, orders.intent(origin="bot", origin_id=7)).duplicates == 0
    assert seen_by_the_gate(orders, orders.intent(origin="bot", origin_id=8)).duplicates == 1


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"plan_hash": "f" * 64}, False),
        ({"verdict": "DENY"}, False),
        ({"account": "another"}, False),
    ],
    ids=["its own", "another plan", "denied", "another account"],
)
def test_a_runs_order_needs_the_approval_of_exactly_its_plan(
    orders: Orders, change: dict[str, Any], holds: bool
) -> None:
    given = orders.pattern.intent.approval
    assert given is not None
    plan_hash = given.plan_hash
    if change.get("account"):
        change = {"account": Account.objects.create(name="b", environment="sim", wire="real")}
    given.pk, given.subject = None, "run:2"
    for name, value in change.items():
        setattr(given, name, value)
    given.save(force_insert=True)
    run_order = {"origin": "run", "origin_id": 1, "plan_hash": plan_hash, "approval_id": given.pk}
    assert seen_by_the_gate(orders, orders.intent(**run_order)).approval_ok is holds
    assert seen_by_the_gate(orders, orders.intent()).approval_ok, "an order by hand has none"


@pytest.mark.parametrize(("side", "stopped"), [("BUY", True), ("SELL", False)])
def test_a_paused_account_buys_nothing(orders: Orders, side: str, stopped: bool) -> None:
    order = orders.intent(side=side)
    assert not seen_by_the_gate(orders, order).account_paused
    order.account.paused_reason = "external_order"
    assert seen_by_the_gate(orders, order).account_paused is stopped


def test_an_account_that_was_switched_off_sends_nothing(orders: Orders) -> None:
    order = orders.intent()
    assert seen_by_the_gate(orders, order).environment_ok
    order.account.is_active = False
    assert not seen_by_the_gate(orders, order).environment_ok


def test_an_open_order_of_the_other_side_is_seen(orders: Orders) -> None:
    orders.attempt("ACKED", side="SELL")
    orders.attempt("REJECTED", side="SELL", instrument_id=OTHER)
    assert seen_by_the_gate(orders, orders.intent()).opposite_open == 1
    assert seen_by_the_gate(orders, orders.intent(side="SELL")).opposite_open == 0
    assert seen_by_the_gate(orders, orders.intent(instrument_id=OTHER)).opposite_open == 0


def test_an_order_follows_the_limits_its_plan_was_approved_under(orders: Orders) -> None:
    given = orders.pattern.intent.approval
    assert given is not None
    account = orders.world.account
    add_limits(account, {"per_day": 50}, by="owner")
    given.pk, given.subject = None, "run:2"
    given.decided_at = orders.world.now + timedelta(seconds=1)
    given.save(force_insert=True)
    orders.world.sim.advance(5)
    add_limits(account, {"per_day": 90}, by="owner")
    planned = orders.intent(origin="run", origin_id=1, approval_id=given.pk)
    for asked, limit in ((planned, 50), (orders.intent(), 90)):
        seen = seen_by_the_gate(orders, asked)
        assert seen.limits is not None and seen.limits["per_day"] == limit


def test_another_accounts_orders_and_fills_are_not_seen(orders: Orders) -> None:
    asked = orders.intent()
    before = seen_by_the_gate(orders, asked)
    account = Account.objects.create(name="b", environment="sim", wire="real")
    sleeve = account.sleeves.create(code="mp_core", name="x")
    theirs = orders.attempt("ACKED", side="SELL", account=account, sleeve=sleeve).intent
    promise(theirs, orders, shares=10)
    fill = {"cum_before": 0, "cum_after": 10, "quantity": 10, "amount": 300_000, "fee": 0, "tax": 0}
    Ledger.objects.create(order=listed(theirs, orders), posted_at=orders.world.now, **fill)
    after = seen_by_the_gate(orders, asked)
    seen = ("opposite_open", "sent_today", "day_won", "duplicates", "cash_changed_at")
    assert [getattr(after, name) for name in seen] == [getattr(before, name) for name in seen]


def test_shares_of_a_sell_that_the_broker_lists_are_not_taken_off_twice(orders: Orders) -> None:
    earlier = orders.attempt("ACKED", side="SELL", quantity=7).intent
    promise(earlier, orders, shares=7)
    order = listed(earlier, orders)
    asked = orders.intent(side="SELL")
    promise(asked, orders, shares=10)
    assert seen_by_the_gate(orders, asked).open_sell_shares == 7, "its own promise is not another's"
    BrokerOrder.objects.filter(pk=order.pk).update(listed=True)
    assert seen_by_the_gate(orders, asked).open_sell_shares == 0


@pytest.mark.parametrize(("seconds", "won"), [(-1, 0), (0, 300_001), (1, 300_001)])
def test_a_buy_accepted_before_the_cash_was_read_is_in_that_figure(
    orders: Orders, seconds: int, won: int
) -> None:
    read_at = orders.world.now
    earlier = orders.attempt("ACKED", instrument_id=OTHER).intent
    promise(earlier, orders, won=300_001)
    listed(earlier, orders, first_seen_at=read_at + timedelta(seconds=seconds))
    seen = seen_by_the_gate(orders, orders.intent(), orderable=1, orderable_at=read_at)
    assert seen.reserved_won == won
    closed = promise(orders.intent(), orders, won=5, closed_at=read_at)
    assert closed.won and seen_by_the_gate(orders, orders.intent()).reserved_won == 0


@pytest.mark.parametrize(("side", "held"), [("BUY", {"won": 5}), ("SELL", {"shares": 5})])
def test_what_another_account_promised_is_not_taken_off(
    orders: Orders, side: str, held: dict[str, int]
) -> None:
    other = Account.objects.create(name="b", environment="sim", wire="real")
    theirs = orders.attempt("ACKED", account=other, side=side).intent
    promise(theirs, orders, **held)
    asked = orders.intent(side=side)
    seen = seen_by_the_gate(orders, asked, orderable=1, orderable_at=orders.world.now)
    assert (seen.reserved_won, seen.open_sell_shares) == (0, 0)
    promise(orders.attempt("ACKED", side=side).intent, orders, **held)
    seen = seen_by_the_gate(orders, asked, orderable=1, orderable_at=orders.world.now)
    assert seen.reserved_won + seen.open_sell_shares == 5


def test_a_market_buy_reserves_the_days_upper_limit(orders: Orders) -> None:
    at_market = orders.intent(order_type="MARKET", limit_price=None)
    assert reserve_for(at_market, 39_000) > 390_000
    assert 300_000 < reserve_for(orders.intent(), 39_000) < 390_000


def test_a_runs_budget_holds_what_is_promised_and_what_was_spent(world: World) -> None:
    run = world.drive(world.open(), until="FINAL_RECON")
    bought = Intent.objects.filter(side="BUY", action="order", state="FILLED")
    ledger = [row for intent in bought for row in intent.broker_order.ledger.all()]
    spent = sum(row.amount + row.fee for row in ledger)
    asked = Intent(origin="run", origin_id=run.pk, account=world.account)
    assert spent > 0 and budget_used(asked) == spent
    Reservation.objects.filter(intent=bought.earliest("pk")).update(closed_at=None)
    first = bought.earliest("pk")
    own = sum(row.amount + row.fee for row in first.broker_order.ledger.all())
    assert budget_used(asked) == spent - own + first.reservation.won
    assert budget_used(Intent(origin="run", origin_id=run.pk + 1, account=world.account)) == 0
