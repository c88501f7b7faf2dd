"""What is running here: `up` writes where its simulator listens, other commands read it.

A pointer to loopback can only ever serve simulated accounts, so a stale file cannot misdirect an order.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import IO, Any

__all__ = ["only_one_here", "read_running", "running_file", "write_running"]


def running_file(var: Path) -> Path:
    return var / "running.json"


def read_running(var: Path) -> dict[str, Any]:
    """The running installation's addresses; empty when none runs."""
    try:
        found: dict[str, Any] = json.loads(running_file(var).read_text(encoding="utf-8"))
        os.kill(int(found["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found


def only_one_here(var: Path) -> IO[str] | None:
    """The lock of the one installation of this folder, held until it is closed or the process ends;
    None while another holds it. Two would share a database but not a market's clock."""
    var.mkdir(parents=True, exist_ok=True)
    lock = open(var / "up.lock", "w", encoding="utf-8")  # noqa: SIM115
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def write_running(var: Path, facts: dict[str, Any]) -> None:
    path = running_file(var)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(facts | {"pid": os.getpid()}), encoding="utf-8")
    os.replace(temporary, path)


def forget_running(var: Path) -> None:
    running_file(var).unlink(missing_ok=True)
