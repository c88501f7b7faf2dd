"""The composite storms: every law holds, what was planned really struck, and the days after are ordinary."""

from __future__ import annotations

import pytest

from rebalancing.domain.laws import judge
from rebalancing.domain.states import TERMINAL
from tests.storm.composites import COMPOSITE, NAMES, composite_seeds, name_of
from tests.storm.seeds import plan_of
from tests.storm.story import Told, play

pytestmark = [pytest.mark.once, pytest.mark.money, pytest.mark.django_db(transaction=True)]


def broken(told: Told) -> list[str]:
    found = judge(told.case)
    return [f"{v.law}: {v.text} {v.witness}" for f in found.values() for v in f.violations]


@pytest.mark.parametrize("seed", composite_seeds(), ids=lambda s: f"{name_of(s)}-{s % 2}")
def test_a_composite_storm_breaks_no_law(seed: int) -> None:
    plan = plan_of(seed)
    told = play(plan)
    assert not broken(told)
    assert told.case.posts, "a storm in which nothing trades proves nothing"
    struck = set(told.case.fired) | {name for name, count in told.acted.items() if count}
    wanted = {one.fault for one in plan.strikes} | {act.kind for act in plan.acts}
    assert wanted <= struck, wanted - struck
    assert not plan.deaths or told.died
    assert set(told.outcomes) <= {str(state) for state in TERMINAL}, told.outcomes


def test_every_composite_is_played_on_both_profiles_and_stays_what_it_was() -> None:
    plans = [plan_of(seed) for seed in composite_seeds()]
    played = {(name_of(plan.seed), plan.profile) for plan in plans}
    assert played == {(name, profile) for name in NAMES for profile in ("real", "mock")}
    assert plan_of(COMPOSITE) == plan_of(COMPOSITE) != plan_of(COMPOSITE + 2 * len(NAMES))
