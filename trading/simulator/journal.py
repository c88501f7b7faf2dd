"""What happened, line by line: JSON, append only, numbered, handed to the system before anyone is answered.

So no end of this process loses a line. What the power takes from the machine before the system wrote it is
lost: the disk itself is waited for on a snapshot, a reset and an exit only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import IO, Any

from trading.simulator.clock import VirtualClock
from trading.simulator.http import compact

__all__ = ["Journal", "kept_lines"]

US = "us_"
"""What begins the kinds of the US side; behind it they mean what the domestic ones mean."""


def kept_lines(path: Path | str) -> list[str]:
    """The lines of an earlier life, cut back in the file to the last thing that happened in full.

    Half a line, a fill or its bust without its cash and a cancel without its effect stand at the very end
    only, and nobody was ever told of them.
    """
    path = Path(path)
    if not path.exists():
        return []
    whole = path.read_bytes().rpartition(b"\n")[0].decode()
    lines = whole.split("\n") if whole else []
    while lines and _is_half(json.loads(lines[-1])):
        lines.pop()
    with path.open("r+b") as file:
        file.truncate(sum(len(line.encode()) + 1 for line in lines))
    return lines


def _is_half(last: dict[str, Any]) -> bool:
    kind = str(last.get("kind")).removeprefix(US)
    return kind in ("fill", "bust") or (kind == "accepted" and "orgn_odno" in last)


class Journal:
    """Lines in memory and, with `path`, in a file.

    `kept` are the lines of `kept_lines(path)`: the file then goes on after them.
    """

    def __init__(
        self, clock: VirtualClock, path: Path | str | None = None, kept: Sequence[str] = ()
    ) -> None:
        self.clock = clock
        self.lines: list[str] = list(kept)
        self.epoch = 1
        self._path = Path(path) if path else None
        self._file: IO[bytes] | None = None
        self._waiting: list[str] = []
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = (
                self._path.open("ab", buffering=0) if kept else self._fresh_file(self._path)
            )

    def write(self, kind: str, at: datetime | None = None, **fields: Any) -> int:
        """Append one line and return its number (from 1). `at` is the event's own virtual time."""
        seq = len(self.lines) + 1
        stamp = self.clock.stamp(at)
        record = {"seq": seq, "vt": stamp.isoformat(timespec="microseconds"), "kind": kind}
        line = compact({**record, **fields})
        self.lines.append(line)
        if self._file:
            self._waiting.append(line)
        return seq

    def settle(self) -> None:
        """Hand what was written to the system; called before a reply leaves.

        What happened together is written together, so that no end of the process cuts it in two.
        """
        if not self._file:
            return
        left = memoryview("".join(line + "\n" for line in self._waiting).encode())
        self._waiting.clear()
        while left:
            left = left[self._file.write(left) :]

    def sync(self) -> None:
        """`settle`, and wait until the disk has it."""
        self.settle()
        if self._file:
            os.fsync(self._file.fileno())

    def since(self, seq: int) -> list[dict[str, Any]]:
        """Records from number `seq` on."""
        return [json.loads(line) for line in self.lines[max(0, seq - 1) :]]

    def restart(self, lines: list[str]) -> None:
        """Begin a new epoch from `lines`; the old file is kept beside it."""
        if self._path and self._file:
            self.sync()
            self._file.close()
            self._file = self._fresh_file(self._path)
            self._waiting = list(lines)
        self.epoch += 1
        self.lines = list(lines)
        self.sync()

    @staticmethod
    def _fresh_file(path: Path) -> IO[bytes]:
        """An empty file at `path`; an older journal there is kept as PATH.1, PATH.2 …"""
        if path.exists():
            number = next(n for n in count(1) if not Path(f"{path}.{n}").exists())
            path.replace(f"{path}.{number}")
        return path.open("xb", buffering=0)

    @property
    def open(self) -> bool:
        """Whether lines still go to a file."""
        return self._file is not None

    def close(self) -> None:
        if self._file:
            self.sync()
            self._file.close()
            self._file = None
