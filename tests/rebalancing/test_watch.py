"""The overview's own look at an account: every minute, and never in the middle of a run."""

from __future__ import annotations

import pytest

from rebalancing.services import watch
from tests.support.world import ACCOUNT_NO, World, world_of
from trading.models import BrokerOrder, Snapshot
from trading.services.brokers import broker_for
from trading.services.reconcile import reconcile_account

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def test_an_account_is_read_once_a_minute(world: World) -> None:
    assert watch.refresh_accounts() == [world.account.pk]
    assert watch.refresh_accounts() == []
    world.sim.advance(61)
    assert watch.refresh_accounts() == [world.account.pk]


def test_an_account_with_a_run_is_left_alone(world: World) -> None:
    world.open()
    assert watch.refresh_accounts() == []


@pytest.mark.parametrize("wire", ["real", "mock"])
def test_an_account_that_was_sold_into_cash_is_still_read_and_is_on_its_target(
    transactional_db: None, wire: str
) -> None:
    with world_of(mp={"CASH": 100}, sub={}, holdings={"069500": 20}, wire=wire) as world:
        assert world.drive(world.open()).state == "COMPLETED"
        world.sim.advance(61)
        assert watch.refresh_accounts() == [world.account.pk]
        newest = Snapshot.objects.latest("pk")
        assert (newest.holdings, newest.equity) == ({}, newest.cash)
        run = world.drive(world.open())
        assert (run.state, run.end_reason) == ("NO_ACTION", "inside_bands")


def test_an_account_with_a_working_order_is_left_alone(world: World) -> None:
    lowest = broker_for(world.account).quote("130730").lower_limit
    world.sim.manual_order(ACCOUNT_NO, "130730", "buy", 1, lowest)
    world.settle()
    reconcile_account(world.account)
    assert watch.refresh_accounts() == []
    BrokerOrder.objects.update(is_final=True)
    assert watch.refresh_accounts() == [world.account.pk]


def test_a_silent_broker_is_not_an_error_of_the_page(world: World) -> None:
    world.sim.stop()
    assert watch.refresh_accounts() == []
    assert not Snapshot.objects.exists()


def test_old_looks_are_forgotten_but_never_those_of_a_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "KEPT", 2)
    run = world.drive(world.open(dry_run=True))
    for _ in range(4):
        world.sim.advance(61)
        watch.refresh_accounts()
    kept = set(Snapshot.objects.values_list("pk", flat=True))
    assert run.snapshot_id in kept
    assert len(kept) == 3
