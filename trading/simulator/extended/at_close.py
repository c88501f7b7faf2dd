"""Trading at one price: who else wants shares at the close, second by second.

Either sellers wait for buyers or buyers for sellers, or hardly anybody for anybody; a day decides that. Who
stands on the side that is waited for is served at once. Who stands on the other queues behind those that
came before, and what reaches the session meets them first: some are served late, some in parts, some never.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date

from trading.domain.matching import Side
from trading.domain.quotes import BookLevel
from trading.simulator.market import Market, Memory
from trading.simulator.windows import Board

__all__ = ["AtClose", "Interest"]

KEPT = 2_000
CROWDED = 0.8
"""How often one side waits for the other."""
WAITING = (0.3, 4.0)
"""Shares that wait, against one level of the day's book."""
QUEUE = (1.0, 40.0)
"""Shares queued before a newcomer on the crowded side, against the same."""
BALANCED_QUEUE = (0.0, 1.5)
ARRIVAL = 0.03
"""How often in a second somebody comes who takes from the crowded side."""
ARRIVING = (0.1, 1.5)


@dataclass(frozen=True, slots=True)
class Interest:
    """Others' shares at the price by second of the session, and the queue that a newcomer joins."""

    offered: tuple[int, ...]
    wanted: tuple[int, ...]
    before_buys: int
    before_sells: int

    def levels(
        self, second: int, price: int
    ) -> tuple[tuple[BookLevel, ...], tuple[BookLevel, ...]]:
        """(asks, bids) of one second, at most one of each."""
        asks, bids = self.offered[second], self.wanted[second]
        return (
            (BookLevel(price, asks),) if asks else (),
            (BookLevel(price, bids),) if bids else (),
        )

    def queue(self, side: Side) -> int:
        return self.before_buys if side is Side.BUY else self.before_sells

    def next(self, first: int, last: int, buying: bool, selling: bool) -> int | None:
        """The first second in [first, last] in which somebody stands against a side that we are on."""
        for second in range(first, min(last, len(self.offered) - 1) + 1):
            if (buying and self.offered[second]) or (selling and self.wanted[second]):
                return second
        return None


@dataclass
class AtClose:
    """The interest of every code and day, a function of seed, code and day."""

    market: Market
    made: Memory = field(default_factory=Memory, compare=False, repr=False)

    def price(self, board: Board, code: str, day: date) -> int:
        """The only price: the close of the day before, or of the day."""
        if board is Board.BEFORE:
            return self.market.bar(code, day).reference
        return self.market.close(code, day)

    def interest(self, board: Board, code: str, day: date, length: int) -> Interest:
        key = (board, code, day, length)
        if key not in self.made:
            if len(self.made) > KEPT:
                self.made.clear()
            self.made[key] = self._interest(board, code, day, length)
        found: Interest = self.made[key]
        return found

    def _interest(self, board: Board, code: str, day: date, length: int) -> Interest:
        deep = self.market.depth(code, day)
        if self.market.tame:
            everybody = (int(deep),) * length
            return Interest(everybody, everybody, 0, 0)
        rng = random.Random(f"{self.market.seed}:{board}:{code}:{day}")
        crowded = rng.random() < CROWDED
        sellers_wait = rng.random() < 0.5
        waiting, queue = deep * rng.uniform(*WAITING), deep * rng.uniform(*QUEUE)
        balanced = deep * rng.uniform(*BALANCED_QUEUE)
        arriving = _arrivals(rng, deep, length)
        if not crowded:
            return Interest(_arrivals(rng, deep, length), arriving, int(balanced), int(balanced))
        there = tuple(max(1, int(waiting * rng.uniform(0.2, 1.0))) for _ in range(length))
        if sellers_wait:
            return Interest(there, arriving, 0, int(queue))
        return Interest(arriving, there, int(queue), 0)


def _arrivals(rng: random.Random, deep: float, length: int) -> tuple[int, ...]:
    """Shares of those who come to trade at once, none in most seconds."""
    found = []
    for _ in range(length):
        comes, size = rng.random() < ARRIVAL, rng.uniform(*ARRIVING)
        found.append(int(deep * size) if comes else 0)
    return tuple(found)
