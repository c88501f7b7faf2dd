"""When a worker last swept: shared by all processes, and lost without harm."""

from __future__ import annotations

from datetime import datetime

from django.core.cache import cache
from django.utils import timezone

__all__ = ["beat", "last_beat"]

_KEY = "jeoul:worker-beat"


def beat() -> None:
    """The sweep runs: say so."""
    cache.set(_KEY, timezone.now(), timeout=None)


def last_beat() -> datetime | None:
    """The time of the last sweep by the wall's clock; None before the first."""
    found: datetime | None = cache.get(_KEY)
    return found
