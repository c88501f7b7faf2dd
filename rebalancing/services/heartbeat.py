"""When a worker last swept: shared by all processes, and lost without harm."""

from __future__ import annotations

from datetime import datetime

from trading.services.notes import note_now, noted

__all__ = ["beat", "last_beat"]

_NAME = "jeoul:worker-beat"


def beat() -> None:
    """The sweep runs: say so."""
    note_now(_NAME, keep=None)


def last_beat() -> datetime | None:
    """The time of the last sweep by the wall's clock; None before the first."""
    return noted(_NAME)
