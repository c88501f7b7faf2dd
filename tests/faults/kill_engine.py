"""The quick victim: a process that calls the engine step by step, without a queue. On any database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.history import (
    Outcome,
    declare_absent,
    is_for_a_person,
    open_run,
    outcome,
    sent_once,
)
from tests.support.child_env import child_env

__all__ = ["kill_engine"]

ROOT = Path(__file__).resolve().parents[2]


def kill_engine(world: Any, place: str) -> Outcome:
    """One run whose process is killed at `place` and finished by a second one."""
    run = open_run(world)
    env = child_env(world)
    assert _drive(world, run, env | {"JEOUL_CRASH_AT": place}) == -9, f"nothing died at {place}"
    ended = _drive(world, run, env)
    sent_once(world)  # said first: a run with a doubled order may well not end
    assert ended == 0, "the second process did not bring the run to its end"
    run.refresh_from_db()
    if is_for_a_person(run):
        declare_absent(world)
        assert _drive(world, run, env) == 0
    return outcome(world, run)


def _drive(world: Any, run: Any, env: Mapping[str, str]) -> int:
    """Run the child; returns its exit code: −9 when it was killed, 3 when the run did not end."""
    command = [
        sys.executable,
        "-m",
        "tests.support.drive_child",
        str(run.pk),
        world.sim.control_url,
    ]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=100, check=False)
    assert done.returncode in (0, 3, -9), done.stderr.decode()[-2000:]
    return done.returncode
