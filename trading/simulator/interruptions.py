"""Volatility interruptions: when a price has run too far, two minutes and a little of a call auction.

Static ones only, as KRX has them: a trade a tenth or more away from the price of the last auction, which is
the opening, or the one that ended the interruption before.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from trading.simulator.tape import Tape

__all__ = ["FAR", "Interruption", "interruptions_of", "length_of"]

FAR = 10
"""Per cent from the reference that set one off."""
SECONDS = 120
MORE = 30
"""The auction ends at a moment nobody knows, within so many seconds more."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """Seconds [start, end) of a session. `price` set it off, `reference` is what it was compared with."""

    start: int
    end: int
    reference: int
    price: int

    def covers(self, tick: int) -> bool:
        return self.start <= tick < self.end


def length_of(key: str, start: int) -> int:
    """How many seconds one that begins at `start` lasts; the same for the same day's `key`."""
    return SECONDS + random.Random(f"{key}:vi:{start}").randint(0, MORE)


def interruptions_of(tape: Tape, opening: int, key: str) -> tuple[Interruption, ...]:
    """Those of one session, in order. One that would run into the closing auction is left to it."""
    found: list[Interruption] = []
    reference, first, last = opening, 0, len(tape) - 1
    while True:
        low, high = reference * (100 - FAR) / 100, reference * (100 + FAR) / 100
        start = tape.next_touch(first, last, low, high, lambda price: price)
        if start is None or start + SECONDS + MORE > last:
            return tuple(found)
        end = start + length_of(key, start)
        found.append(Interruption(start, end, reference, tape.price(start)))
        reference, first = tape.price(end), end + 1
