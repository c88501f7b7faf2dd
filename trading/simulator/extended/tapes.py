"""What trades outside KRX's regular session, second by second: tapes of the morning and of the evening.

Both venues' evenings are one walk from the day's close, so that two books of one instrument never drift
apart. NXT's morning walks from the day before's close to about where the day opens, and its main session has
KRX's own price. Nothing here touches the day's bar: the regular session's volume, range and close stay.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache

from trading.domain.sessions import SessionHours
from trading.simulator.market import Market, Memory
from trading.simulator.prices import DayBar, within
from trading.simulator.tape import Tape
from trading.simulator.windows import NXT_SINCE, Board, Window, spans_of

__all__ = ["Stretch", "Tapes", "Walk", "stretches_of"]

KEPT = 2_000
MORNING_VOLUME, STILL_VOLUME, EVENING_VOLUME = 0.02, 0.004, 0.04
"""Of the day's shares, give or take a half."""
EVENING_SIGMA = 0.5
"""How far an evening goes, against a day."""
NEAR_OPEN = 0.2
"""How far from the opening price a morning may end, against a day's move."""
NXT_PART = 0.4
"""What NXT trades in its main session of what KRX trades in the same second."""
DEEP = {Window.AFTER: 0.15, Window.NXT_PRE: 0.08, Window.NXT_MAIN: 0.4, Window.NXT_AFTER: 0.12}
"""Shares at one price, against the regular session's book."""


class Walk(StrEnum):
    """Which tape a stretch of the day is read from."""

    MORNING = "morning"
    DAY = "day"
    STILL = "still"
    """NXT while KRX trades at the close: at that price too."""
    EVENING = "evening"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds [first, last] from KRX's open in which a board trades; `origin` is its tape's first one."""

    board: Board
    window: Window
    walk: Walk
    origin: int
    first: int
    last: int


def seconds(hours: SessionHours, moment: datetime) -> int:
    """Seconds from KRX's open to `moment`, negative before it."""
    return math.floor((moment - hours.open).total_seconds())


@lru_cache(maxsize=64)
def stretches_of(hours: SessionHours, board: Board) -> tuple[Stretch, ...]:
    """A continuous board's stretches in a day, in order."""
    found: list[Stretch] = []
    evening = seconds(hours, hours.after_close_end)
    for span in spans_of(hours):
        if span.board is not board:
            continue
        first, last = seconds(hours, span.start), seconds(hours, span.end) - 1
        window = span.window
        if window is Window.NXT_PRE:
            found.append(Stretch(board, window, Walk.MORNING, first, first, last))
        elif window is Window.NXT_MAIN:
            found.append(Stretch(board, window, Walk.DAY, 0, first, last))
        elif window is Window.NXT_AFTER:
            found.append(Stretch(board, window, Walk.STILL, first, first, evening - 1))
            found.append(Stretch(board, window, Walk.EVENING, evening, evening, last))
        elif window is Window.AFTER:
            found.append(Stretch(board, window, Walk.EVENING, evening, first, last))
    return tuple(found)


@dataclass
class Tapes:
    """The tapes of one market outside its regular session, a pure function of seed, code and day."""

    market: Market
    made: Memory = field(default_factory=Memory, compare=False, repr=False)

    def tape(self, stretch: Stretch, code: str, day: date) -> Tape:
        if stretch.walk is Walk.DAY:
            return self.market.tape(code, day)
        key = (stretch.walk, code, day)
        if key not in self.made:
            if len(self.made) > KEPT:
                self.made.clear()
            self.made[key] = self._tape(stretch.walk, code, day)
        found: Tape = self.made[key]
        return found

    def price(self, stretch: Stretch, code: str, day: date, tick: int) -> int:
        """The last price at the end of a second."""
        price = self.tape(stretch, code, day).price(tick - stretch.origin)
        return self.market.bent(code, day, price)

    def shares(self, stretch: Stretch, code: str, day: date, tick: int) -> tuple[int, int]:
        """(what sellers hit, what buyers took) of others from a stretch's first second to `tick`."""
        tape, first, last = (
            self.tape(stretch, code, day),
            stretch.first - stretch.origin,
            tick - stretch.origin,
        )
        # what KRX traded before NXT went on is not NXT's
        volume, bought = (tape.volume(first - 1), tape.bought(first - 1)) if first else (0, 0)
        volume, bought = tape.volume(last) - volume, tape.bought(last) - bought
        part = NXT_PART if stretch.walk is Walk.DAY else 1.0
        return int((volume - bought) * part), int(bought * part)

    def traded(self, stretch: Stretch, code: str, day: date, tick: int) -> int:
        """Shares that others trade in one second."""
        before = self.shares(stretch, code, day, tick - 1) if tick > stretch.first else (0, 0)
        return sum(self.shares(stretch, code, day, tick)) - sum(before)

    def next_touch(
        self, stretch: Stretch, code: str, day: date, first: int, last: int,
        buy: int | None, sell: int | None,
    ) -> int | None:  # fmt: skip
        """The first second in [first, last] whose price is at or through a resting order."""
        low, high = buy if buy is not None else -1, sell if sell is not None else 1 << 60
        if code in self.market.pins:
            price = self.price(stretch, code, day, first)
            return first if price <= low or price >= high else None
        found = self.tape(stretch, code, day).next_touch(
            first - stretch.origin,
            last - stretch.origin,
            low,
            high,
            lambda price: self.market.bent(code, day, price),
        )
        return None if found is None else found + stretch.origin

    def depth(self, stretch: Stretch) -> float:
        """How deep a stretch's book is against the regular session's."""
        return 1.0 if self.market.tame else DEEP[stretch.window]

    def _tape(self, walk: Walk, code: str, day: date) -> Tape:
        hours = self.market.calendar.session_hours(day)
        board = Board.NXT if day >= NXT_SINCE else Board.AFTER
        stretch = next(s for s in stretches_of(hours, board) if s.walk is walk)
        key = f"{self.market.seed}:{code}:{day}:{walk}"
        listing = self.market.listing(code)
        length = stretch.last - stretch.origin + 1
        return Tape(self._bar(walk, code, day, key), listing, length, key, ())

    def _bar(self, walk: Walk, code: str, day: date, key: str) -> DayBar:
        """Where a walk begins, ends and turns, and the shares that it trades."""
        bar, listing = self.market.bar(code, day), self.market.listing(code)
        rng = random.Random(f"{key}:bar")
        part = {
            Walk.MORNING: MORNING_VOLUME,
            Walk.STILL: STILL_VOLUME,
            Walk.EVENING: EVENING_VOLUME,
        }[walk]
        volume = max(10, int(bar.volume * part * rng.uniform(0.5, 1.5)))
        if walk is Walk.STILL:
            still = bar.close
            return DayBar(bar.reference, still, still, still, still, volume, bar.traded)
        sigma = listing.sigma * EVENING_SIGMA
        if walk is Walk.MORNING:
            began = float(bar.reference)
            ended = bar.open * (1 + rng.gauss(0, NEAR_OPEN * listing.sigma))
        else:
            began = float(bar.close)
            ended = began * (1 + rng.gauss(0, sigma))
        high = max(began, ended) * (1 + abs(rng.gauss(0, 0.4 * sigma)))
        low = min(began, ended) * (1 - abs(rng.gauss(0, 0.4 * sigma)))
        o, h, lo, c = (
            within(price, bar.reference, listing.kind) for price in (began, high, low, ended)
        )
        return DayBar(bar.reference, o, max(h, o, c), min(lo, o, c), c, volume, bar.traded)
