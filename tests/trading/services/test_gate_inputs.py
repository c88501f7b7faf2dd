"""What the gate is told about an order: lanes, approvals, twins and promises, as the record has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.support.world import World
from trading.domain.limits import GateInputs
from trading.models import Account, Approval, Attempt, BrokerOrder, Intent, Lane, Reservation
from trading.services.gate_inputs import FreshInputs, gate_inputs
from trading.services.reservations import budget_used, reserve_for

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]

ASKED, OTHER = "130730", "148070"


@dataclass
class Orders:
    """Orders written straight into the record of an account that has sent one before."""

    world: World
    pattern: Attempt
    made: int = 0

    def intent(self, **change: Any) -> Intent:
        self.made += 1
        facts = {
            "key": f"test:{self.made}",
            "origin": "manual",
            "origin_id": None,
            "account": self.world.account,
            "sleeve": self.pattern.intent.sleeve,
            "instrument_id": ASKED,
            "side": "BUY",
            "quantity": 10,
            "order_type": "LIMIT",
            "limit_price": 30_000,
            "reference_price": 30_000,
            "deadline_at": self.world.now + timedelta(minutes=5),
            "state": "AUTHORIZED",
            "state_since": self.world.now,
            "created_at": self.world.now,
        }
        return Intent.objects.create(**facts | change)

    def attempt(self, state: str, *, age: int = 30, **change: Any) -> Attempt:
        """An attempt in `state` at a new intent that `change` describes."""
        intent = self.intent(**{"state": _INTENT_OF[state]} | change)
        at = self.world.now - timedelta(seconds=age)
        return Attempt.objects.create(
            intent=intent,
            lane=self.lane(intent),
            number=1,
            action="order",
            nonce=f"{self.made:032d}",
            state=state,
            body="{}",
            body_hash="0" * 64,
            baseline=[],
            baseline_hash="0" * 64,
            baseline_enumeration=self.pattern.baseline_enumeration,
            committed_at=at,
            deadline_at=at + timedelta(seconds=20),
            wall_deadline_at=at + timedelta(seconds=20),
            epoch=self.pattern.epoch,
        )

    def lane(self, intent: Intent) -> Lane:
        terms = {"account": intent.account, "side": intent.side}
        return Lane.objects.get_or_create(instrument_id=intent.instrument_id, **terms)[0]

    def seen_by_the_gate(self, intent: Intent, **fresh: Any) -> GateInputs:
        return gate_inputs(intent, self.lane(intent), FreshInputs(**fresh), self.world.now, None)


_INTENT_OF = {
    "SENDING": "SENDING",
    "UNKNOWN": "UNKNOWN",
    "ACKED": "ACKED",
    "REJECTED": "REJECTED",
    "NOT_SENT": "AUTHORIZED",
    "ABSENT": "ABANDONED",
}


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
    assert orders.seen_by_the_gate(orders.intent()).lane_free is free
    assert orders.seen_by_the_gate(orders.intent(instrument_id=OTHER)).lane_free


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
    assert orders.seen_by_the_gate(orders.intent()).duplicates == count


def test_what_was_not_sent_and_what_the_same_parent_sent_is_no_duplicate(orders: Orders) -> None:
    orders.attempt("NOT_SENT")
    assert orders.seen_by_the_gate(orders.intent()).duplicates == 0
    orders.attempt("REJECTED", origin="bot", origin_id=7)
    assert orders.seen_by_the_gate(orders.intent(origin="bot", origin_id=7)).duplicates == 0
    assert orders.seen_by_the_gate(orders.intent(origin="bot", origin_id=8)).duplicates == 1


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
    Approval.objects.filter(pk=given.pk).update(**change)
    run_order = {"origin": "run", "origin_id": 1, "plan_hash": plan_hash, "approval_id": given.pk}
    assert orders.seen_by_the_gate(orders.intent(**run_order)).approval_ok is holds
    assert orders.seen_by_the_gate(orders.intent()).approval_ok, "an order by hand has none"


@pytest.mark.parametrize(("side", "stopped"), [("BUY", True), ("SELL", False)])
def test_a_paused_account_buys_nothing(orders: Orders, side: str, stopped: bool) -> None:
    order = orders.intent(side=side)
    assert not orders.seen_by_the_gate(order).account_paused
    order.account.paused_reason = "external_order"
    assert orders.seen_by_the_gate(order).account_paused is stopped


def test_an_account_that_was_switched_off_sends_nothing(orders: Orders) -> None:
    order = orders.intent()
    assert orders.seen_by_the_gate(order).environment_ok
    order.account.is_active = False
    assert not orders.seen_by_the_gate(order).environment_ok


def test_an_open_order_of_the_other_side_is_seen(orders: Orders) -> None:
    orders.attempt("ACKED", side="SELL")
    orders.attempt("REJECTED", side="SELL", instrument_id=OTHER)
    assert orders.seen_by_the_gate(orders.intent()).opposite_open == 1
    assert orders.seen_by_the_gate(orders.intent(side="SELL")).opposite_open == 0
    assert orders.seen_by_the_gate(orders.intent(instrument_id=OTHER)).opposite_open == 0


def promise(intent: Intent, orders: Orders, **change: Any) -> Reservation:
    facts = {"won": 0, "shares": 0, "opened_at": orders.world.now} | change
    return Reservation.objects.create(intent=intent, **facts)


def listed(intent: Intent, orders: Orders, **change: Any) -> BrokerOrder:
    facts = {
        "account": intent.account,
        "trade_date": orders.world.now.date(),
        "order_no": f"{9_000 + intent.pk:010d}",
        "owner": intent,
        "source": "ACK",
        "instrument_id": intent.instrument_id,
        "side": intent.side,
        "quantity": intent.quantity,
        "remaining_quantity": intent.quantity,
        "first_seen_at": orders.world.now,
        "last_seen_at": orders.world.now,
    }
    return BrokerOrder.objects.create(**facts | change)


def test_shares_of_a_sell_that_the_broker_lists_are_not_taken_off_twice(orders: Orders) -> None:
    earlier = orders.attempt("ACKED", side="SELL", quantity=7).intent
    promise(earlier, orders, shares=7)
    order = listed(earlier, orders)
    asked = orders.intent(side="SELL")
    assert orders.seen_by_the_gate(asked).open_sell_shares == 7, "the sellable figure lags"
    BrokerOrder.objects.filter(pk=order.pk).update(listed=True)
    assert orders.seen_by_the_gate(asked).open_sell_shares == 0


@pytest.mark.parametrize(("seconds", "won"), [(-1, 0), (0, 300_001), (1, 300_001)])
def test_a_buy_accepted_before_the_cash_was_read_is_in_that_figure(
    orders: Orders, seconds: int, won: int
) -> None:
    read_at = orders.world.now
    earlier = orders.attempt("ACKED", instrument_id=OTHER).intent
    promise(earlier, orders, won=300_001)
    listed(earlier, orders, first_seen_at=read_at + timedelta(seconds=seconds))
    seen = orders.seen_by_the_gate(orders.intent(), orderable=1, orderable_at=read_at)
    assert seen.reserved_won == won
    closed = promise(orders.intent(), orders, won=5, closed_at=read_at)
    assert closed.won and orders.seen_by_the_gate(orders.intent()).reserved_won == 0


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
