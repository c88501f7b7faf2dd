"""A real worker in a process group of its own, and beat's messages to it, one at a time.

Beat itself is played here: the same rows, sent through the same Redis to the same queues, but each
when the simulator's clock says so and only when the worker is idle. A beat process goes by the wall's
clock; with it a run would take a minute and the number of its commits would be a matter of luck.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import redis
from django_celery_beat.models import PeriodicTask

from config.celery import app
from rebalancing.services.wakeups import make_wakeups
from tests.support.power import DONE, PASSED, SENT

__all__ = ["Beat", "Queue", "Worker"]

ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """`manage.py worker` with all its children; killed as a whole."""

    def __init__(self, env: Mapping[str, str], log: Path, *arguments: str) -> None:
        self._log = log
        self._asked = env.get("STORM_ASKED") == "1"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.worker_child", *arguments],
                cwd=ROOT,
                env=dict(env),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def has_ended(self, within: float = 0.02) -> bool:
        """Whether it ended, waiting a moment for it. AssertionError when it was by itself: neither by SIGKILL
        nor, asked to, in order."""
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        assert code == (0 if self._asked else -signal.SIGKILL), f"{code}: {self.log()}"
        return True

    def log(self) -> str:
        """The end of what it printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def end(self) -> None:
        """Whatever is left of the group goes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


class Queue:
    """The Redis between beat and worker, and what the power cut counts there."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._redis = redis.Redis.from_url(url)
        self._redis.flushdb()

    def send(self, task: str, queue: str) -> None:
        with app.connection_for_write(self._url) as connection:
            app.send_task(task, queue=queue, connection=connection)
        self._redis.incr(SENT)

    def is_idle(self) -> bool:
        sent, done = self._redis.mget(SENT, DONE)
        return int(sent or 0) == int(done or 0)

    def passed(self) -> dict[str, int]:
        """How often each place was passed."""
        return {name.decode(): int(n) for name, n in self._redis.hgetall(PASSED).items()}

    def give_back(self) -> None:
        """What the dead worker had not acknowledged returns to its queue, as after the visibility
        timeout: the next one gets it a second time."""
        with app.connection_for_write(self._url) as connection:
            channel = connection.default_channel
            tags = [tag.decode() for tag in self._redis.hkeys("unacked")]
            for tag in tags:
                channel.qos.restore_by_tag(tag)
        waiting = sum(self._redis.llen(name) for name in _queues())
        self._redis.mset({SENT: waiting, DONE: 0})


def _queues() -> set[str]:
    return set(PeriodicTask.objects.values_list("queue", flat=True))


class Beat:
    """Beat's rows by the simulator's clock: everything at once at first, then each at its interval."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._due: dict[str, datetime] = {}
        self._waiting: list[PeriodicTask] = []
        make_wakeups()

    def tick(self, now: datetime) -> None:
        """Send the next row that is due; the sweep when no other is."""
        if not self._waiting:
            rows = PeriodicTask.objects.filter(enabled=True, interval__isnull=False)
            self._waiting = [row for row in rows.order_by("pk") if self._is_due(row, now)]
        row = self._waiting.pop(0)
        self._due[row.name] = now + timedelta(seconds=row.interval.every)
        self._queue.send(row.task, row.queue)

    def _is_due(self, row: PeriodicTask, now: datetime) -> bool:
        return row.interval.every <= 1 or self._due.get(row.name, now) <= now
