"""A cancel looks first, and one that the broker refuses is not asked for for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rebalancing.domain.execution import Cancels
from rebalancing.models import Leg, Run
from rebalancing.services import cancelling
from rebalancing.services.advance import run_advance
from rebalancing.services.legs import cancels_of
from tests.support.orders import Orders
from tests.support.truth import check_truth
from tests.support.world import World, world_of
from trading.models import Attempt, Intent

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]

CANCEL = {"real": "TTTC0013U", "mock": "VTTC0013U"}


def cancels_sent(world: World) -> list[dict[str, Any]]:
    return [row for row in world.journal("http_req") if row["path"].endswith("order-rvsecncl")]


def stuck(world: World) -> Run:
    """A run one of whose sells fills in part and then hangs."""
    run = world.drive(world.open(), until="APPROVED")
    sold = Leg.objects.filter(run=run, side="SELL").earliest("number").instrument_id
    world.sim.arm("E01", match={"ticker": sold}, params={"share": 0.4})
    return run


@pytest.mark.parametrize("wire", ["real", "mock"])
def test_what_filled_meanwhile_is_not_cancelled_and_its_end_comes_by_inquiry(
    transactional_db: None, wire: str
) -> None:
    with world_of(wire=wire) as world:
        run = world.drive(world.open(), until="SELL_WAIT")
        order = Intent.objects.filter(action="order", state="ACKED").earliest("pk")
        world.settle()
        cancelling.cancel_order(run, order.pk, world.now)
        assert cancels_sent(world) == []
        cancel = Intent.objects.get(action="cancel")
        assert cancel.state == "REVOKED" and cancel.state_reason
        assert not Attempt.objects.filter(action="cancel").exists()
        assert cancels_of(run) == {order.pk: Cancels(1, cancel.state_since)}, "it counts as a try"
        run = world.drive(run)
        assert run.state == "COMPLETED"
        order.refresh_from_db()
        assert order.state == "FILLED"
        check_truth(world)


@pytest.mark.parametrize("wire", ["real", "mock"])
def test_what_still_works_is_cancelled_once(transactional_db: None, wire: str) -> None:
    with world_of(wire=wire) as world:
        run = world.drive(stuck(world))
        assert run.state == "COMPLETED_WITH_SHORTFALL"
        assert len(cancels_sent(world)) == 1
        assert Intent.objects.filter(action="cancel", state="CANCELED").count() == 1
        check_truth(world)


def test_no_cancel_goes_out_on_a_lane_that_waits_for_an_answer(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    first, *others = cancelling.cancellable_orders(run)
    assert others
    orders = Orders(world, Attempt.objects.earliest("pk"))
    orders.attempt("UNKNOWN", instrument_id=first.instrument_id, side=first.side)
    assert cancelling.cancellable_orders(run) == others


@pytest.mark.once
def test_a_cancel_that_is_refused_is_asked_for_less_and_less_often(world: World) -> None:
    run = stuck(world)
    world.sim.arm("A14", match={"tr_id": CANCEL["real"]}, params={"code": "APBK0344"}, count=500)
    run = world.drive(run, until=lambda _run: bool(cancels_sent(world)))
    until = world.now + timedelta(minutes=6)
    while world.now < until:
        due = Run.objects.get(pk=run.pk).due_at
        assert due is not None
        world.sim.advance(max(0.0, (due - world.now).total_seconds()))
        run_advance(run.pk)
    sent = Attempt.objects.filter(action="cancel").order_by("pk")
    times = [attempt.committed_at for attempt in sent]
    gaps = [(b - a).total_seconds() for a, b in zip(times, times[1:], strict=False)]
    assert len(cancels_sent(world)) == len(times) <= 10, "six seconds apart it would be sixty"
    assert gaps[0] >= 6 and len(gaps) > 5 and all(gap >= 60 for gap in gaps[4:])
    world.sim.disarm()
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    check_truth(world)
