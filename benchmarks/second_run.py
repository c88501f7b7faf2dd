"""Seconds from starting Jeoul to its login page: the first start on an empty folder, then again."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.place import entry_of
from tests.driver import Driver

__all__ = ["figures"]

ENTRY = "config.management.commands.up"
RUNS = 3


def figures() -> dict[str, dict[str, Any]]:
    """Median of some later starts; `first` is the one that migrates and loads the demo."""
    with tempfile.TemporaryDirectory(prefix="jeoul-bench-") as name:
        first = _start(Path(name))
        later = [_start(Path(name)) for _ in range(RUNS)]
    return {
        "second_run": entry_of(
            round(statistics.median(later), 1),
            "s",
            ENTRY,
            RUNS,
            goal=15,
            worst=round(max(later), 1),
            first=round(first, 1),
        )
    }


def _start(folder: Path) -> float:
    with Driver(folder) as jeoul:
        started = time.monotonic()
        jeoul.up()
        return time.monotonic() - started
