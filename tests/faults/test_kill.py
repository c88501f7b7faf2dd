"""SIGKILL around orders and commits, with a process of its own: always the same end.

Eleven places here; `make storm` tries them all.
"""

from __future__ import annotations

import os

import pytest

from tests.faults.kill_everywhere import Outcome, judge, kill_once, places
from tests.support.world import world_of

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]

SAMPLE = [
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
HOLDINGS = {
    "005930": 102,
    "069500": 360,
    "114260": 244,
    "148070": 130,
    "360750": 816,
    "411060": 351,
}


def _chosen() -> list[str]:
    span = os.environ.get("KILL_COMMITS", "")
    if not span:
        return SAMPLE
    first, _, last = span.partition("-")
    return places(int(first), int(last or first))


@pytest.mark.parametrize("place", _chosen())
@pytest.mark.timeout(180)
def test_a_killed_worker_leaves_one_truth(
    place: str, transactional_db: None, settings: object
) -> None:
    with world_of() as world:
        outcome = kill_once(world, place)
        judge(world)
        assert outcome == Outcome("COMPLETED", HOLDINGS, outcome.killed)
