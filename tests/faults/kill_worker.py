"""The real victim: a Celery worker on PostgreSQL and Redis that loses its power once.

The test is the person who approves, and the market's clock; a second worker finishes the run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

from rebalancing.models import Run
from rebalancing.services.approvals import decide_run
from tests.faults.history import Outcome, declare_absent, is_for_a_person, open_run, outcome
from tests.support.child_env import child_env
from tests.support.worker import Beat, Queue, Worker
from trading.models import Transition

__all__ = ["count_places", "kill_worker"]

PATIENCE = 150.0


def kill_worker(world: Any, place: str, *options: str, asked: bool = False) -> Outcome:
    """One run whose worker is killed at `place`, or asked to end. AssertionError when nothing died there."""
    desk = _Desk.of(world)
    with desk.worker(options, place, asked=asked) as worker:
        assert not desk.work(worker), f"nothing died at {place}"
    died, last = time.monotonic(), _newest_change()
    desk.queue.give_back()
    with desk.worker(options) as worker:
        assert desk.work(worker, lambda: _newest_change() > last)
    ended = outcome(world, desk.run)
    if not desk.went_on:  # it died of the last thing there was to do
        return ended
    return replace(ended, recovered=round(desk.went_on - died, 1))


def count_places(world: Any) -> tuple[Outcome, dict[str, int]]:
    """One run that nothing happens to, and how often it passes each place."""
    desk = _Desk.of(world)
    with desk.worker(()) as worker:
        assert desk.work(worker)
    passed = desk.queue.passed()
    return outcome(world, desk.run), passed


@dataclass
class _Desk:
    """Everything around the worker: the run, the queue, beat, a person."""

    world: Any
    run: Run
    queue: Queue
    beat: Beat
    env: Mapping[str, str]
    went_on: float = 0.0
    """When what `work` was to look for was first seen."""

    @classmethod
    def of(cls, world: Any) -> _Desk:
        url = _own_redis()
        queue = Queue(url)
        env = child_env(world) | {"REDIS_URL": url}
        return cls(world, open_run(world), queue, Beat(queue), env)

    @contextmanager
    def worker(
        self, options: tuple[str, ...], place: str = "", *, asked: bool = False
    ) -> Iterator[Worker]:
        log = settings.VAR / f"worker-{self.run.pk}.log"
        how = {"STORM_PLACE": place, "STORM_ASKED": "1" if asked else ""}
        worker = Worker(self.env | how, log, *options)
        try:
            yield worker
        finally:
            worker.end()

    def work(self, worker: Worker, goes_on: Callable[[], bool] = lambda: False) -> bool:
        """Drive the run to its end; False when the worker died first."""
        give_up = time.monotonic() + PATIENCE
        while not worker.has_ended():
            if not self.went_on and goes_on():
                self.went_on = time.monotonic()
            assert time.monotonic() < give_up, f"{self.run.state}: {worker.log()}"
            if not self.queue.is_idle():
                continue
            self.run = Run.objects.get(pk=self.run.pk)
            if self.run.is_terminal:
                return True
            self._turn()
        return False

    def _turn(self) -> None:
        """Somebody does the next thing: the person, the clock, or beat."""
        run, now = self.run, self.world.now
        if run.state == "AWAITING_APPROVAL":
            decide_run(run.pk, run.plan_hash, self.world.owner, "APPROVE")
        elif is_for_a_person(run):
            declare_absent(self.world)
        elif run.due_at is not None and run.due_at > now:
            self.world.sim.advance((run.due_at - now).total_seconds())
        else:
            self.beat.tick(now)


def _newest_change() -> int:
    """The newest change of anything's state, by its number."""
    return Transition.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _own_redis() -> str:
    """A Redis database for each pytest worker: two installations on one queue take each other's work."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return urlunsplit(urlsplit(settings.REDIS_URL)._replace(path=f"/{12 + number % 4}"))
