"""Whether a broker's host answers, as the process that asked it last found: shared, and lost without harm."""

from __future__ import annotations

from datetime import datetime

from django.core.cache import cache
from django.utils import timezone

__all__ = ["down_since", "note_line"]

_FORGET_AFTER = 120
"""Seconds; a silent host is asked, and noted, several times within."""


def _key(url: str) -> str:
    return f"jeoul:line-down:{url}"


def note_line(url: str, down: bool) -> None:
    """The host at `url` is silent, or speaks again."""
    if not down:
        cache.delete(_key(url))
        return
    if not cache.add(_key(url), timezone.now(), _FORGET_AFTER):
        cache.touch(_key(url), _FORGET_AFTER)


def down_since(url: str) -> datetime | None:
    """Since when (by the wall's clock) the host is silent; None when it is not known to be."""
    found: datetime | None = cache.get(_key(url))
    return found
