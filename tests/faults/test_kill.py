"""SIGKILL around orders and commits, with processes of their own: always the same end.

A sample here; `make storm` counts the places of a run and tries them all.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from django.conf import settings

from tests.faults.history import COMPLETED, judge
from tests.faults.kill_engine import kill_engine
from tests.support.world import world_of

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

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
WORKER = [("after_reply:3",), ("before-commit:90",)]
FORKED = ("after_T3_commit:5", "--pool", "prefork", "--concurrency", "1")


def _places() -> list[tuple[str, ...]]:
    """Those of the storm, else a sample; a worker of its own needs PostgreSQL and Redis."""
    told = os.environ.get("STORM_PLACES", "")
    if told:
        return [(place,) for place in Path(told).read_text(encoding="utf-8").split()]
    return [*WORKER, FORKED] if settings.SERVER else []


def _record(place: str, holdings: dict[str, int], seconds: float) -> None:
    """What the storm sums up at its end."""
    if path := os.environ.get("STORM_RECORD", ""):
        with open(path, "a", encoding="utf-8") as file:
            row = {"place": place, "killed": True, "holdings": holdings, "seconds": seconds}
            file.write(json.dumps(row) + "\n")


if not os.environ.get("STORM_PLACES"):

    @pytest.mark.parametrize("place", ENGINE)
    def test_a_killed_engine_leaves_one_truth(place: str, transactional_db: None) -> None:
        with world_of() as world:
            ended = kill_engine(world, place)
            judge(world)
            assert ended == COMPLETED


if places := _places():

    @pytest.mark.parametrize("place", places, ids=lambda place: place[0])
    def test_a_killed_worker_leaves_one_truth(
        place: tuple[str, ...], transactional_db: None
    ) -> None:
        from tests.faults.kill_worker import kill_worker

        started = time.monotonic()
        with world_of() as world:
            ended = kill_worker(world, *place)
            _record(place[0], ended.holdings, time.monotonic() - started)
            judge(world)
            assert ended == COMPLETED
