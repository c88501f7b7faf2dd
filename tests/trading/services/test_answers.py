"""T3: an order number in an answer is ours only while nobody else's order has it."""

from __future__ import annotations

import pytest

from tests.support.world import World
from trading.domain.orders import Reply
from trading.models import Attempt, BrokerOrder, Intent
from trading.services import answers

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def twin_of(intent: Intent) -> Intent:
    """Another wish on the same terms."""
    twin = Intent.objects.get(pk=intent.pk)
    twin.pk, twin.key, twin.state = None, f"{intent.key}:twin", "AUTHORIZED"
    twin.save(force_insert=True)
    return twin


def test_an_order_that_has_its_owner_is_not_taken_by_another_wish(world: World) -> None:
    world.drive(world.open())
    order = BrokerOrder.objects.exclude(owner=None).earliest("pk")
    assert order.owner is not None
    owner, twin = order.owner, twin_of(order.owner)
    reply = Reply(parsed=True, ok=True, order_no=order.order_no, org_no=order.org_no)
    assert answers._own_order(Attempt(baseline=[]), twin, reply, world.now) is None
    assert BrokerOrder.objects.get(pk=order.pk).owner == owner


def test_an_order_that_was_only_listed_so_far_gets_its_owner_by_the_answer(world: World) -> None:
    world.drive(world.open())
    order = BrokerOrder.objects.exclude(owner=None).earliest("pk")
    assert order.owner is not None
    twin = twin_of(order.owner)
    BrokerOrder.objects.filter(pk=order.pk).update(owner=None, source="EXTERNAL")
    reply = Reply(parsed=True, ok=True, order_no=order.order_no, org_no=order.org_no)
    assert answers._own_order(Attempt(baseline=[]), twin, reply, world.now) == order
    assert BrokerOrder.objects.get(pk=order.pk).owner == twin


def test_an_order_that_was_there_before_anything_was_sent_is_not_ours(world: World) -> None:
    world.drive(world.open())
    order = BrokerOrder.objects.exclude(owner=None).earliest("pk")
    assert order.owner is not None
    twin = twin_of(order.owner)
    BrokerOrder.objects.filter(pk=order.pk).update(owner=None, source="EXTERNAL")
    reply = Reply(parsed=True, ok=True, order_no=order.order_no, org_no=order.org_no)
    before = Attempt(baseline=[order.order_no])
    assert answers._own_order(before, twin, reply, world.now) is None
    assert BrokerOrder.objects.get(pk=order.pk).owner is None
