"""A migration waits for orders that are on their way, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from config.open_orders import open_orders, refuse_over_open_orders
from tests.support.orders import Orders
from tests.support.world import World, world_of
from trading.models import Account, Attempt, BrokerOrder

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]
PLAN = ["a migration"]


@pytest.fixture
def orders(transactional_db: None) -> Iterator[Orders]:
    """One order went out, and it is over; the account trades at the broker's mock."""
    with world_of(wire="mock") as world:
        world.drive(world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists())
        BrokerOrder.objects.update(is_final=True)
        Account.objects.update(environment="mock")
        world.account.refresh_from_db()
        yield Orders(world, Attempt.objects.get())


def migrate(plan: Any = PLAN) -> None:
    refuse_over_open_orders(plan, "default")


def test_nothing_is_open_and_nothing_is_refused(orders: Orders) -> None:
    migrate()
    call_command("migrate", verbosity=0, interactive=False)
    assert open_orders("default") == 0


@pytest.mark.parametrize("left", ["SENDING", "UNKNOWN", "open"])
def test_what_is_open_or_unknown_refuses_a_migration_but_no_look_at_one(
    orders: Orders, settings: Any, left: str
) -> None:
    if left == "open":
        BrokerOrder.objects.update(is_final=False)
    else:
        orders.attempt(left)
    with pytest.raises(CommandError, match="open or have no answer: 1"):
        migrate()
    migrate(plan=[])
    settings.MIGRATE_OVER_OPEN_ORDERS = True
    migrate()


def test_an_order_of_somebody_else_is_no_reason(orders: Orders) -> None:
    BrokerOrder.objects.update(is_final=False, owner=None, source="EXTERNAL")
    migrate()
    assert open_orders("default") == 0
    assert BrokerOrder.objects.filter(is_final=False).exists(), "it is open, and not ours"


def test_the_simulators_orders_are_no_reason(world: World) -> None:
    world.drive(world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists())
    assert BrokerOrder.objects.filter(is_final=False).exists() or Attempt.objects.exists()
    migrate()


def test_a_database_before_our_first_migration_has_none(
    monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", lambda *_: ["auth_group"])
    assert open_orders("default") == 0
