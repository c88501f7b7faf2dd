"""What the rest of the US market does: days, seconds, books, a pure function of seed, code and time.

Prices are cents (hundredths of a point of an index). A pinned price bends the function from the day it
was pinned on.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from trading.domain.quotes import BookLevel
from trading.simulator.prices import DayBar
from trading.simulator.tape import MINUTE, Tape
from trading.simulator.us.calendar import UsCalendar, UsHours
from trading.simulator.us.listings import INDICES, LISTINGS, UsListing
from trading.simulator.us.money import share

__all__ = ["DEPTH", "Ladder", "UsCandle", "UsMarket", "UsMinute", "UsShown", "sign"]

DEPTH = 10
GAP_CHANCE = 0.03
GAP_SIZE = (0.02, 0.06)
TAME_LEVEL = 1_000_000
QUICK_RIVAL_CHANCE = 0.30
LATE_RIVAL_SHARE = (0.0, 0.7)
RIVAL_LEVELS = (3.0, 40.0)
LOWEST = 100
OLDEST = timedelta(days=3_660)
KEPT_TAPES = 600

Ladder = tuple[tuple[BookLevel, ...], tuple[BookLevel, ...]]


def sign(change: int) -> str:
    """2 up, 3 flat, 5 down: without daily limits the broker's 1 and 4 never come."""
    return "2" if change > 0 else "5" if change < 0 else "3"


@dataclass(frozen=True, slots=True)
class UsShown:
    """One instrument at one moment in cents and shares; before the open nothing of the day is traded."""

    listing: UsListing
    hours: UsHours
    bar: DayBar
    last: int
    open: int
    high: int
    low: int
    volume: int
    turnover: int
    previous_volume: int
    previous_turnover: int

    @property
    def base(self) -> int:
        """The close of the session before."""
        return self.bar.reference

    @property
    def change(self) -> int:
        return self.last - self.base

    @property
    def rate(self) -> Decimal:
        """The change in %, two places."""
        return share(self.change, self.base)


@dataclass(frozen=True, slots=True)
class UsCandle:
    """A day, week, month or year; `before` is the close of the one before."""

    day: date
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int
    before: int

    @property
    def change(self) -> int:
        return self.close - self.before


@dataclass(frozen=True, slots=True)
class UsMinute:
    """One or more minutes that began at `at` (Seoul), the last of them perhaps forming."""

    at: datetime
    hours: UsHours
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int


