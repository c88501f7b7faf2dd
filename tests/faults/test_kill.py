"""SIGKILL around orders and commits, with processes of their own: always the same end.

A sample here; `make kills` counts the places of a run and tries them all.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from django.conf import settings

from tests.faults.history import COMPLETED, Outcome, judge
from tests.faults.kill_engine import kill_engine
from tests.faults.kill_worker import kill_worker
from tests.support.world import World, world_of

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

ENGINE = [
    "before_send:1",
    "before_T2_commit:1",
    "after_T2_commit:2",
    "after_reply:1",
    "after_reply:4",
    "before_T3_commit:2",
    "after_T3_commit:1",
    "before_run_end_commit:1",
    "commit:6",
    "before-commit:25",
    "commit:40",
]
EMBEDDED = ["after_T2_commit:2", "after_reply:1", "before-commit:25", "commit:40"]
"""Those tried on SQLite too; the others need no second database to be believed."""
WORKER = ["after_reply:3", "before-commit:90"]
FORKED = ["after_T3_commit:5"]
RECOVERS = 30.0
"""Seconds in which a run goes on after its worker was killed and another one was started."""
ASKED = ["after_T2_commit:2", "after_reply:3"]
"""Where the worker is stopped as a service is: with an order promised, and with its answer in hand."""


def _chosen() -> list[tuple[str, str]]:
    """(victim, place): the storm's, else a sample; a worker needs PostgreSQL and Redis."""
    if told := os.environ.get("STORM_PLACES", ""):
        return [("worker", place) for place in Path(told).read_text(encoding="utf-8").split()]
    sample = {"engine": EMBEDDED}
    if settings.SERVER:
        sample = {"engine": ENGINE, "worker": WORKER, "forked": FORKED, "asked": ASKED}
    return [(victim, place) for victim, places in sample.items() for place in places]


def _killed(victim: str, world: World, place: str) -> Outcome:
    if victim == "engine":
        return kill_engine(world, place)
    options = ("--pool", "prefork", "--concurrency", "1") if victim == "forked" else ()
    return kill_worker(world, place, *options, asked=victim == "asked")


def _record(place: str, ended: Outcome, seconds: float) -> None:
    """What the storm sums up at its end."""
    if path := os.environ.get("STORM_RECORD", ""):
        with open(path, "a", encoding="utf-8") as file:
            row = {"place": place, "killed": True, "holdings": ended.holdings, "seconds": seconds}
            row |= {"recovered": ended.recovered}
            file.write(json.dumps(row) + "\n")


@pytest.mark.parametrize(("victim", "place"), _chosen())
def test_a_killed_worker_leaves_one_truth(victim: str, place: str, transactional_db: None) -> None:
    started = time.monotonic()
    with world_of() as world:
        ended = _killed(victim, world, place)
        _record(place, ended, time.monotonic() - started)
        judge(world)
        assert ended == COMPLETED
        if ended.recovered is not None:
            assert ended.recovered <= RECOVERS, "with the start of the second worker in it"


def test_a_place_where_nothing_dies_is_a_failure(transactional_db: None) -> None:
    with world_of() as world, pytest.raises(AssertionError, match="nothing died at commit:999"):
        kill_engine(world, "commit:999")
