"""A broker that shows what is not held, gives out tokens that open nothing, or takes back what was filled."""

from __future__ import annotations

import pytest

from rebalancing.models import Leg
from tests.support.told import fired, paged
from tests.support.truth import check_truth
from tests.support.world import HOLDINGS, World
from trading.domain.errors import BrokerContradicts, BrokerError
from trading.models import Alert, BrokerOrder, KisToken, Ledger, Position
from trading.services.brokers import token_store_for
from trading.services.reconcile import reconcile_account
from trading.services.snapshots import take_snapshot
from trading.services.switches import switch_state

pytestmark = [pytest.mark.money, pytest.mark.once, pytest.mark.django_db(transaction=True)]


# --- the balance ------------------------------------------------------------------------------


BALANCES = [
    ("B10", "twice"),
    ("B10", "double"),
    ("B10", "phantom"),
    ("B11", "empty"),
    ("B11", "zero"),
]


def holdings_known(world: World) -> None:
    """The account was seen before, so that there are books to compare with."""
    take_snapshot(world.account, [])


@pytest.mark.parametrize(("fault", "shape"), BALANCES)
def test_a_plan_is_not_made_of_a_balance_that_contradicts_the_books(
    world: World, fault: str, shape: str
) -> None:
    holdings_known(world)
    run = world.drive(world.open(), until="SNAPSHOT")
    world.sim.arm(fault, params={"shape": shape}, count=2)
    run = world.drive(run)
    assert (run.state, fired(world)) == ("COMPLETED", [fault] * 2)
    assert run.snapshot is not None
    assert {t: row["quantity"] for t, row in run.snapshot.holdings.items()} == HOLDINGS
    assert Alert.objects.filter(code="holdings_differ", acknowledged_by="").count() == 0
    assert not Alert.objects.filter(code="external_holding_change").exists()
    check_truth(world)


@pytest.mark.parametrize(("fault", "shape"), BALANCES)
def test_a_sale_is_neither_dropped_nor_doubled_for_one_untrue_balance(
    world: World, fault: str, shape: str
) -> None:
    run = world.drive(world.open(), until="SELLING")
    leg = Leg.objects.filter(run=run, side="SELL").earliest("number")
    world.sim.arm(fault, params={"shape": shape, "ticker": leg.instrument_id})
    run = world.drive(run)
    assert (run.state, fired(world)) == ("COMPLETED", [fault])
    sold = [row for row in world.accepted() if row["ticker"] == leg.instrument_id]
    assert sum(row["qty"] for row in sold) == leg.quantity
    check_truth(world)


def test_what_the_balance_goes_on_saying_is_believed_in_the_end(world: World) -> None:
    """Shares can come and go without an order of anybody's."""
    holdings_known(world)
    Position.objects.filter(instrument_id="069500").update(quantity=600)
    with pytest.raises(BrokerContradicts):
        take_snapshot(world.account, [])
    world.sim.advance(20)
    with pytest.raises(BrokerContradicts):
        take_snapshot(world.account, [])
    world.sim.advance(11)
    take_snapshot(world.account, [])
    assert Position.objects.get(instrument_id="069500").quantity == HOLDINGS["069500"]
    assert Alert.objects.filter(code="external_holding_change").exists()


def test_an_account_that_values_what_it_does_not_list_is_not_taken_for_empty(
    world: World,
) -> None:
    """The very first look: there are no books to compare with."""
    world.sim.arm("B11")
    run = world.drive(world.open())
    assert (run.state, fired(world)) == ("COMPLETED", ["B11"])
    check_truth(world)


# --- tokens -----------------------------------------------------------------------------------


def test_a_dead_token_that_comes_again_stops_the_account_the_third_time(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    world.sim.arm("D02")
    world.sim.arm("D04", count=3)
    run = world.drive(run)
    assert fired(world) == ["D02"] + ["D04"] * 3
    assert switch_state(world.account) == "HALTED" and paged("token_dead_again")
    assert (run.state, run.end_reason) == ("COMPLETED_WITH_SHORTFALL", "stopped_by_switch")
    check_truth(world)


def test_a_dead_token_that_comes_once_more_is_asked_for_again(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    world.sim.arm("D02")
    world.sim.arm("D04")
    run = world.drive(run)
    assert (run.state, fired(world)) == ("COMPLETED", ["D02", "D04"])
    assert switch_state(world.account) == "ACTIVE" and paged("token_dead_again")
    check_truth(world)


@pytest.mark.parametrize("shape", ["short", "empty", "no_expiry", "past", "html"])
def test_a_token_that_is_none_replaces_nothing(world: World, shape: str) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    kept = KisToken.objects.get().token
    world.sim.arm("D02")
    world.sim.arm("D05", params={"shape": shape})
    with pytest.raises(BrokerError):
        token_store_for(world.account).renew(kept)
    assert KisToken.objects.get().token == kept
    assert paged("token_garbled") is (shape != "html"), "a page of a gateway is no token at all"
    run = world.drive(run)
    assert (run.state, fired(world)) == ("COMPLETED", ["D02", "D05"])
    assert KisToken.objects.get().token != kept
    check_truth(world)


# --- taken back -------------------------------------------------------------------------------


def test_a_fill_taken_back_is_a_persons_and_the_books_stay_as_they_were(world: World) -> None:
    run = world.drive(world.open())
    assert run.state == "COMPLETED"
    check_truth(world)
    order = BrokerOrder.objects.filter(side="BUY").latest("order_no")
    steps = list(Ledger.objects.values_list("pk", "quantity", "amount"))
    world.sim.arm("E13", params={"ticker": order.instrument_id, "quantity": 1})
    reconcile_account(world.account)
    order.refresh_from_db()
    assert (order.flag, paged("fill_regressed")) == ("fill_regressed", True)
    world.sim.advance(121)
    reconcile_account(world.account)
    order.refresh_from_db()
    assert (order.flag, paged("fill_corrected")) == ("fill_corrected", True)
    assert list(Ledger.objects.values_list("pk", "quantity", "amount")) == steps
    assert order.filled_quantity == order.quantity
