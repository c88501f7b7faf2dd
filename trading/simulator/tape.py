"""One session of one instrument: what the whole market traded in it, by minute and by second.

A day's bar is split into minutes and a minute into seconds by the same rule, so that a quote of the whole
market costs minutes and only what somebody watches or trades costs seconds. Every screen that tells a
price, a volume or a turnover of a moment reads it here, so two of them never disagree.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import NamedTuple, Protocol

from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import tick_size
from trading.simulator.prices import DayBar, nearest

__all__ = ["MINUTE", "Bar", "Print", "Seconds", "Tape"]

MINUTE = 60
MORNING, EVENING = (2.0, 30.0), (1.5, 20.0)
"""How much busier the first and the last minutes are, and over how many of them that fades."""
BUY_SHARE = (0.3, 0.4)
"""How much of a minute's trading hits the ask: at least, and how much more at most."""
KEPT_MINUTES = 20_000


class Traded(Protocol):
    """What a tape asks of a listing; without a `kind` every whole number is a price."""

    @property
    def kind(self) -> InstrumentKind | None: ...
    @property
    def sigma(self) -> float: ...


class Bar(NamedTuple):
    """Prices in won, volume in shares; nothing traded in a bar without volume."""

    open: int
    high: int
    low: int
    close: int
    volume: int

    @property
    def turnover(self) -> int:
        """Won paid for all of it."""
        return self.paid(self.volume)

    def paid(self, shares: int) -> int:
        """Won paid for the first `shares` of it: at its average price, whatever second they fell in."""
        return shares * (self.high + self.low + 2 * self.close) // 4


@dataclass(frozen=True, slots=True)
class Seconds:
    """One minute, second by second: prices in won, shares traded since the minute began."""

    price: tuple[int, ...]
    volume: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Print:
    """One trade: shares, and what was traded and bought in the day up to and with it."""

    is_buy: bool
    quantity: int
    volume: int
    bought: int

    @property
    def sold(self) -> int:
        return self.volume - self.bought


