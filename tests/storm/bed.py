"""One world on one clock: the simulator's truth, the platform's services, a person, and nothing that waits.

Nothing here decides anything: what Celery would call is called in a fixed order at virtual times. The wall's
clock is moved with the market's, random numbers of ours come from the seed, and a crash is an exception that no
code of ours catches, after which caches and the process epoch are gone and the database is as it was committed.
"""

from __future__ import annotations

import random
import secrets
import socket
import time
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unittest import mock

import httpcore2
import time_machine
from django.conf import settings
from django.db import connection

from tests.storm.wire import Wire
from trading.brokers.kis.client import KisClient
from trading.domain.sessions import SEOUL
from trading.services import (
    brokers,
    chain_watch,
    clock,
    crashpoints,
    epochs,
    gateway,
    rate,
    tokens,
    windows,
)
from trading.simulator.control import Control
from trading.simulator.main import plans_of
from trading.simulator.world import Options, World

__all__ = ["Bed", "Crash", "bed_of"]

ADDRESS = ("127.0.0.1", 9)
URL = "http://{}:{}".format(*ADDRESS)
"""Nobody listens there: what would leave the bed fails at once."""
FIRST_PID = 1_000_000_000
"""Beyond what a kernel gives: no process of this machine is ever meant."""


class Crash(BaseException):
    """The process dies here. No `except Exception` of the platform sees it."""


class BedClock:
    """The simulator's clock, read without a socket."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.now().astimezone(SEOUL)


class Processes:
    """What `os` says of processes to those who ask whether a sender still lives. One lives at a time."""

    def __init__(self) -> None:
        self.pid = FIRST_PID

    def getpid(self) -> int:
        return self.pid

    def kill(self, pid: int, signal: int) -> None:
        if pid != self.pid:
            raise ProcessLookupError(pid)

    def stat(self, path: str) -> Any:
        raise FileNotFoundError(path)

    def die(self) -> None:
        """The process is gone and another one takes its place; its row stays as it was."""
        self.pid += 1


@dataclass
class Bed:
    """The world, its control and its wire. `die_at` names the crash point that ends the process next."""

    world: World
    control: Control
    wire: Wire
    wall: Any
    processes: Processes = field(default_factory=Processes)
    die_at: str = ""
    sleep_at: dict[tuple[str, int], float] = field(default_factory=dict)
    """At which passing of a crash point the process is asleep for how long (G17)."""
    slept: int = 0
    passed: dict[str, int] = field(default_factory=dict)
    died: dict[str, str] = field(default_factory=dict)
    """Of each day, written 2026-11-02, the crash point that ended a process."""

    @property
    def now(self) -> datetime:
        return self.world.now().astimezone(SEOUL)

    def pass_time(self, seconds: float) -> None:
        """Every clock moves."""
        self.world.advance(seconds)
        self.wall.move_to(self.world.truth.time)

    def pass_to(self, moment: datetime) -> None:
        seconds = (moment - self.now).total_seconds()
        if seconds > 0:
            self.pass_time(seconds)

    def arm(self, fault: str, **how: Any) -> None:
        self.control.arm({"fault": fault, **how})

    def crashpoint(self, name: str) -> None:
        self.passed[name] = self.passed.get(name, 0) + 1
        if seconds := self.sleep_at.pop((name, self.passed[name]), 0):
            self.slept += 1
            self.pass_time(seconds)
        wanted, _, nth = self.die_at.partition(":")
        if wanted == name and self.passed[name] >= int(nth or 1):
            self.die_at = ""
            raise Crash(name)

    def living(self, work: Callable[[], object]) -> None:
        """Do something as a worker does it; when it dies of it, another process takes its place."""
        try:
            work()
        except Crash as crash:
            self.died[self.now.date().isoformat()] = str(crash)
            self.restart()

    def restart(self) -> None:
        """The process is gone: what it knew by heart and its connection to the database with it."""
        if connection.in_atomic_block:
            raise AssertionError("a crash left a transaction open")
        self.processes.die()  # its row is open until somebody finds that it is gone
        epochs.forget_epoch()
        brokers.forget_brokers()
        chain_watch.forget_chain()


@contextmanager
def bed_of(
    *,
    seed: int,
    start: datetime,
    profile: str,
    accounts: list[Mapping[str, Any]],
    tame: bool,
) -> Iterator[Bed]:
    """A bed for one seed; everything that it replaced is put back."""
    keys, plans, owners = plans_of(accounts)
    options = Options(
        profile=profile, seed=seed, speed=0, start=start, tame=tame,
        secrets=keys, plans=plans, owners=owners,
    )  # fmt: skip
    world = World(options)
    rng = random.Random(f"bed:{seed}")
    with ExitStack() as stack:
        wall = stack.enter_context(time_machine.travel(start, tick=False))
        bed = Bed(world, Control(world), None, wall)  # type: ignore[arg-type]
        bed.wire = wire = Wire(world, bed.pass_time, ADDRESS)
        stack.callback(wire.close)
        bed.control.on_refuse = wire.refuse_for
        changes = {
            "KIS_HOSTS": settings.KIS_HOSTS | {profile: URL},
            "SIM_CLOCK_URL": f"{URL}/clock",
            "REDIS_URL": "",  # its window goes by the server's own clock, which nobody here can move
        }
        for name, value in changes.items():
            stack.enter_context(mock.patch.object(settings, name, value))
        replace = lambda owner, name, new: stack.enter_context(mock.patch.object(owner, name, new))  # noqa: E731
        the_clock = BedClock(world)
        replace(httpcore2, "SyncBackend", lambda: wire)
        replace(socket, "create_connection", wire.create_connection)
        replace(epochs, "os", bed.processes)
        replace(clock, "simulated_clock", lambda url: the_clock)
        replace(secrets, "token_hex", lambda size=16: f"{rng.getrandbits(8 * size):0{2 * size}x}")
        for owner in (KisClient, tokens.DatabaseTokenStore, rate.SharedBudget):
            defaults = dict(owner.__init__.__kwdefaults__ or {})  # type: ignore[misc]
            if "sleep" in defaults:
                replace(owner.__init__, "__kwdefaults__", defaults | {"sleep": bed.pass_time})
        replace(time, "sleep", bed.pass_time)
        seconds = lambda: world.clock.peek().timestamp()  # noqa: E731
        replace(windows.LocalWindow.__init__, "__defaults__", (seconds, windows.ANNOUNCED_SECONDS))
        pace = dict(rate.SharedBudget.__init__.__kwdefaults__ or {})
        replace(rate.SharedBudget.__init__, "__kwdefaults__", pace | {"monotonic": seconds})
        replace(gateway, "time", types.SimpleNamespace(monotonic=seconds))
        for module in _users_of_crashpoint():
            replace(module, "crashpoint", bed.crashpoint)
        _forget()
        try:
            yield bed
        finally:
            _forget()


def _forget() -> None:
    brokers.forget_brokers()
    rate.budget_for.cache_clear()
    rate._window.cache_clear()
    epochs.forget_epoch()
    chain_watch.forget_chain()


def _users_of_crashpoint() -> list[Any]:
    import sys

    return [
        module
        for name, module in list(sys.modules.items())
        if name.startswith(("trading.services", "rebalancing.services"))
        and getattr(module, "crashpoint", None) is crashpoints.crashpoint
        and module is not crashpoints
    ]
