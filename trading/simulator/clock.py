"""The simulator's only clock: real time × speed, or time that moves only when told.

Readings are aware Seoul times and increase by at least a microsecond each, so that no two things in
the journal happen at once.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from trading.domain.sessions import KRX, SEOUL, Calendar

__all__ = ["VirtualClock", "default_start"]

MICROSECOND = timedelta(microseconds=1)


class VirtualClock:
    """Virtual time from `start`; `speed` 0 is the stepped clock."""

    def __init__(self, start: datetime, speed: float = 1.0) -> None:
        if start.tzinfo is None:
            start = start.replace(tzinfo=SEOUL)
        self.speed = speed
        self._base = start.astimezone(SEOUL)
        self._wall = time.monotonic()
        self._last = self._base - MICROSECOND

    def peek(self) -> datetime:
        """The time that passes by itself, without making a reading of it."""
        elapsed = (time.monotonic() - self._wall) * self.speed if self.speed else 0.0
        return max(self._base + timedelta(seconds=elapsed), self._last)

    def stamp(self, at: datetime | None = None) -> datetime:
        """A new reading, not before `at` (default now) and always after the one before."""
        self._last = max(at or self.peek(), self._last + MICROSECOND)
        return self._last

    def advance(self, seconds: float) -> datetime:
        """Move virtual time forward. Raises ValueError when asked to go back."""
        if seconds < 0:
            raise ValueError("time only moves forward")
        now = self.peek()
        self.rebase(now + timedelta(seconds=seconds))
        return self._base

    def rebase(self, at: datetime) -> None:
        """Continue from `at`, which may not lie before the last reading."""
        self._base = max(at, self._last)
        self._wall = time.monotonic()

    def frozen(self) -> tuple[datetime, datetime]:
        """What a snapshot needs to continue later: the time now and the last reading."""
        return self.peek(), self._last

    def thaw(self, state: tuple[datetime, datetime]) -> None:
        """Go back to a snapshot; only a restore, which starts a new epoch, may do this."""
        self._base, self._last = state
        self._wall = time.monotonic()


def default_start(now: datetime | None = None, calendar: Calendar = KRX) -> datetime:
    """35 minutes into the latest session that has come so far: 09:35 on an ordinary day."""
    moment = now or datetime.now(SEOUL)
    day = moment.astimezone(SEOUL).date()
    while True:
        if calendar.is_session(day):
            start = calendar.session_hours(day).open + timedelta(minutes=35)
            if start <= moment:
                return start
        day = calendar.previous_session(day)