class Tape:
    """The continuous session of `bar` in `length` seconds, a pure function of its arguments.

    Nothing trades in the seconds [from, to) of any of `pauses`; they change no price.
    """

    def __init__(
        self, bar: DayBar, listing: Traded, length: int, key: str, pauses: Sequence[tuple[int, int]]
    ) -> None:
        self.length = length
        self._kind, self._key, self._pauses = listing.kind, key, tuple(pauses)
        self._noise = max(listing.sigma * bar.reference, float(bar.high - bar.low))
        count = max(1, -(-length // MINUTE))
        whole = Bar(bar.open, bar.high, bar.low, bar.close, bar.volume if bar.traded else 0)
        rng = random.Random(f"{key}:minutes")
        steps = self._noise / math.sqrt(count)
        prices = _walk(whole, count, steps, self._kind, rng, whole.open)
        usual = _usual(count)
        busy = [self._busy(i, count) for i in range(count)] if pauses else usual
        volumes = _shares(whole.volume, busy, rng)
        self._minutes = _bars(whole, prices, volumes, steps / 2, self._kind, rng)
        least, more = BUY_SHARE
        draw = rng.random
        self._buys = [int(v * (least + more * draw())) for v in volumes]
        self._bought = (0, *accumulate(self._buys))
        self._volume = (0, *accumulate(volumes))
        paid = [v * (high + low + 2 * close) // 4 for _open, high, low, close, v in self._minutes]
        self._paid = (0, *accumulate(paid))
        self._total = whole.turnover
        self._high = tuple(accumulate([minute[1] for minute in self._minutes], max))
        self._low = tuple(accumulate([minute[2] for minute in self._minutes], min))

    def __len__(self) -> int:
        return self.length

    @cached_property
    def minutes(self) -> list[Bar]:
        """The bars of all minutes."""
        return [Bar(*minute) for minute in self._minutes]

    def price(self, tick: int) -> int:
        """The last price at the end of a second."""
        return self.seconds(tick // MINUTE).price[tick % MINUTE]

    def high(self, tick: int) -> int:
        """The highest price of the day up to and with a second."""
        minute, second = divmod(tick, MINUTE)
        now = max(self.seconds(minute).price[: second + 1])
        return max(now, self._high[minute - 1]) if minute else now

    def low(self, tick: int) -> int:
        """The lowest price of the day up to and with a second."""
        minute, second = divmod(tick, MINUTE)
        now = min(self.seconds(minute).price[: second + 1])
        return min(now, self._low[minute - 1]) if minute else now

    def volume(self, tick: int) -> int:
        """Shares traded since the open."""
        minute, second = divmod(tick, MINUTE)
        return self._volume[minute] + self.seconds(minute).volume[second]

    def turnover(self, tick: int) -> int:
        """Won paid since the open; at the end what the day's bar says."""
        minute, second = divmod(tick, MINUTE)
        bar = Bar(*self._minutes[minute])
        paid = self._paid[minute] + bar.paid(self.seconds(minute).volume[second])
        return self._total * paid // self._paid[-1] if paid else 0

    def turnover_after(self, minute: int) -> int:
        """Won paid up to the end of a minute."""
        return self._total * self._paid[minute + 1] // self._paid[-1] if self._paid[-1] else 0

    def bought(self, tick: int) -> int:
        """Shares traded since the open that a buyer took from the ask."""
        minute, second = divmod(tick, MINUTE)
        within, whole = self.seconds(minute).volume[second], self._minutes[minute][4]
        return self._bought[minute] + (self._buys[minute] * within // whole if whole else 0)

    def high_made(self, tick: int) -> int:
        """The second in which the running high of `tick` was first traded."""
        return self._made(self.high(tick), bisect_left(self._high, self.high(tick)), tick)

    def low_made(self, tick: int) -> int:
        """The second in which the running low of `tick` was first traded."""
        first = bisect_left(self._low, -self.low(tick), key=lambda low: -low)
        return self._made(self.low(tick), first, tick)

    def _made(self, price: int, minute: int, tick: int) -> int:
        minute = min(minute, tick // MINUTE)
        return minute * MINUTE + self.seconds(minute).price.index(price)

    def prints(self, tick: int) -> tuple[Print, ...]:
        """The trades of one second: what sellers hit, then what buyers took."""
        total, bought = self.traded(tick), self.bought(tick)
        buys = bought - (self.bought(tick - 1) if tick else 0)
        found, volume = [], self.volume(tick) - total
        for is_buy, quantity in ((False, total - buys), (True, buys)):
            if quantity:
                volume += quantity
                found.append(Print(is_buy, quantity, volume, bought if is_buy else bought - buys))
        return tuple(found)

    def traded(self, tick: int) -> int:
        """Shares traded in one second."""
        return self.volume(tick) - (self.volume(tick - 1) if tick else 0)

    def seconds(self, minute: int) -> Seconds:
        """The seconds of one minute."""
        return _seconds(self, minute)

    def make_seconds(self, minute: int) -> Seconds:
        """Split one minute; `seconds` keeps what was made."""
        bar, first = Bar(*self._minutes[minute]), minute * MINUTE
        count = min(MINUTE, self.length - first) or 1
        rng = random.Random(f"{self._key}:{minute}")
        noise = self._noise / math.sqrt(max(1, self.length))
        prices = [bar.open, *_walk(bar, count - 1, noise, self._kind, rng, bar.open)]
        open_for = [
            not any(start <= first + i < end for start, end in self._pauses) for i in range(count)
        ]
        if not any(open_for):
            open_for[-1] = True
        shares = _shares(bar.volume, [1.0 if opened else 0.0 for opened in open_for], rng)
        return Seconds(tuple(prices), tuple(accumulate(shares)))

    def next_touch(
        self, first: int, last: int, low: float, high: float, bent: Callable[[int], int]
    ) -> int | None:
        """The first second in [first, last] whose price is at or under `low`, or at or over `high`.

        `bent` is what becomes of a price; it must not turn a lower one into a higher one.
        """
        tick = first
        while tick <= last:
            minute = tick // MINUTE
            end = min(last, minute * MINUTE + MINUTE - 1)
            _open, high_, low_, _close, _volume = self._minutes[minute]
            if bent(low_) <= low or bent(high_) >= high:
                prices = self.seconds(minute).price
                for at in range(tick, end + 1):
                    if not low < bent(prices[at % MINUTE]) < high:
                        return at
            tick = end + 1
        return None

    def _busy(self, minute: int, count: int) -> float:
        """How much of the day's trading a minute attracts, paused parts left out."""
        start, end = minute * MINUTE, (minute + 1) * MINUTE
        stopped = sum(max(0, min(end, to) - max(start, since)) for since, to in self._pauses)
        return _usual(count)[minute] * max(0.0, 1 - stopped / MINUTE)


@lru_cache(maxsize=8)
def _usual(count: int) -> tuple[float, ...]:
    """How busy each of a session's minutes is when nothing is halted."""
    return tuple(
        1.0
        + MORNING[0] * math.exp(-minute / MORNING[1])
        + EVENING[0] * math.exp((minute - count) / EVENING[1])
        for minute in range(count)
    )


@lru_cache(maxsize=KEPT_MINUTES)
def _seconds(tape: Tape, minute: int) -> Seconds:
    return tape.make_seconds(minute)


def _walk(
    bar: Bar, count: int, noise: float, kind: InstrumentKind | None, rng: random.Random, start: int
) -> list[int]:
    """`count` prices from `start` to the close that wander inside the bar and touch both its ends."""
    if bar.high == bar.low or count < 4:
        return [start] * (count - 1) + [bar.close] * min(count, 1)
    a, b = sorted(rng.sample(range(count - 1), 2))
    rising = bar.close >= bar.open
    ends = (bar.low, bar.high) if rising is (rng.random() < 0.8) else (bar.high, bar.low)
    stops = ((a, ends[0]), (b, ends[1]), (count - 1, bar.close))
    tick, one_tick = _ticks(bar, kind)
    low, high = float(bar.low), float(bar.high)
    drawn = iter(_normals(rng, count - len(stops)))
    passed: list[float] = []
    value, at = float(start), -1
    for stop, goal in stops:
        for left in range(stop - at, 1, -1):
            value += (goal - value) / left + next(drawn) * noise
            if value < low:
                value = low
            elif value > high:
                value = high
            passed.append(value)
        value, at = float(goal), stop
        passed.append(value)
    found = (
        [round(one / tick) * tick for one in passed]
        if one_tick or kind is None
        else [nearest(one, kind) for one in passed]
    )
    for stop, goal in stops:
        found[stop] = goal
    return found


def _normals(rng: random.Random, count: int) -> list[float]:
    """What `rng.gauss(0, 1)` would draw one after the other, in pairs as it does."""
    draw, log, sqrt, cos, sin = rng.random, math.log, math.sqrt, math.cos, math.sin
    found: list[float] = []
    for _ in range((count + 1) // 2):
        turn = draw() * math.tau
        reach = sqrt(-2.0 * log(1.0 - draw()))
        found += (cos(turn) * reach, sin(turn) * reach)
    return found


def _bars(
    whole: Bar,
    closes: Sequence[int],
    volumes: Sequence[int],
    noise: float,
    kind: InstrumentKind | None,
    rng: random.Random,
) -> list[tuple[int, int, int, int, int]]:
    """The values of a bar for each close, opening where the one before ended, none outside the whole."""
    tick, one_tick = _ticks(whole, kind)
    top, bottom = whole.high, whole.low
    made, opened, draw, reach = [], whole.open, rng.random, 1.6 * noise
    for close, volume in zip(closes, volumes, strict=True):
        high, low = (opened, close) if opened > close else (close, opened)
        up, down = reach * draw(), reach * draw()
        if one_tick or kind is None:
            high += int(up / tick + 0.5) * tick
            low -= int(down / tick + 0.5) * tick
        else:
            high, low = max(high, nearest(high + up, kind)), min(low, nearest(low - down, kind))
        if high > top:
            high = top
        if low < bottom:
            low = bottom
        made.append((opened, high, low, close, volume))
        opened = close
    return made


def _ticks(bar: Bar, kind: InstrumentKind | None) -> tuple[int, bool]:
    """(the tick at the low, it is the tick at the high too)."""
    if kind is None:
        return 1, True
    tick = tick_size(bar.low, kind)
    return tick, tick == tick_size(bar.high, kind)


def _shares(total: int, weights: Sequence[float], rng: random.Random) -> list[int]:
    """`total` shares over the weights at random; all of them, and none where a weight is zero."""
    draw, log = rng.random, math.log
    # drawn for a pause too: what follows must not depend on where the pauses are
    drawn = [-log(1.0 - draw()) * w for w in weights]
    whole = sum(drawn)
    if not whole or not total:
        return [0] * len(weights)
    ends = [int(total * part / whole) for part in accumulate(drawn)]
    ends[-1] = total
    shares = [b - a for a, b in zip((0, *ends), ends, strict=False)]
    if not weights[-1]:
        last = max(i for i, w in enumerate(weights) if w)
        shares[last] += shares[-1]
        shares[-1] = 0
    return shares
