"""Random days with faults: every law holds whatever breaks, and the platform still trades."""

from __future__ import annotations

import os

import pytest

from rebalancing.domain.laws import judge
from tests.storm.seeds import plan_of, twin_of
from tests.storm.story import play

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]
SEEDS = int(os.environ.get("STORM_FAST_SEEDS", "3"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seed(seed: int) -> None:
    told = play(plan_of(seed))
    broken = [one for finding in judge(told.case).values() for one in finding.violations]
    print(
        seed,
        plan_of(seed).profile,
        dict(told.outcomes),
        told.refused,
        sorted(told.case.fired),
        told.crashes,
        len(told.case.posts),
    )
    assert not broken, broken[:6]


def test_a_twin() -> None:
    told = play(twin_of(plan_of(0)))
    print(dict(told.outcomes), told.refused, len(told.case.posts))
    assert not [one for finding in judge(told.case).values() for one in finding.violations]
