"""Which build runs: the commit where there is a repository, the version otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["build_id"]


@cache
def build_id(root: Path) -> str:
    """Reads `.git` itself: no process is started, and a release without a repository has a name too."""
    try:
        head = (root / ".git" / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head[:12]
        name = head.removeprefix("ref: ")
        loose = root / ".git" / name
        if loose.exists():
            return loose.read_text(encoding="ascii").strip()[:12]
        for line in (root / ".git" / "packed-refs").read_text(encoding="ascii").splitlines():
            if line.endswith(" " + name):
                return line[:12]
    except OSError:
        return "release"
    return "release"
