"""The won of a dollar: one rate a weekday, posted at 08:30 in Seoul, a seeded walk in both directions."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from trading.simulator.prices import DayBar

__all__ = ["BASE", "Rates"]

BASE = 138_540
"""Hundredths of a won on the first day."""
SIGMA = 0.0035
POSTED_AFTER = timedelta(hours=8, minutes=30)


@dataclass
class Rates:
    """Rates in hundredths of a won a dollar; `first_day` has `BASE`."""

    seed: int
    first_day: date
    _bars: dict[date, DayBar] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.first_day = weekday(self.first_day)

    def day(self, moment: datetime) -> date:
        """The weekday whose rate is in force at a moment."""
        return weekday((moment - POSTED_AFTER).date())

    def at(self, moment: datetime) -> int:
        """The rate in force at a moment: the night trades in New York at the rate of its evening."""
        return self.bar(self.day(moment)).open

    def bar(self, day: date) -> DayBar:
        """A weekday's course; what is posted is where it began."""
        while day not in self._bars:
            self._extend(day)
        return self._bars[day]

    def before(self, day: date) -> date:
        """The weekday before a day."""
        return weekday(day - timedelta(days=1))

    def _extend(self, day: date) -> None:
        if not self._bars:
            self._bars[self.first_day] = self._walk(self.first_day, BASE)
        first, last = min(self._bars), max(self._bars)
        if day > last:
            ahead = last + timedelta(days=3 if last.weekday() == 4 else 1)
            self._bars[ahead] = self._walk(ahead, self._bars[last].close)
        else:
            before = self.before(first)
            self._bars[before] = self._back(before, self._bars[first].open)

    def _walk(self, day: date, opened: int) -> DayBar:
        rng = self._rng(day)
        return _bar(opened, round(opened * (1 + rng.gauss(0, SIGMA))), rng)

    def _back(self, day: date, closed: int) -> DayBar:
        rng = self._rng(day)
        # pulled towards the base, so that ten years back it is still a rate of this century
        drift = 0.002 * (1 - BASE / closed)
        return _bar(round(closed * (1 - drift + rng.gauss(0, SIGMA))), closed, rng)

    def _rng(self, day: date) -> random.Random:
        return random.Random(f"{self.seed}:us:rate:{day}")


def weekday(day: date) -> date:
    """The day itself, or the Friday before a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))


def _bar(opened: int, closed: int, rng: random.Random) -> DayBar:
    high = round(max(opened, closed) * (1 + abs(rng.gauss(0, SIGMA / 3))))
    low = round(min(opened, closed) * (1 - abs(rng.gauss(0, SIGMA / 3))))
    return DayBar(opened, opened, high, low, closed, 0)
