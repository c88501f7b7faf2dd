"""Compiles the message catalogues with nothing but Python; `make` calls it before anything starts."""

from __future__ import annotations

from pathlib import Path

import polib

__all__ = ["compile_messages"]


def compile_messages(folder: Path) -> list[Path]:
    """Write each `.po` under `folder` as `.mo` beside it; returns what was written."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        polib.pofile(str(source)).save_as_mofile(str(target))
        written.append(target)
    return written


if __name__ == "__main__":
    for path in compile_messages(Path(__file__).resolve().parent.parent / "locale"):
        print(path)
