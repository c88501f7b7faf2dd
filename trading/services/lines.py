"""Whether a broker's host answers, as the process that asked it last found."""

from __future__ import annotations

from datetime import datetime

from trading.services.notes import forget_note, note_now, noted

__all__ = ["down_since", "note_line"]

_FORGET_AFTER = 120
"""Seconds; a silent host is asked, and noted, several times within."""


def _name(url: str) -> str:
    return f"jeoul:line-down:{url}"


def note_line(url: str, down: bool) -> None:
    """The host at `url` is silent, or speaks again."""
    if down:
        note_now(_name(url), keep=_FORGET_AFTER, first=True)
    else:
        forget_note(_name(url))


def down_since(url: str) -> datetime | None:
    """Since when (by the wall's clock) the host is silent; None when it is not known to be."""
    return noted(_name(url))
