"""A seed that fails is made as small as it can be without passing."""

from __future__ import annotations

import pytest

from tests.storm.seeds import Act, Plan, Strike
from tests.storm.shrink import events_of, shrink

FAULTS = ("A02", "A03", "B01", "D02", "E04")


def plan() -> Plan:
    strikes = tuple(Strike(n % 2, n, fault, {}, {}, 1) for n, fault in enumerate(FAULTS))
    acts = (Act(0, 5, "H01", 1, 1), Act(2, 5, "H02", 1, 1))
    deaths = ((0, "after_reply:1"), (2, "after_T3_commit:1"))
    return Plan(1, "real", (5, 6, 7), ({}, {}, {}), strikes, deaths, 0.5, acts)


@pytest.mark.parametrize(
    ("needed", "left"),
    [({"A03"}, 1), ({"A03", "E04"}, 2), (set(), 0), (set(FAULTS), 5)],
)
def test_only_what_it_fails_of_is_left(needed: set[str], left: int) -> None:
    least = shrink(plan(), lambda one: needed <= {strike.fault for strike in one.strikes})
    assert {strike.fault for strike in least.strikes} == needed
    assert events_of(least) == left
    assert len(least.targets) == len(least.start_minute) == (2 if needed & {"A03", "D02"} else 1)


def test_a_death_that_it_takes_is_kept_with_its_day() -> None:
    least = shrink(plan(), lambda one: (2, "after_T3_commit:1") in one.deaths)
    assert least.deaths == ((2, "after_T3_commit:1"),) and len(least.targets) == 3
    assert not least.strikes and not least.acts and not least.doubled


def test_a_seed_that_passes_has_nothing_to_shrink() -> None:
    with pytest.raises(ValueError, match="seed 1 does not fail"):
        shrink(plan(), lambda _one: False)
