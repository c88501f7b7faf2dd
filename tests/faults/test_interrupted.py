"""A volatility interruption on a name of a run: its leg waits and loses no time, the others go on.

Nothing here depends on the database, so it runs on SQLite alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rebalancing.models import Leg
from tests.support.truth import check_truth
from tests.support.world import World, world_of
from trading.models import RuleCheck

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_interruption_holds_a_leg_and_takes_nothing_of_its_time(world: World) -> None:
    run = world.drive(world.open(), until="APPROVED")
    held = Leg.objects.filter(run=run, side="SELL").earliest("number").instrument_id
    world.sim.arm("E02", params={"ticker": held, "seconds": 150})
    began = world.now
    run = world.drive(run)
    assert run.state == "COMPLETED"
    sent = {
        row["ticker"]: datetime.fromisoformat(row["vt"])
        for row in world.accepted()
        if row["side"] == "sell"
    }
    others = [at for ticker, at in sent.items() if ticker != held]
    assert sent[held] >= began + timedelta(seconds=150)
    assert others and max(others) < began + timedelta(seconds=60), "nobody else waits for it"
    waits = RuleCheck.objects.filter(verdict="VETO", intent__instrument_id=held)
    assert waits.exists()
    refused = {r["rule"] for row in waits for r in row.results if not r["passed"]}
    assert refused == {"not_interrupted"}
    check_truth(world)


def test_a_step_that_waits_for_an_interruption_still_ends_at_the_days_cut_off(
    transactional_db: None,
) -> None:
    start = datetime.fromisoformat("2026-11-20T15:07:30+09:00")
    with world_of(start=start) as world:
        run = world.drive(world.open(), until="APPROVED")
        held = Leg.objects.filter(run=run, side="SELL").earliest("number").instrument_id
        world.sim.arm("E02", params={"ticker": held, "seconds": 300})
        run = world.drive(run)
        assert run.state == "COMPLETED_WITH_SHORTFALL"
        leg = Leg.objects.get(run=run, instrument_id=held, side="SELL")
        assert (leg.filled_quantity, leg.outcome) == (0, "deadline")
        check_truth(world)
