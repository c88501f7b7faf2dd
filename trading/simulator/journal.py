"""What happened, line by line: JSON, append only, numbered, on disk before anyone is answered."""

from __future__ import annotations

import json
import os
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import IO, Any

from trading.simulator.clock import VirtualClock

__all__ = ["Journal"]

DURABLE = frozenset({"accepted", "refused", "fill", "cancel", "expire", "cash", "position"})


class Journal:
    """Lines in memory and, with `path`, in a file that is synced after order events."""

    def __init__(self, clock: VirtualClock, path: Path | str | None = None) -> None:
        self.clock = clock
        self.lines: list[str] = []
        self.epoch = 1
        self._path = Path(path) if path else None
        self._file: IO[str] | None = None
        self._dirty = False
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._fresh_file(self._path)

    def write(self, kind: str, at: datetime | None = None, **fields: Any) -> int:
        """Append one line and return its number (from 1). `at` is the event's own virtual time."""
        seq = len(self.lines) + 1
        stamp = self.clock.stamp(at)
        record = {"seq": seq, "vt": stamp.isoformat(timespec="microseconds"), "kind": kind}
        line = json.dumps({**record, **fields}, ensure_ascii=False, separators=(",", ":"))
        self.lines.append(line)
        if self._file:
            self._file.write(line + "\n")
            self._dirty = self._dirty or kind in DURABLE
        return seq

    def settle(self) -> None:
        """Make what was written durable; called before a reply leaves."""
        if not self._file:
            return
        self._file.flush()
        if self._dirty:
            os.fsync(self._file.fileno())
            self._dirty = False

    def since(self, seq: int) -> list[dict[str, Any]]:
        """Records from number `seq` on."""
        return [json.loads(line) for line in self.lines[max(0, seq - 1) :]]

    def restart(self, lines: list[str]) -> None:
        """Begin a new epoch from `lines`; the old file is kept beside it."""
        if self._path and self._file:
            self._file.close()
            self._file = self._fresh_file(self._path)
            self._file.writelines(line + "\n" for line in lines)
        self.epoch += 1
        self.lines = list(lines)
        self._dirty = True
        self.settle()

    @staticmethod
    def _fresh_file(path: Path) -> IO[str]:
        """An empty file at `path`; an older journal there is kept as PATH.1, PATH.2 …"""
        if path.exists():
            number = next(n for n in count(1) if not Path(f"{path}.{n}").exists())
            path.replace(f"{path}.{number}")
        return path.open("x", encoding="utf-8")

    def close(self) -> None:
        if self._file:
            self.settle()
            self._file.close()
            self._file = None
