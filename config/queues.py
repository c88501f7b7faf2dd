"""How many wake-ups wait for a worker: each Celery queue's length, as Redis keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import redis
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

__all__ = ["Queue", "queues"]

MANY = 50
"""A worker takes a wake-up in well under a second; so many at once mean that none takes them."""
_NAMES = {"runs": _("리밸런싱"), "recon": _("대조"), "default": _("그 밖")}


@dataclass(frozen=True, slots=True)
class Queue:
    name: str | Promise
    length: int

    @property
    def is_long(self) -> bool:
        return self.length > MANY


def queues() -> list[Queue] | None:
    """Every queue of the worker; None while Redis does not answer, and none where there is no Redis:
    wake-ups then stay in the process that made them."""
    if not settings.REDIS_URL:
        return []
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    names = sorted({*routed, settings.CELERY_TASK_DEFAULT_QUEUE})
    try:
        with _client(settings.REDIS_URL).pipeline(transaction=False) as asked:
            for name in names:
                asked.llen(name)
            lengths = asked.execute()
    except redis.RedisError:
        return None
    return [Queue(_NAMES.get(n, n), int(size)) for n, size in zip(names, lengths, strict=True)]


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
    )
