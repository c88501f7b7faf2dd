"""Random days with faults: every law holds whatever breaks, and the platform still trades."""

from __future__ import annotations

import os

import pytest
from django.core.management import call_command

from rebalancing.domain.laws import PAIRS, judge
from tests.storm.seeds import (
    EVERY,
    FAULTS,
    HARNESS,
    LATER,
    LIES,
    TRANSIENT,
    WAITING,
    combinations,
    directed_seeds,
    plan_of,
    twin_of,
)
from tests.storm.story import Told, play
from trading.simulator.faults import FAULTS as KNOWN

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]
SEEDS = (7,)
"""Of three days; `test_short.py` has two hundred of one, `make storm` as many as there is time for."""
MORE = range(int(os.environ.get("STORM_MORE", "0")))


def broken(told: Told) -> list[str]:
    found = judge(told.case)
    return [f"{v.law}: {v.text} {v.witness}" for f in found.values() for v in f.violations]


@pytest.mark.parametrize("seed", [*SEEDS, *(seed for seed in MORE if seed not in SEEDS)])
def test_every_law_holds_over_three_days_with_faults(seed: int) -> None:
    told = play(plan_of(seed))
    assert not broken(told)
    assert told.case.posts, "a storm in which nothing trades proves nothing"


@pytest.mark.once
def test_without_faults_every_planned_trade_is_done() -> None:
    told = play(twin_of(plan_of(0)))
    assert not broken(told)
    assert dict(told.outcomes) == {"COMPLETED": 3}
    assert not told.case.fired and told.case.accepted


@pytest.mark.once
def test_one_seed_twice_is_one_journal() -> None:
    first = play(plan_of(10))
    call_command("flush", verbosity=0, interactive=False)
    second = play(plan_of(10))
    assert not PAIRS["I26"](first.case, second.case).violations
    assert first.case.fired, "and something broke in it"


def test_a_seed_draws_only_faults_that_the_simulator_knows_and_with_their_parameters() -> None:
    assert set(FAULTS | LATER) <= set(KNOWN) and set(FAULTS) >= TRANSIENT
    assert not set(FAULTS | LATER) & set(LIES)
    for fault, drawn in EVERY.items():
        for params in drawn:
            assert set(params) <= KNOWN[fault].params, fault
    plans = [plan_of(seed) for seed in range(300)]
    assert {one.fault for plan in plans for one in plan.strikes} == set(EVERY)
    assert {act.kind for plan in plans for act in plan.acts} == set(HARNESS) - {"G13"}
    assert not (set(EVERY) | set(HARNESS)) & set(WAITING)
    assert plan_of(7) == plan_of(7) != plan_of(8)


def test_the_directed_seeds_play_every_fault_on_every_leg_with_and_without_a_crash() -> None:
    plans = [plan_of(seed) for seed in directed_seeds()]
    for profile in ("real", "mock"):
        played = {
            (strike.fault, str(strike.match.get("side", "")), dict(plan.deaths).get(strike.day, ""))
            for plan in plans
            if plan.profile == profile
            for strike in plan.strikes
        }
        assert played == set(combinations())
    assert {fault for fault, _side, _death in combinations()} == set(EVERY)
