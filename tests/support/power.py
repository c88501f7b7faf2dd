"""Where the power can fail: every write of a worker and every named point, counted and cut once.

A place is `NAME:n`, the n-th passing of NAME by any process of the worker. NAME is `before-commit` or
`commit` (a transaction, or a single statement outside one: both are commits to the database) or a crash
point of the product. The count lies in Redis, so that all threads and pool children share it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import redis

__all__ = ["DONE", "PASSED", "SENT", "PowerCut", "install"]

PASSED, SENT, DONE = "storm:passed", "storm:sent", "storm:done"
WRITES = ("INSERT", "UPDATE", "DELETE")


class PowerCut:
    """Counts places; at the armed one the whole process group ends, as in a power cut, or (`asked`) the worker
    is asked to end, as by whoever stops a service, while the place is passed all the same."""

    def __init__(self, redis_url: str, armed: str, *, asked: bool = False) -> None:
        self.redis = redis.Redis.from_url(redis_url)
        self._armed, self._asked = armed, asked

    def passing(self, name: str) -> None:
        number = self.redis.hincrby(PASSED, name, 1)
        if f"{name}:{number}" != self._armed:
            return
        if self._asked:
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            os.killpg(0, signal.SIGKILL)

    def around(self, commit: Callable[[], Any]) -> Any:
        self.passing("before-commit")
        result = commit()
        self.passing("commit")
        return result


def install(cut: PowerCut) -> None:
    """Watch this process and its pool children. Must come before the product is imported."""
    from trading.services import crashpoints

    crashpoints.crashpoint = cut.passing
    _watch_transactions(cut)
    _watch_statements(cut)
    _count_tasks(cut)


def _watch_transactions(cut: PowerCut) -> None:
    from django.db.backends.base.base import BaseDatabaseWrapper

    original = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]
    BaseDatabaseWrapper._commit = lambda self: cut.around(lambda: original(self))  # type: ignore[attr-defined]


def _watch_statements(cut: PowerCut) -> None:
    from django.db.backends.signals import connection_created

    def counted(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        alone = not context["connection"].in_atomic_block
        if alone and str(sql).lstrip().upper().startswith(WRITES):
            return cut.around(lambda: execute(sql, params, many, context))
        return execute(sql, params, many, context)

    def watch(connection: Any, **_: Any) -> None:
        if counted not in connection.execute_wrappers:
            connection.execute_wrappers.append(counted)

    connection_created.connect(watch, weak=False)


def _count_tasks(cut: PowerCut) -> None:
    """Work asked for and work done: equal when the worker is idle."""
    from celery import signals

    def asked(**_: Any) -> None:
        cut.redis.incr(SENT)

    def done(**_: Any) -> None:
        cut.redis.incr(DONE)

    signals.before_task_publish.connect(asked, weak=False)
    signals.task_postrun.connect(done, weak=False)
