"""Small facts that processes tell each other through the cache; none of them decides anything.

A cache that does not answer loses the fact and nothing else: a page without it is better than no page.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

__all__ = ["forget_note", "note_now", "noted"]

log = structlog.get_logger(__name__)
_LOST = (RedisError, OSError)


def note_now(name: str, *, keep: int | None, first: bool = False) -> None:
    """Note the present moment under `name` for `keep` seconds (None: for good).

    With `first` an earlier moment stays and is only kept longer.
    """
    try:
        if first and cache.touch(name, keep):
            return
        cache.set(name, timezone.now(), keep)
    except _LOST as error:
        log.warning("note_lost", name=name, why=type(error).__name__)


def noted(name: str) -> datetime | None:
    """The moment under `name` by the wall's clock; None when there is none or nobody can tell."""
    try:
        found: datetime | None = cache.get(name)
    except _LOST:
        return None
    return found


def forget_note(name: str) -> None:
    try:
        cache.delete(name)
    except _LOST as error:
        log.warning("note_lost", name=name, why=type(error).__name__)