@dataclass
class UsMarket:
    """Every listing and index. The reference of `first_day` is the listing's base price."""

    seed: int
    calendar: UsCalendar
    first_day: date
    tame: bool = False
    pins: dict[str, int] = field(default_factory=dict)
    pinned_since: dict[str, date] = field(default_factory=dict)
    _bars: dict[tuple[str, date], DayBar] = field(default_factory=dict)
    _tapes: dict[tuple[str, date], Tape] = field(default_factory=dict)

    def __contains__(self, code: str) -> bool:
        return code in LISTINGS

    def listing(self, code: str) -> UsListing:
        """A listing or an index. Raises KeyError."""
        return LISTINGS[code] if code in LISTINGS else INDICES[code]

    # --- days ---------------------------------------------------------------------------------

    def bar(self, code: str, day: date) -> DayBar:
        """The session's bar; its reference is the close shown the session before."""
        if (code, day) not in self._bars:
            if day < self.first_day:
                self._look_back(code, day)
            else:
                self._look_ahead(code, day)
        return self._bars[code, day]

    def _look_ahead(self, code: str, day: date) -> None:
        missing = [day]
        while missing[-1] > self.first_day and (code, missing[-1]) not in self._bars:
            missing.append(self.calendar.previous_session(missing[-1]))
        listing = self.listing(code)
        for later in reversed(missing):
            if (code, later) in self._bars:
                continue
            reference = listing.base
            if later > self.first_day:
                reference = self.close(code, self.calendar.previous_session(later))
            self._bars[code, later] = _walk(listing, self.seed, later, reference, self.tame)

    def _look_back(self, code: str, day: date) -> None:
        later = self.first_day
        while later > day:
            earlier = self.calendar.previous_session(later)
            if (code, earlier) not in self._bars:
                close = self.bar(code, later).reference
                self._bars[code, earlier] = _back(self.listing(code), self.seed, earlier, close)
            later = earlier

    def bent(self, code: str, day: date, price: int) -> int:
        """What a pin makes of a price of a day."""
        pinned = code in self.pins and day >= self.pinned_since[code]
        return self.pins[code] if pinned else price

    def close(self, code: str, day: date) -> int:
        return self.bent(code, day, self.bar(code, day).close)

    def opening(self, code: str, day: date) -> int:
        return self.bent(code, day, self.bar(code, day).open)

    # --- seconds ------------------------------------------------------------------------------

    def tape(self, code: str, day: date) -> Tape:
        """The session second by second."""
        key = (code, day)
        if key not in self._tapes:
            if len(self._tapes) > KEPT_TAPES:
                self._tapes.clear()
            name = f"{self.seed}:us:{code}:{day}"
            seconds = self.calendar.hours(day).seconds
            self._tapes[key] = Tape(self.bar(code, day), self.listing(code), seconds, name, ())
        return self._tapes[key]

    def price_at(self, code: str, day: date, tick: int) -> int:
        return self.bent(code, day, self.tape(code, day).price(tick))

    def next_touch(
        self, code: str, day: date, first: int, last: int, buy: int | None, sell: int | None
    ) -> int | None:
        """The first second in [first, last] whose price is at or through a resting order."""
        return self.tape(code, day).next_touch(
            first,
            last,
            buy if buy is not None else -1,
            sell if sell is not None else 1 << 60,
            lambda price: self.bent(code, day, price),
        )

    def ladder(self, code: str, day: date, tick: int) -> Ladder:
        """(asks, bids) of the anonymous book in one second, ten levels."""
        price = self.price_at(code, day, tick)
        rng = random.Random(f"{self.seed}:us:book:{code}:{day}:{tick}")
        spread = 1 if self.tame else 1 + min(9, int(price * rng.random() / 15_000))
        ask, bid = (price + spread, price) if rng.random() < 0.5 else (price, price - spread)
        deep = self._level_depth(code, day)
        return _levels(ask, 1, deep, rng), _levels(bid, -1, deep, rng)

    def _level_depth(self, code: str, day: date) -> float:
        if self.tame:
            return TAME_LEVEL
        return max(50.0, self.bar(code, day).volume * 0.00001)

    def reach(self, code: str, day: date, order: str, quantity: int) -> tuple[int | None, int]:
        """(how much of an arriving order fills at once, shares rivals want before the rest).

        (None, 0) means nobody was quicker.
        """
        rng = random.Random(f"{self.seed}:us:rival:{code}:{order}")
        if self.tame or rng.random() >= QUICK_RIVAL_CHANCE:
            return None, 0
        part = rng.uniform(*LATE_RIVAL_SHARE)
        return int(quantity * part), int(self._level_depth(code, day) * rng.uniform(*RIVAL_LEVELS))

    # --- what is shown ------------------------------------------------------------------------

    def shown(self, code: str, moment: datetime) -> UsShown:
        """The instrument at `moment`: from the first order minute of a day on, that day."""
        day = self.calendar.begun(moment)
        hours, bar, listing = self.calendar.hours(day), self.bar(code, day), self.listing(code)
        before = self.bar(code, self.calendar.previous_session(day))
        past = before.volume, _paid(before)
        if moment < hours.open:
            last = self.bent(code, day, bar.reference)
            return UsShown(listing, hours, bar, last, 0, 0, 0, 0, 0, *past)
        tick = hours.tick(moment)
        tape = self.tape(code, day)
        last, opened = self.price_at(code, day, tick), self.opening(code, day)
        high, low = (self.bent(code, day, price) for price in (tape.high(tick), tape.low(tick)))
        turnover = tape.turnover(tick) * last // tape.price(tick)
        return UsShown(
            listing, hours, bar, last, opened, max(high, opened, last), min(low, opened, last),
            tape.volume(tick), turnover, *past,
        )  # fmt: skip

    def candle(self, code: str, day: date, now: datetime) -> UsCandle | None:
        """The day's candle as it stands at `now`; None before its open and for days without one."""
        calendar = self.calendar
        oldest = max(self.first_day - OLDEST, calendar.first + timedelta(days=7))
        if day < oldest or not calendar.is_session(day):
            return None
        hours = calendar.hours(day)
        if now < hours.open:
            return None
        bar = self.bar(code, day)
        if day == calendar.begun(now):
            shown = self.shown(code, now)
            return UsCandle(
                day, shown.open, shown.high, shown.low, shown.last, shown.volume, shown.turnover,
                bar.reference,
            )  # fmt: skip
        close, opened = self.settled(code, day), self.opening(code, day)
        paid = _paid(bar) * close // bar.close
        high, low = max(bar.high, close, opened), min(bar.low, close, opened)
        return UsCandle(day, opened, high, low, close, bar.volume, paid, bar.reference)

    def settled(self, code: str, day: date) -> int:
        """The close of a session that is over: what the next one began from, if it has begun."""
        following = self._bars.get((code, self.calendar.next_session(day)))
        return following.reference if following else self.close(code, day)

    def candles(
        self, code: str, first: date, last: date, period: str, now: datetime
    ) -> Iterator[UsCandle]:
        """Candles of `period` (D, W, M, Y) from `last` back to `first`, the newest first."""
        days = self._days(code, first, last, now)
        if period == "D":
            yield from days
            return
        for _key, group in groupby(days, key=lambda c: _period(c.day, period)):
            found = list(group)
            yield UsCandle(
                found[0].day,
                found[-1].open,
                max(c.high for c in found),
                min(c.low for c in found),
                found[0].close,
                sum(c.volume for c in found),
                sum(c.turnover for c in found),
                found[-1].before,
            )

    def _days(self, code: str, first: date, last: date, now: datetime) -> Iterator[UsCandle]:
        day = min(last, self.calendar.begun(now))
        oldest = max(first, self.first_day - OLDEST, self.calendar.first)
        while day >= oldest:
            found = self.candle(code, day, now)
            if found is not None:
                yield found
            day -= timedelta(days=1)

    def minutes(self, code: str, day: date, step: int, now: datetime) -> Iterator[UsMinute]:
        """A session in bars of `step` minutes, the newest first, the newest perhaps forming."""
        hours = self.calendar.hours(day)
        if now < hours.open:
            return
        tape, present = self.tape(code, day), hours.tick(now)
        size = step * MINUTE
        for number in range(present // size, -1, -1):
            start, last = number * size, min(number * size + size - 1, present)
            yield self._minute(code, hours, tape, start, last)

    def _minute(self, code: str, hours: UsHours, tape: Tape, start: int, last: int) -> UsMinute:
        whole = [tape.minutes[m] for m in range(start // MINUTE, (last + 1) // MINUTE)]
        prices = [price for bar in whole for price in (bar.open, bar.high, bar.low, bar.close)]
        rest = (last + 1) % MINUTE
        if rest:
            prices += tape.seconds(last // MINUTE).price[:rest]
        bent = [self.bent(code, hours.day, price) for price in prices]
        before = (tape.volume(start - 1), tape.turnover(start - 1)) if start else (0, 0)
        paid = (tape.turnover(last) - before[1]) * bent[-1] // prices[-1]
        return UsMinute(
            hours.open + timedelta(seconds=start), hours, bent[0], max(bent), min(bent), bent[-1],
            tape.volume(last) - before[0], paid,
        )  # fmt: skip

    # --- hands on the market ------------------------------------------------------------------

    def pin(self, code: str, price: int | None, day: date) -> None:
        """Hold the price until it is unpinned (None). ValueError for what is no price."""
        if price is None:
            self.pins.pop(code, None)
            self.pinned_since.pop(code, None)
            return
        if price <= 0:
            raise ValueError(f"{code}: a price is more than nothing")
        self.pins[code] = price
        self.pinned_since.setdefault(code, day)


def _paid(bar: DayBar) -> int:
    """Cents paid in a whole day."""
    return bar.volume * (bar.high + bar.low + 2 * bar.close) // 4


def _period(day: date, period: str) -> tuple[int, int]:
    if period == "W":
        year, week, _weekday = day.isocalendar()
        return year, week
    return (day.year, day.month) if period == "M" else (day.year, 0)


def _levels(first: int, step: int, deep: float, rng: random.Random) -> tuple[BookLevel, ...]:
    return tuple(
        BookLevel(first + step * i, max(1, int(deep * (1 + 0.15 * i) * rng.uniform(0.4, 1.7))))
        for i in range(DEPTH)
        if first + step * i > 0
    )


def _gap(rng: random.Random, sigma: float, tame: bool) -> float:
    jumped = rng.random() < GAP_CHANCE and not tame
    return rng.choice((-1, 1)) * rng.uniform(*GAP_SIZE) * min(1.0, sigma / 0.015) * jumped


def _walk(listing: UsListing, seed: int, day: date, reference: int, tame: bool) -> DayBar:
    """One day of the random walk, a pure function of its arguments."""
    rng = random.Random(f"{seed}:us:bar:{listing.code}:{day}")
    sigma = listing.sigma
    opened = reference * (1 + rng.gauss(0, 0.3 * sigma) + _gap(rng, sigma, tame))
    closed = opened * (1 + rng.gauss(0, sigma))
    return _day_bar(listing, rng, reference, opened, closed)


def _back(listing: UsListing, seed: int, day: date, close: int) -> DayBar:
    """One day of the walk told from its end: the day that closed at `close`."""
    rng = random.Random(f"{seed}:us:past:{listing.code}:{day}")
    sigma = listing.sigma
    reference = max(LOWEST, round(close / (1 + 0.0002 + rng.gauss(0, sigma))))
    opened = reference * (1 + rng.gauss(0, 0.3 * sigma))
    return _day_bar(listing, rng, reference, opened, close)


def _day_bar(
    listing: UsListing, rng: random.Random, reference: int, opened: float, closed: float
) -> DayBar:
    sigma = listing.sigma
    o, c = max(LOWEST, round(opened)), max(LOWEST, round(closed))
    high = round(max(o, c) * (1 + abs(rng.gauss(0, 0.4 * sigma))))
    low = max(LOWEST, round(min(o, c) * (1 - abs(rng.gauss(0, 0.4 * sigma)))))
    volume = max(100, int(listing.volume * math.exp(rng.gauss(0, 0.3))))
    return DayBar(reference, o, max(high, o, c), min(low, o, c), c, volume)
