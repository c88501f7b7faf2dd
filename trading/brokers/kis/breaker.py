"""A circuit breaker for one host: after a row of silences nobody asks for a while, then one asks alone.

A host that is down for hours is asked at most once a pause, and its return is met by one question and
not by everybody's at once. It stands before reads only: an order opens its own line and never waits here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from trading.domain.errors import BrokerDown

__all__ = ["FAILURES", "LONGEST_PAUSE", "Breaker"]

FAILURES = 6
"""Silences in a row that open it. One read that is tried to its end has four of them."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
"""Seconds; a run's shortest deadline is three minutes, so it loses at most a tenth of it to the last pause."""


class Breaker:
    """Thread-safe. `on_turn` is told True when it opens or stays open, False when it closes."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        on_turn: Callable[[bool], None] = lambda _down: None,
    ) -> None:
        self._clock = clock
        self._on_turn = on_turn
        self._lock = threading.Lock()
        self._failures = 0
        self._pause = 0.0
        self._next_try = 0.0

    @property
    def is_open(self) -> bool:
        with self._lock:
            return self._pause > 0

    def ask(self) -> None:
        """Return when a question may be sent. Raises BrokerDown while the host is left alone.

        After a pause exactly one caller gets through; the others wait for what it hears.
        """
        with self._lock:
            if self._pause == 0:
                return
            now = self._clock()
            if now < self._next_try:
                raise BrokerDown(
                    f"the broker is silent; asked again in {self._next_try - now:.0f} s"
                )
            self._next_try = now + self._pause

    def answered(self) -> None:
        """The host spoke, whatever it said."""
        with self._lock:
            closed = self._pause > 0
            self._failures, self._pause = 0, 0.0
        if closed:
            self._on_turn(False)

    def failed(self) -> None:
        """No connection, no answer in time, or an answer from something in front of the host."""
        with self._lock:
            self._failures += 1
            if self._failures < FAILURES:
                return
            self._pause = min(LONGEST_PAUSE, self._pause * 2 or FIRST_PAUSE)
            self._next_try = self._clock() + self._pause
        self._on_turn(True)
