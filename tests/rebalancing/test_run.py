"""A run from drift to fills against the simulator over real sockets; its truth is the referee."""

from __future__ import annotations

import pytest

from rebalancing.models import Leg, RebalancingHistory
from rebalancing.services import history as histories
from tests.support.world import World
from trading.models import Alert, Ledger, Position, Reservation
from trading.services.audit import verify

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def ledger_cash() -> int:
    return sum(
        (row.amount if row.order.side == "SELL" else -row.amount) - row.fee - row.tax
        for row in Ledger.objects.select_related("order")
    )


def positions() -> dict[str, int]:
    return {p.instrument_id: p.quantity for p in Position.objects.filter(quantity__gt=0)}


def test_a_drifted_account_is_brought_to_its_targets(world: World) -> None:
    run = world.drive(world.open())
    assert (run.state, run.end_reason) == ("COMPLETED", "")
    truth = world.truth()
    assert positions() == truth["positions"]["99887766-01"]
    assert 8_400_000 + ledger_cash() == truth["cash"]["99887766-01"]["d2_cash"]
    legs = list(Leg.objects.filter(run=run))
    assert legs and all(leg.filled_quantity == leg.quantity for leg in legs)
    history = RebalancingHistory.objects.get(run=run)
    assert history.drift_before["triggers"] and not history.drift_after["triggers"]
    assert not Reservation.objects.filter(closed_at=None).exists()
    assert list(Alert.objects.values_list("code", "facts")) == []
    assert verify() is None


def test_every_sell_is_final_before_the_first_buy_is_posted(world: World) -> None:
    world.drive(world.open())
    sides = [row["side"] for row in world.accepted()]
    assert sides == sorted(sides, key=lambda side: side == "buy")
    assert {"sell", "buy"} == set(sides)


def test_an_account_inside_its_bands_is_left_alone(world: World) -> None:
    world.drive(world.open())
    world.settle()
    again = world.drive(world.open())
    assert (again.state, again.end_reason) == ("NO_ACTION", "inside_bands")
    assert len(world.accepted()) == Leg.objects.count()


def test_a_dry_run_plans_and_sends_nothing(world: World) -> None:
    run = world.drive(world.open(dry_run=True))
    assert (run.state, run.end_reason) == ("CANCELED", "dry_run")
    assert run.outcome["checks"] and Leg.objects.filter(run=run).exists()
    assert world.accepted() == []


@pytest.mark.parametrize(
    ("side", "amount", "worse"),
    [("BUY", 1_010, 10), ("BUY", 990, -10), ("SELL", 1_010, -10), ("SELL", 990, 10)],
)
def test_what_a_fill_was_worse_than_planned_is_a_cost(side: str, amount: int, worse: int) -> None:
    leg = Leg(side=side, filled_quantity=10, filled_amount=amount, reference_price=100)
    assert histories._slippage(leg) == worse
