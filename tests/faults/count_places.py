"""Where a run can be killed, found out by one that is not. `make kills` asks for this by name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.faults.history import COMPLETED, judge
from tests.faults.kill_worker import count_places
from tests.support.world import world_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
POINTS = {
    "before_send",
    "before_T2_commit",
    "after_T2_commit",
    "after_reply",
    "before_T3_commit",
    "after_T3_commit",
    "before_run_end_commit",
}


def test_an_unkilled_run_passes_every_point(transactional_db: None) -> None:
    with world_of() as world:
        ended, passed = count_places(world)
        judge(world)
    assert ended == COMPLETED
    assert passed.keys() >= POINTS
    Path(os.environ["STORM_COUNTS"]).write_text(json.dumps(passed), encoding="utf-8")
