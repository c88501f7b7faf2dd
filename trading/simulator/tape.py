"""One session of one instrument: what the whole market traded in it, by minute and by second.

A day's bar is split into minutes and a minute into seconds by the same rule, so that a quote of the whole
market costs minutes and only what somebody watches or trades costs seconds. Every screen that tells a
price, a volume or a turnover of a moment reads it here, so two of them never disagree.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import tick_size
from trading.simulator.prices import DayBar, nearest

__all__ = ["MINUTE", "Bar", "Mark", "Print", "Seconds", "Tape"]

MINUTE = 60
MORNING, EVENING = (2.0, 30.0), (1.5, 20.0)
"""How much busier the first and the last minutes are, and over how many of them that fades."""
BUY_SHARE = (0.3, 0.4)
"""How much of a minute's trading hits the ask: at least, and how much more at most."""
KEPT_MINUTES = 20_000
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


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


class Mark(NamedTuple):
    """A price and the second of its trade."""

    price: int
    tick: int


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
        draws = _Draws(rng, 5 * count)
        steps = self._noise / math.sqrt(count)
        prices = _walk(whole, count, steps, self._kind, rng, draws, whole.open)
        busy = self._busy(count) if pauses else _usual(count)
        volumes = _shares(whole.volume, busy, draws)
        opens, highs, lows = _reaches(whole, prices, steps / 2, self._kind, draws)
        least, more = BUY_SHARE
        self._buys = (volumes * (least + more * draws.take(count))).astype(np.int64)
        self._bought = _running(self._buys)
        self._volume = _running(volumes)
        self._paid = _running(volumes * (highs + lows + 2 * prices) // 4)
        self._total = whole.turnover
        self._high, self._low = np.maximum.accumulate(highs), np.minimum.accumulate(lows)
        self._minutes = np.empty((count, 5), np.int64)
        for place, column in enumerate((opens, highs, lows, prices, volumes)):
            self._minutes[:, place] = column

    def __len__(self) -> int:
        return self.length

    @cached_property
    def minutes(self) -> list[Bar]:
        """The bars of all minutes."""
        return [Bar(*minute) for minute in self._minutes.tolist()]

    def minute(self, number: int) -> Bar:
        """The bar of one minute."""
        return Bar(*self._minutes[number].tolist())

    def price(self, tick: int) -> int:
        """The last price at the end of a second."""
        return self.seconds(tick // MINUTE).price[tick % MINUTE]

    def high(self, tick: int) -> int:
        """The highest price of the day up to and with a second."""
        minute, second = divmod(tick, MINUTE)
        now = max(self.seconds(minute).price[: second + 1])
        return max(now, int(self._high[minute - 1])) if minute else now

    def low(self, tick: int) -> int:
        """The lowest price of the day up to and with a second."""
        minute, second = divmod(tick, MINUTE)
        now = min(self.seconds(minute).price[: second + 1])
        return min(now, int(self._low[minute - 1])) if minute else now

    def volume(self, tick: int) -> int:
        """Shares traded since the open."""
        minute, second = divmod(tick, MINUTE)
        return int(self._volume[minute]) + self.seconds(minute).volume[second]

    def turnover(self, tick: int) -> int:
        """Won paid since the open; at the end what the day's bar says."""
        minute, second = divmod(tick, MINUTE)
        within = self.minute(minute).paid(self.seconds(minute).volume[second])
        return self._share(int(self._paid[minute]) + within)

    def turnover_after(self, minute: int) -> int:
        """Won paid up to the end of a minute."""
        return self._share(int(self._paid[minute + 1]))

    def _share(self, paid: int) -> int:
        """The part of the day's turnover that `paid` is of what the minutes' averages come to."""
        return self._total * paid // int(self._paid[-1]) if paid else 0

    def bought(self, tick: int) -> int:
        """Shares traded since the open that a buyer took from the ask."""
        minute, second = divmod(tick, MINUTE)
        within, whole = self.seconds(minute).volume[second], int(self._minutes[minute, 4])
        bought = int(self._bought[minute])
        return bought + (int(self._buys[minute]) * within // whole if whole else 0)

    def high_made(self, tick: int) -> int:
        """The second in which the running high of `tick` was first traded."""
        high = self.high(tick)
        return self._made(high, int(np.searchsorted(self._high, high)), tick)

    def low_made(self, tick: int) -> int:
        """The second in which the running low of `tick` was first traded."""
        low = self.low(tick)
        return self._made(low, int(np.searchsorted(-self._low, -low)), tick)

    def reach(self, first: int, last: int) -> tuple[Mark, Mark]:
        """The highest and the lowest price of the seconds [first, last], each where it was first traded."""
        begin, end = first // MINUTE, last // MINUTE
        found = [Mark(p, first + i) for i, p in enumerate(self._part(begin, first, last))]
        for column, wanted in ((1, max), (2, min)):
            between = self._minutes[begin + 1 : end, column]
            if len(between):
                price = wanted(between.tolist())
                minute = begin + 1 + int(np.argmax(between == price))
                found.append(Mark(price, self._made(price, minute, last)))
        if end > begin:
            start = end * MINUTE
            found += [Mark(p, start + i) for i, p in enumerate(self._part(end, start, last))]
        return (
            min(found, key=lambda mark: (-mark.price, mark.tick)),
            min(found, key=lambda mark: (mark.price, mark.tick)),
        )

    def _part(self, minute: int, first: int, last: int) -> tuple[int, ...]:
        start = minute * MINUTE
        return self.seconds(minute).price[first - start : last - start + 1]

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
        bar, first = self.minute(minute), minute * MINUTE
        count = min(MINUTE, self.length - first) or 1
        rng = random.Random(f"{self._key}:{minute}")
        draws = _Draws(rng, 2 * count + 1)
        noise = self._noise / math.sqrt(max(1, self.length))
        prices = _walk(bar, count - 1, noise, self._kind, rng, draws, bar.open)
        open_for = np.ones(count)
        for start, end in self._pauses:
            open_for[max(0, start - first) : max(0, end - first)] = 0.0
        if not open_for.any():
            open_for[-1] = 1.0
        shares = _shares(bar.volume, open_for, draws)
        return Seconds((bar.open, *prices.tolist()), tuple(np.cumsum(shares).tolist()))

    def next_touch(
        self, first: int, last: int, low: float, high: float, bent: Callable[[int], int]
    ) -> int | None:
        """The first second in [first, last] whose price is at or under `low`, or at or over `high`.

        `bent` is what becomes of a price; it must not turn a lower one into a higher one.
        """
        begin = first // MINUTE
        bars = self._minutes[begin : last // MINUTE + 1, 1:3].tolist() if first <= last else []
        for minute, (highest, lowest) in enumerate(bars, begin):
            if bent(lowest) <= low or bent(highest) >= high:
                prices = self.seconds(minute).price
                start = minute * MINUTE
                for at in range(max(first, start), min(last, start + MINUTE - 1) + 1):
                    if not low < bent(prices[at - start]) < high:
                        return at
        return None

    def _busy(self, count: int) -> Floats:
        """How much of the day's trading each minute attracts, paused parts left out."""
        start = np.arange(count) * MINUTE
        stopped = np.zeros(count)
        for since, to in self._pauses:
            stopped += np.maximum(0, np.minimum(start + MINUTE, to) - np.maximum(start, since))
        return _usual(count) * np.maximum(0.0, 1 - stopped / MINUTE)


@lru_cache(maxsize=8)
def _usual(count: int) -> Floats:
    """How busy each of a session's minutes is when nothing is halted."""
    minute = np.arange(count)
    return (
        1.0
        + MORNING[0] * np.exp(-minute / MORNING[1])
        + EVENING[0] * np.exp((minute - count) / EVENING[1])
    )


@lru_cache(maxsize=KEPT_MINUTES)
def _seconds(tape: Tape, minute: int) -> Seconds:
    return tape.make_seconds(minute)


class _Draws:
    """What `rng.random()` gives, many at once and bit for bit the same.

    It reads `ahead` of what is asked for, so `rng` itself is not to be used after the first `take`.
    """

    def __init__(self, rng: random.Random, ahead: int) -> None:
        self._rng, self._ahead = rng, ahead
        self._kept: Floats = np.empty(0)

    def take(self, count: int) -> Floats:
        """The next `count` of them."""
        if count > len(self._kept):
            more = max(self._ahead, count - len(self._kept))
            fresh = _random(self._rng, more)
            self._kept = np.concatenate((self._kept, fresh)) if len(self._kept) else fresh
        taken, self._kept = self._kept[:count], self._kept[count:]
        return taken


def _random(rng: random.Random, count: int) -> Floats:
    words = np.frombuffer(rng.getrandbits(64 * count).to_bytes(8 * count, "little"), "<u4")
    drawn: Floats = ((words[0::2] >> 5) * 67_108_864.0 + (words[1::2] >> 6)) / (1 << 53)
    return drawn


def _running(parts: Whole) -> Whole:
    """The sums of the first none, one, two … of the parts."""
    sums = np.zeros(len(parts) + 1, np.int64)
    np.cumsum(parts, out=sums[1:])
    return sums


def _walk(
    bar: Bar,
    count: int,
    noise: float,
    kind: InstrumentKind | None,
    rng: random.Random,
    draws: _Draws,
    start: int,
) -> Whole:
    """`count` prices from `start` to the close that wander inside the bar and touch both its ends."""
    if bar.high == bar.low or count < 4:
        return np.array([start] * (count - 1) + [bar.close] * min(count, 1), np.int64)
    a, b = sorted(rng.sample(range(count - 1), 2))
    rising = bar.close >= bar.open
    ends = (bar.low, bar.high) if rising is (rng.random() < 0.8) else (bar.high, bar.low)
    stops = ((a, ends[0]), (b, ends[1]), (count - 1, bar.close))
    low, high = float(bar.low), float(bar.high)
    steps = iter((_normals(draws, count - len(stops)) * noise).tolist())
    passed: list[float] = []
    value, at = float(start), -1
    for stop, goal in stops:
        for left in range(stop - at, 1, -1):
            value += (goal - value) / left + next(steps)
            if value < low:
                value = low
            elif value > high:
                value = high
            passed.append(value)
        value, at = float(goal), stop
        passed.append(value)
    found = _on_grid(passed, bar, kind)
    for stop, goal in stops:
        found[stop] = goal
    return found


def _on_grid(prices: Sequence[float], bar: Bar, kind: InstrumentKind | None) -> Whole:
    """The nearest prices of the grid, all between the bar's low and high."""
    tick, one_tick = _ticks(bar, kind)
    if one_tick or kind is None:
        return np.rint(np.asarray(prices) / tick).astype(np.int64) * tick
    return np.array([nearest(price, kind) for price in prices], np.int64)


def _normals(draws: _Draws, count: int) -> Floats:
    """What `rng.gauss(0, 1)` would draw one after the other, in pairs as it does."""
    drawn = draws.take(2 * ((count + 1) // 2))
    turn, reach = drawn[0::2] * math.tau, np.sqrt(-2.0 * np.log(1.0 - drawn[1::2]))
    found = np.empty(len(drawn))
    found[0::2], found[1::2] = np.cos(turn) * reach, np.sin(turn) * reach
    return found[:count]


def _reaches(
    whole: Bar, closes: Whole, noise: float, kind: InstrumentKind | None, draws: _Draws
) -> tuple[Whole, Whole, Whole]:
    """(opens, highs, lows) for each close, opening where the one before ended, none outside the whole."""
    tick, one_tick = _ticks(whole, kind)
    opens = np.empty_like(closes)
    opens[0], opens[1:] = whole.open, closes[:-1]
    up, down = draws.take(2 * len(closes)).reshape(-1, 2).T * (1.6 * noise)
    high, low = np.maximum(opens, closes), np.minimum(opens, closes)
    if one_tick or kind is None:
        high = high + (up / tick + 0.5).astype(np.int64) * tick
        low = low - (down / tick + 0.5).astype(np.int64) * tick
    else:
        pairs = zip((high + up).tolist(), (low - down).tolist(), strict=True)
        ends = np.array([(nearest(a, kind), nearest(b, kind)) for a, b in pairs], np.int64)
        high, low = np.maximum(high, ends[:, 0]), np.minimum(low, ends[:, 1])
    return opens, np.minimum(high, whole.high), np.maximum(low, whole.low)


def _ticks(bar: Bar, kind: InstrumentKind | None) -> tuple[int, bool]:
    """(the tick at the low, it is the tick at the high too)."""
    if kind is None:
        return 1, True
    tick = tick_size(bar.low, kind)
    return tick, tick == tick_size(bar.high, kind)


def _shares(total: int, weights: Floats, draws: _Draws) -> Whole:
    """`total` shares over the weights at random; all of them, and none where a weight is zero."""
    # drawn for a pause too: what follows must not depend on where the pauses are
    parts = np.cumsum(-np.log(1.0 - draws.take(len(weights))) * weights)
    if not total or not parts[-1]:
        return np.zeros(len(weights), np.int64)
    ends = (total * parts / parts[-1]).astype(np.int64)
    ends[-1] = total
    shares = ends.copy()
    shares[1:] -= ends[:-1]
    if not weights[-1]:
        shares[np.flatnonzero(weights)[-1]] += shares[-1]
        shares[-1] = 0
    return shares
