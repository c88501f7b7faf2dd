"""The coverage of a storm says what was never tried, and nothing when everything was."""

from __future__ import annotations

from itertools import product

import pytest

from tests.storm.coverage import (
    ENOUGH,
    Seen,
    coverage_of,
    death_of,
    expected_pairs,
    legs_of,
)
from tests.storm.seeds import DEATHS, EVERY, combinations, directed_seeds, plan_of


def everything() -> list[Seen]:
    return [
        (fault, leg, profile, death)
        for fault in EVERY
        for leg, profile, death in product(
            legs_of(fault), ("real", "mock"), ("none", "before", "after")
        )
        for _ in range(ENOUGH)
    ]


def test_a_storm_that_tried_everything_misses_nothing() -> None:
    found = coverage_of(everything(), {"H02": ENOUGH})
    assert found["too_few"] == [] and found["pairs_missing"] == []
    assert found["pairs_seen"] == found["pairs_expected"] == len(expected_pairs())


def test_nineteen_strikes_are_too_few() -> None:
    seen = [one for one in everything() if one[0] != "A03"] + [("A03", "sell", "real", "none")] * 19
    found = coverage_of(seen, {"H02": 19})
    assert found["too_few"] == ["A03", "H02"]
    assert "fault=A03 leg=buy" in found["pairs_missing"]
    assert "fault=A03 leg=sell" not in found["pairs_missing"]


def test_nothing_tried_is_everything_missing() -> None:
    found = coverage_of([], {})
    assert found["too_few"] == sorted(EVERY) and found["pairs_seen"] == 0


@pytest.mark.parametrize(
    ("point", "side"),
    [("", "none"), ("before_T2_commit:2", "before"), ("after_T2_commit", "before"),
     ("after_reply:1", "after"), ("before_T3_commit", "after"), ("after_T3_commit:4", "after")],
)  # fmt: skip
def test_a_crash_is_before_the_request_or_after_its_answer(point: str, side: str) -> None:
    assert death_of(point) == side


def test_every_crash_point_is_on_one_of_the_two_sides() -> None:
    assert {death_of(point) for point in DEATHS} == {"before", "after"}


def test_the_directed_seeds_plan_every_pair() -> None:
    planned: set[tuple[str, str, str]] = set()
    for seed in directed_seeds():
        plan = plan_of(seed)
        deaths = dict(plan.deaths)
        for strike in plan.strikes:
            planned.add((strike.fault, plan.profile, death_of(deaths.get(strike.day, ""))))
    assert planned == set(product(EVERY, ("real", "mock"), ("none", "before", "after")))
    assert len(directed_seeds(rounds=2)) == 2 * len(directed_seeds()) and combinations()
