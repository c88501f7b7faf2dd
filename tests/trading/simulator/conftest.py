"""Simulators on free loopback ports with a stepped clock: time moves only when a test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.trading.simulator.kis import Hand
from trading.domain.sessions import SEOUL
from trading.simulator import Simulator

FRIDAY = datetime(2026, 11, 20, 9, 35, tzinfo=SEOUL)
Make = Callable[..., Simulator]


@pytest.fixture
def make() -> Iterator[Make]:
    """Start a simulator: tame, unthrottled, stepped, 2026-11-20 09:35 unless told otherwise."""
    running: list[Simulator] = []

    def start(**options: Any) -> Simulator:
        defaults: dict[str, Any] = {"tame": True, "throttled": False, "start": FRIDAY, "seed": 7}
        sim = Simulator(**{**defaults, **options}).start()
        running.append(sim)
        return sim

    yield start
    for sim in running:
        sim.stop()


@pytest.fixture
def sim(make: Make) -> Simulator:
    return make()


@pytest.fixture
def hand(sim: Simulator) -> Hand:
    """A logged-in hand on a tame, unthrottled simulator."""
    return Hand(sim).login()
