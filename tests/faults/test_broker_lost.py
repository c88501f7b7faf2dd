"""The broker's process loses its power in the middle of a run and comes back with what it had said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rebalancing.models import Run
from rebalancing.selectors.words import WORDS
from rebalancing.services.advance import run_advance
from rebalancing.services.watchdog import page_what_hangs
from tests.faults.history import COMPLETED, hold_prices, judge, open_run, outcome
from tests.support.simulator_process import SimulatorProcess
from tests.support.world import World, world_of
from trading.models import Alert, BrokerOrder, Transition
from trading.services.clock import simulated_clock

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lossy(transactional_db: None) -> Iterator[World]:
    with world_of(broker=SimulatorProcess) as world:
        yield world


def lose_power(world: Any, run: Run) -> Run:
    """Kill it, let the engine ask in vain, start it again on the same port."""
    world.sim.kill()
    assert run_advance(run.pk) is not None
    run.refresh_from_db()
    assert not run.is_terminal
    world.sim.start()
    hold_prices(world)
    return run


@pytest.mark.parametrize("state", ["SELLING", "BUYING"])
def test_a_broker_that_comes_back_changes_nothing(lossy: World, state: str) -> None:
    run = lossy.drive(open_run(lossy), until=state)
    run = lose_power(lossy, run)
    run = lossy.drive(run)
    assert outcome(lossy, run) == COMPLETED
    judge(lossy)
    assert not BrokerOrder.objects.filter(owner=None).exists(), "an order became a stranger's"


def test_an_order_that_was_accepted_but_never_answered_is_found_again(lossy: World) -> None:
    lossy.sim.arm("A03", match={"side": "sell"}, params={"seconds": 0})
    run = lossy.drive(open_run(lossy), until=lambda _run: _unknown() > 0)
    run = lose_power(lossy, run)
    run = lossy.drive(run)
    assert outcome(lossy, run) == COMPLETED
    judge(lossy)
    assert BrokerOrder.objects.filter(source="ADOPTED").count() == 1


def _unknown() -> int:
    return Transition.objects.filter(object_type="attempt", to_state="UNKNOWN").count()


def test_while_it_is_away_somebody_is_told_where_to_look(lossy: World) -> None:
    run = lossy.drive(open_run(lossy), until="SELL_WAIT")
    lossy.sim.kill()
    simulated_clock.cache_clear()  # a watchdog that has just started knows no time of its own
    page_what_hangs()
    run.refresh_from_db()
    assert run.state == "SELL_WAIT"
    told = Alert.objects.get(code="clock_silent", severity="page")
    assert "시뮬레이터" in WORDS.say(told.code)
