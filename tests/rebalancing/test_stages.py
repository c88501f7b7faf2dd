"""Single stages of a run at their edges: prices that moved together, prices that aged, time given back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from rebalancing.models import Leg, Run
from rebalancing.services.advance import run_advance
from rebalancing.services.stages.pausing import resumed_deadline
from rebalancing.services.stages.sending import _has_fresh_list
from tests.support.world import World
from tests.trading.services.test_gateway import lose_the_commits_answer
from trading.models import Intent
from trading.services.reconcile import reconcile_account

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("state", "now", "until"),
    [
        ("SELL_WAIT", "10:00:00", "10:03:00"),
        ("SELLING", "15:08:00", "15:10:00"),
        ("BUYING", "10:00:00", "10:03:00"),
        ("BUYING", "15:11:00", "15:14:00"),
        ("BUY_WAIT", "15:13:00", "15:15:00"),
    ],
)
def test_a_resumed_step_gets_its_full_time_within_the_day(
    state: str, now: str, until: str, db: None
) -> None:
    day = "2026-11-20T{}+09:00"
    run = Run(outcome={"resume": state})
    found = resumed_deadline(run, datetime.fromisoformat(day.format(now)))
    assert found == datetime.fromisoformat(day.format(until))


def test_a_wait_acts_on_its_list_even_when_the_clock_outruns_it(world: World) -> None:
    """At a speed of 60 one step takes longer than a list stays fresh; reading again would never end."""
    run = world.drive(world.open(), until="SELL_WAIT")
    world.settle()
    for _ in range(4):
        run_advance(run.pk)
        world.sim.advance(5)
    assert Run.objects.get(pk=run.pk).state != "SELL_WAIT"


@pytest.mark.parametrize(
    ("age", "made_due", "fresh"),
    [(2, False, True), (3, False, False), (59, True, True), (60, True, False)],
)
def test_a_list_is_acted_on_while_it_is_young_or_was_read_for_this_step_within_a_minute(
    world: World, age: int, made_due: bool, fresh: bool
) -> None:
    run, read = world.open(), reconcile_account(world.account).ended_at
    run.due_at = read if made_due else read - timedelta(seconds=1)
    assert _has_fresh_list(run, read + timedelta(seconds=age)) is fresh


@pytest.mark.parametrize(("thousandths", "state"), [(1_005, "SELLING"), (1_015, "STALE")])
def test_a_plan_whose_names_all_moved_a_little_together_is_made_anew(
    world: World, thousandths: int, state: str
) -> None:
    run = world.drive(world.open(), until="APPROVED")
    for leg in Leg.objects.filter(run=run):
        price = leg.reference_price * thousandths // 1000
        tick = 100 if leg.instrument_id == "005930" else 5
        world.sim.set_price(leg.instrument_id, price // tick * tick)
    run_advance(run.pk)
    assert Run.objects.get(pk=run.pk).state == state


@pytest.mark.parametrize(("seconds", "aged"), [(9, False), (11, True)])
def test_a_wish_that_was_not_sent_is_sent_at_its_price_or_priced_anew(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: int, aged: bool
) -> None:
    run = world.drive(world.open(), until="SELLING")
    lose_the_commits_answer(monkeypatch, committed=False)
    run_advance(run.pk)
    first = Intent.objects.earliest("pk")
    assert first.state == "AUTHORIZED"
    world.sim.advance(seconds)
    run = world.drive(run, until=lambda _run: _state(first) != "AUTHORIZED")
    assert _state(first) == ("SUPERSEDED" if aged else "ACKED")
    assert world.drive(run).state == "COMPLETED"
    again = Intent.objects.filter(supersedes=first)
    assert again.exists() is aged


def _state(intent: Any) -> str:
    return str(Intent.objects.get(pk=intent.pk).state)
