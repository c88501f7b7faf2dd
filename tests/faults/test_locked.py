"""A name locked at a limit of the day (E05): one side waits in vain, and the run ends by its deadline."""

from __future__ import annotations

import pytest

from rebalancing.models import Leg
from tests.support.truth import check_truth
from tests.support.world import World
from trading.models import Intent

pytestmark = [pytest.mark.money, pytest.mark.once, pytest.mark.django_db(transaction=True)]
LOCKED = "360750"


def test_a_buy_of_a_name_at_its_upper_limit_keeps_its_place_until_the_deadline(
    world: World,
) -> None:
    """Every cancel and new order at the same price would go to the end of the queue."""
    world.sim.arm("E05", params={"ticker": LOCKED, "limit": "upper"})
    run = world.drive(world.open())
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    (missing,) = run.end_facts["missing"]
    assert (missing["ticker"], missing["filled"], missing["why"]) == (LOCKED, 0, "deadline")
    sent = Intent.objects.filter(instrument_id=LOCKED, action="order", attempts__isnull=False)
    assert sent.count() == 1, "one order, at the limit, and it stayed"
    assert Leg.objects.filter(run=run).exclude(instrument_id=LOCKED).count() > 3
    for leg in Leg.objects.filter(run=run).exclude(instrument_id=LOCKED):
        assert leg.filled_quantity == leg.quantity, "the others are done"
    check_truth(world)


def test_a_sale_of_a_name_at_its_upper_limit_fills_at_once(world: World) -> None:
    world.sim.arm("E05", params={"ticker": "411060", "limit": "upper"})
    run = world.drive(world.open())
    leg = Leg.objects.get(run=run, instrument_id="411060")
    assert leg.side == "SELL" and leg.filled_quantity == leg.quantity
    check_truth(world)


def test_an_order_whose_price_is_no_longer_the_best_is_chased(world: World) -> None:
    """Filled in part and halted for a while; when it trades again, the price has gone on."""
    run = world.drive(world.open(), until="APPROVED")
    leg = Leg.objects.filter(run=run, side="SELL").earliest("number")
    world.sim.arm("E01", match={"side": "sell"}, params={"share": 0.4, "seconds": 20})
    run = world.drive(run, until=lambda _run: Intent.objects.filter(state="PARTIAL").exists())
    world.sim.set_price(leg.instrument_id, leg.reference_price * 99 // 100 // 5 * 5)
    run = world.drive(run)
    orders = Intent.objects.filter(leg_id=leg.pk, action="order").order_by("pk")
    first, second = orders
    assert (first.state, second.state) == ("CANCELED", "FILLED")
    assert second.limit_price < first.limit_price
    leg.refresh_from_db()
    assert leg.filled_quantity == leg.quantity
    check_truth(world)
