"""What the rest of the market does: prices, books, halts, a pure function of seed, code and time.

Control actions (a pinned price, a gap, a halt) bend that function from the moment they are made;
everything else can be recomputed from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import daily_limits, grid_from, shift_ticks, tick_size
from trading.domain.quotes import BookLevel
from trading.domain.sessions import Calendar, SessionHours
from trading.simulator.interruptions import FAR, Interruption, interruptions_of, length_of
from trading.simulator.prices import BarSource, DayBar, Listing, nearest, within
from trading.simulator.tape import Tape

__all__ = ["DEPTH", "Halt", "Market", "Memory", "Range", "Shown", "percent", "sign"]

Made = TypeVar("Made")

DEPTH = 10
HALT_CHANCE = 0.01
HALT_SECONDS = (120, 600)
KEPT_TAPES = 6_000
KEPT_NOTES = 20_000
TAME_LEVEL = 1_000_000
LOCKED_QUEUE = 40
"""How much more than usual stands at the limit that a name is locked at."""
QUICK_RIVAL_CHANCE = 0.30
LATE_RIVAL_SHARE = (0.0, 0.7)
RIVAL_LEVELS = (3.0, 40.0)
"""About that many seconds of liquidity go to the quicker ones first."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One instrument at one moment, as the exchange knows it. Prices in won, volume in shares."""

    listing: Listing
    bar: DayBar
    last: int
    open: int
    high: int
    low: int
    volume: int
    turnover: int
    lower: int
    upper: int
    halted: bool
    previous_volume: int
    interruption: Interruption | None = None
    """The call auction that a run of the price has set off, while it lasts."""
    base: int = 0
    """What the price is compared with before it is interrupted."""
    expected: int = 0
    """What that auction is going to end at."""

    @property
    def vi(self) -> str:
        return "Y" if self.interruption else "N"

    def sign(self, price: int) -> str:
        """The broker's code of a price: 1 upper limit, 2 up, 3 flat, 4 lower limit, 5 down."""
        if price == self.upper:
            return "1"
        if price == self.lower:
            return "4"
        return sign(price - self.bar.reference)

    def rate(self, price: int) -> Decimal:
        """The change of a price from the reference in %, two places."""
        return percent(price - self.bar.reference, self.bar.reference)

    @property
    def change(self) -> int:
        return self.last - self.bar.reference

    @property
    def volume_rate(self) -> Decimal:
        """Today's volume in % of the whole day before."""
        return percent(self.volume, self.previous_volume)


def sign(change: float) -> str:
    """2 up, 3 flat, 5 down."""
    return "2" if change > 0 else "5" if change < 0 else "3"


def percent(part: float, whole: float) -> Decimal:
    """`part` in % of `whole`, two places; 0.00 of nothing."""
    if not whole:
        return Decimal("0.00")
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class Range:
    """The highest and the lowest price since some day, and the days they were traded on."""

    high: int
    high_day: date
    low: int
    low_day: date


@dataclass(frozen=True, slots=True)
class Halt:
    """A halt made by hand; `until` None means until it is lifted."""

    since: datetime
    until: datetime | None

    def covers(self, moment: datetime) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)


class Memory(dict[Any, Any]):
    """What screens have worked out of a market; a copy of the market begins without it."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Memory:
        return Memory()


@dataclass
class Market:
    """The tape of every instrument. The reference of `first_day` is the listing's base price."""

    seed: int
    source: BarSource
    calendar: Calendar
    first_day: date
    tame: bool = False
    pins: dict[str, int] = field(default_factory=dict)
    pinned_since: dict[str, date] = field(default_factory=dict)
    gaps: dict[tuple[str, date], float] = field(default_factory=dict)
    locks: dict[tuple[str, date], str] = field(default_factory=dict)
    """Names held at a limit of the day, `lower` or `upper`: everybody wants to leave, nobody to come."""
    manual_halts: dict[str, Halt] = field(default_factory=dict)
    made: dict[tuple[str, date], tuple[Interruption, ...]] = field(default_factory=dict)
    """Interruptions that hands have set off."""
    ranges: dict[tuple[str, date, date], Range | None] = field(default_factory=dict)
    """Ranges of past sessions by code, first day and the day they were asked on."""
    memory: Memory = field(default_factory=Memory, compare=False, repr=False)
    _bars: dict[tuple[str, date], DayBar] = field(default_factory=dict)
    _oldest: dict[str, date] = field(default_factory=dict)
    """The first day of a code whose bar was made: those after it were made with it."""
    _tapes: dict[tuple[str, date], Tape] = field(default_factory=dict)
    _windows: dict[tuple[str, date], tuple[int, int] | None] = field(default_factory=dict)
    _runs: dict[tuple[str, date], tuple[Interruption, ...]] = field(default_factory=dict)

    def __contains__(self, code: str) -> bool:
        return code in self.source.listings

    def bends(self) -> tuple[object, ...]:
        """Everything that hands do to prices at present; equal means nothing was touched since."""
        return (
            tuple(self.pins.items()),
            tuple(self.gaps.items()),
            tuple(self.locks.items()),
            tuple(self.manual_halts.items()),
            tuple(self.made.items()),
        )

    def once(self, key: tuple[object, ...], moment: object, make: Callable[[], Made]) -> Made:
        """`make()`, remembered under `key` for as long as `moment` and the bends stay the same."""
        stamp = (moment, self.bends())
        known = self.memory.get(key)
        if known is None or known[0] != stamp:
            if len(self.memory) > KEPT_NOTES:
                self.memory.clear()
            known = self.memory[key] = (stamp, make())
        made: Made = known[1]
        return made

    def listing(self, code: str) -> Listing:
        return self.source.listings[code]

    # --- days ---------------------------------------------------------------------------------

    def bar(self, code: str, day: date) -> DayBar:
        """The day's bar; its reference is the close shown the session before."""
        key = (code, day)
        if day < self.first_day and key not in self._bars:
            self._look_back(code, day)
        if key not in self._bars:
            before: int | None = None
            if day > self.first_day:
                behind = [day]
                while behind[-1] > self.first_day and (code, behind[-1]) not in self._bars:
                    behind.append(self.calendar.previous_session(behind[-1]))
                for earlier in reversed(behind[1:]):
                    self.bar(code, earlier)
                before = self.close(code, self.calendar.previous_session(day))
            self._bars[key] = self.source.bar(code, day, before)
        return self._bars[key]

    def _look_back(self, code: str, day: date) -> None:
        """Make the bars from the oldest known day back to `day`, each ending where the next began."""
        later = self._oldest.get(code, self.first_day)
        while later > day:
            earlier = self.calendar.previous_session(later)
            close = self.bar(code, later).reference
            self._bars[code, earlier] = self.source.past(code, earlier, close)
            later = self._oldest[code] = earlier

    def close(self, code: str, day: date) -> int:
        """The closing price, bent by a gap of that day or a pin still in force."""
        return self.bent(code, day, self.bar(code, day).close)

    def settled(self, code: str, day: date) -> int:
        """The close of a session that is over: what the next one began from, if it has begun."""
        following = self._bars.get((code, self.calendar.next_session(day)))
        return following.reference if following else self.close(code, day)

    def opening(self, code: str, day: date) -> int:
        return self.bent(code, day, self.bar(code, day).open, at_open=True)

    def limits(self, code: str, day: date) -> tuple[int, int]:
        return daily_limits(self.bar(code, day).reference, self.listing(code).kind)

    def is_bent(self, code: str, day: date) -> bool:
        """Whether hands hold or moved the price of `day`."""
        return code in self.pins or (code, day) in self.gaps or (code, day) in self.locks

    def bent(self, code: str, day: date, price: int, at_open: bool = False) -> int:
        """What a lock, a pin or a gap of the day makes of a price."""
        if not at_open and (side := self.locks.get((code, day))):
            return self.limits(code, day)[side == "upper"]
        if code in self.pins and day >= self.pinned_since[code]:
            reference = self.bar(code, day).reference
            return within(self.pins[code], reference, self.listing(code).kind)
        gap = self.gaps.get((code, day))
        if gap is not None and not at_open:
            return within(price * gap, self.bar(code, day).reference, self.listing(code).kind)
        return price

    # --- seconds ------------------------------------------------------------------------------

    def tick_at(self, hours: SessionHours, moment: datetime) -> int:
        """Seconds into the continuous session, clipped to it."""
        last = int((hours.closing_auction - hours.open).total_seconds()) - 1
        return min(max(int((moment - hours.open).total_seconds()), 0), last)

    def tape(self, code: str, day: date) -> Tape:
        """The continuous session second by second."""
        key = (code, day)
        if key not in self._tapes:
            if len(self._tapes) > KEPT_TAPES:
                self._tapes.clear()
            window = self.halt_window(code, day)
            pauses = [(one.start, one.end) for one in self._interruptions(code, day)]
            self._tapes[key] = self._tape(code, day, [*([window] if window else []), *pauses])
        return self._tapes[key]

    def _tape(self, code: str, day: date, pauses: Sequence[tuple[int, int]]) -> Tape:
        hours = self.calendar.session_hours(day)
        seconds = int((hours.closing_auction - hours.open).total_seconds())
        return Tape(self.bar(code, day), self.listing(code), seconds, self._key(code, day), pauses)

    def _key(self, code: str, day: date) -> str:
        return f"{self.seed}:{code}:{day}"

    def price_at(self, code: str, day: date, tick: int) -> int:
        return self.bent(code, day, self.tape(code, day).price(tick))

    def next_touch(
        self,
        code: str,
        day: date,
        first: int,
        last: int,
        buy: int | None,
        sell: int | None,
    ) -> int | None:
        """The first second in [first, last] whose price is at or through a resting order."""
        if side := self.locks.get((code, day)):  # the side that nobody comes to waits in vain
            price = self.price_at(code, day, first)
            met = buy is not None and buy >= price if side == "lower" else (
                sell is not None and sell <= price)  # fmt: skip
            return first if met and first <= last else None
        if code in self.pins:
            price = self.price_at(code, day, first)
            touched = (buy is not None and price <= buy) or (sell is not None and price >= sell)
            return first if touched and first <= last else None
        return self.tape(code, day).next_touch(
            first,
            last,
            buy if buy is not None else -1,
            sell if sell is not None else 1 << 60,
            lambda price: self.bent(code, day, price),
        )

    def traded_at(self, code: str, day: date, tick: int) -> int:
        """Shares that others trade in one second."""
        if (code, day) in self.locks:
            return 0
        return self.tape(code, day).traded(tick)

    def ladder(
        self, code: str, day: date, tick: int
    ) -> tuple[tuple[BookLevel, ...], tuple[BookLevel, ...]]:
        """(asks, bids) of the anonymous book in one second, ten levels, inside the day's limits."""
        rng = random.Random(f"{self.seed}:book:{code}:{day}:{tick}")
        return self.ladder_around(code, day, self.price_at(code, day, tick), rng)

    def ladder_around(
        self, code: str, day: date, price: int, rng: random.Random, share: float = 1.0
    ) -> tuple[tuple[BookLevel, ...], tuple[BookLevel, ...]]:
        """(asks, bids) around a price, `share` times as deep as those of the regular session."""
        listing, (lower, upper) = self.listing(code), self.limits(code, day)
        spread = self._spread(listing, price, rng)
        if rng.random() < 0.5:
            bid, ask = price, shift_ticks(price, spread, listing.kind)
        else:
            ask, bid = price, shift_ticks(price, -spread, listing.kind)
        deep = self.depth(code, day) * share
        if side := self.locks.get((code, day)):
            only = self._levels(price, 1 if side == "lower" else -1, lower, upper, listing.kind,
                                deep * LOCKED_QUEUE, rng)  # fmt: skip
            return (only, ()) if side == "lower" else ((), only)
        return (
            self._levels(ask, 1, lower, upper, listing.kind, deep, rng),
            self._levels(bid, -1, lower, upper, listing.kind, deep, rng),
        )

    def _spread(self, listing: Listing, price: int, rng: random.Random) -> int:
        if self.tame:
            return 1
        usual = price * listing.sigma * 0.02 / tick_size(price, listing.kind)
        return 1 + min(4, int(usual * rng.random() * 2))

    def depth(self, code: str, day: date) -> float:
        """About how many shares stand at one price of the regular session's book."""
        if self.tame:
            return TAME_LEVEL
        return max(30.0, self.bar(code, day).volume * 0.0015)

    def _levels(
        self,
        first: int,
        step: int,
        lower: int,
        upper: int,
        kind: InstrumentKind,
        deep: float,
        rng: random.Random,
    ) -> tuple[BookLevel, ...]:
        levels = []
        for i, price in enumerate(grid_from(first, step, DEPTH, kind)):
            quantity = max(1, int(deep * (1 + 0.15 * i) * rng.uniform(0.5, 1.6)))
            if lower <= price <= upper:
                levels.append(BookLevel(price, quantity))
        return tuple(levels)

    # --- what is shown ------------------------------------------------------------------------

    def previous_volume(self, code: str, day: date) -> int:
        """Shares traded the session before."""
        return self.bar(code, self.calendar.previous_session(day)).volume

    def shown(self, code: str, moment: datetime) -> Shown:
        """The instrument at `moment`: between sessions, the last session as it closed."""
        return self.once(("shown", code), moment, lambda: self._shown(code, moment))

    def _shown(self, code: str, moment: datetime) -> Shown:
        day, tick, over = self._locate(moment)
        bar, listing = self.bar(code, day), self.listing(code)
        lower, upper = self.limits(code, day)
        if tick is None:
            last = self.bent(code, day, bar.reference)
            return Shown(
                listing, bar, last, 0, 0, 0, 0, 0, lower, upper, self.halted(code, moment),
                self.previous_volume(code, day),
            )  # fmt: skip
        tick = self.frozen_tick(code, day, tick)
        last = self.close(code, day) if over else self.price_at(code, day, tick)
        tape = self.tape(code, day)
        high, low = max(tape.high(tick), last), min(tape.low(tick), last)
        volume = tape.volume(tick)
        # a price moved by hand moves what was paid with it
        turnover = tape.turnover(tick) * last // tape.price(tick)
        opened = self.opening(code, day)
        return Shown(
            listing, bar, last, opened, max(high, opened), min(low, opened), volume, turnover,
            lower, upper, self.halted(code, moment), self.previous_volume(code, day),
            *self._auction(code, day, moment),
        )  # fmt: skip

    def _auction(
        self, code: str, day: date, moment: datetime
    ) -> tuple[Interruption | None, int, int]:
        """(the interruption at `moment`, what prices are compared with, what it will end at)."""
        running, base = self.interruption_at(code, moment), self.opening(code, day)
        if moment.date() == day:
            tick = self.tick_at(self.calendar.session_hours(day), moment)
            over = [one for one in self.interruptions(code, day) if one.end <= tick]
            base = self.price_at(code, day, over[-1].end) if over else base
        return running, base, self.price_at(code, day, running.end) if running else 0

    def taken(self, code: str, moment: datetime) -> tuple[int, int]:
        """(shares that buyers took, shares that sellers hit) so far in the session shown."""
        day, tick, _over = self._locate(moment)
        if tick is None:
            return 0, 0
        tape, tick = self.tape(code, day), self.frozen_tick(code, day, tick)
        return tape.bought(tick), tape.volume(tick) - tape.bought(tick)

    def reached(self, code: str, moment: datetime) -> tuple[datetime | None, datetime | None]:
        """When the session's high and low so far were first traded; None before its first trade.

        A price held by hand has stood since the open.
        """
        day, tick, _over = self._locate(moment)
        if tick is None or not self.bar(code, day).traded:
            return None, None
        opened = self.calendar.session_hours(day).open
        if code in self.pins:
            return opened, opened
        tape, tick = self.tape(code, day), self.frozen_tick(code, day, tick)
        seconds = tape.high_made(tick), tape.low_made(tick)
        return opened + timedelta(seconds=seconds[0]), opened + timedelta(seconds=seconds[1])

    def session_of(self, moment: datetime) -> date:
        """The session that screens show at `moment`: between two the one that is over."""
        return self._locate(moment)[0]

    def foreign_net(self, code: str, day: date) -> int:
        """Shares that foreigners bought more than they sold in a session."""
        rng = random.Random(f"{self.seed}:foreign:{code}:{day}")
        return int(self.bar(code, day).volume * rng.uniform(-0.15, 0.15))

    def program_net(self, code: str, day: date) -> int:
        """Shares that programs bought more than they sold in a session."""
        rng = random.Random(f"{self.seed}:program:{code}:{day}")
        return int(self.bar(code, day).volume * rng.uniform(-0.08, 0.08))

    def _locate(self, moment: datetime) -> tuple[date, int | None, bool]:
        """(session shown, second of it or None before its open, it is over)."""
        day = moment.date()
        if not self.calendar.is_session(day):
            return self.calendar.previous_session(day), self._last_tick(day), True
        hours = self.calendar.session_hours(day)
        if moment < hours.preopen:
            before = self.calendar.previous_session(day)
            return before, self._last_tick(day), True
        if moment < hours.open:
            return day, None, False
        return day, self.tick_at(hours, moment), moment >= hours.close

    def _last_tick(self, day: date) -> int:
        hours = self.calendar.session_hours(self.calendar.previous_session(day))
        return self.tick_at(hours, hours.close)

    def frozen_tick(self, code: str, day: date, tick: int) -> int:
        """While a halt or an interruption lasts, the price stands where it was."""
        window, manual = self.halt_window(code, day), self.manual_halts.get(code)
        if window and window[0] <= tick < window[1]:
            return window[0]
        if manual and manual.since.date() == day:
            hours = self.calendar.session_hours(day)
            if manual.covers(hours.open + timedelta(seconds=tick)):
                return min(tick, self.tick_at(hours, manual.since))
        running = (one.start for one in self.interruptions(code, day) if one.covers(tick))
        return next(running, tick)

    # --- halts --------------------------------------------------------------------------------

    def halt_window(self, code: str, day: date) -> tuple[int, int] | None:
        """Seconds [from, to) of the day's seeded halt, None on most days."""
        key = (code, day)
        if key not in self._windows:
            if len(self._windows) > KEPT_NOTES:
                self._windows.clear()
            self._windows[key] = self._halt_window(code, day)
        return self._windows[key]

    def _halt_window(self, code: str, day: date) -> tuple[int, int] | None:
        if not self.bar(code, day).traded:
            return (0, 1 << 30)
        rng = random.Random(f"{self.seed}:halt:{code}:{day}")
        if self.tame or rng.random() >= HALT_CHANCE:
            return None
        start = rng.randint(900, 20_000)
        return start, start + rng.randint(*HALT_SECONDS)

    def halted(self, code: str, moment: datetime) -> bool:
        """True while `code` may not trade."""
        manual = self.manual_halts.get(code)
        if manual and manual.covers(moment):
            return True
        if not self.calendar.is_session(moment.date()):
            return False
        window = self.halt_window(code, moment.date())
        opened = self.calendar.session_hours(moment.date()).open
        seconds = (moment - opened).total_seconds()
        return window is not None and window[0] <= seconds < window[1]

    def trading_again(self, code: str, moment: datetime) -> datetime | None:
        """The end of the halt or interruption in force, None when it has no end today."""
        running = self.interruption_at(code, moment)
        if running and not self.halted(code, moment):
            hours = self.calendar.session_hours(moment.date())
            return hours.open + timedelta(seconds=running.end)
        manual = self.manual_halts.get(code)
        if manual and manual.covers(moment):
            return manual.until
        window = self.halt_window(code, moment.date())
        opened = self.calendar.session_hours(moment.date()).open
        return opened + timedelta(seconds=window[1]) if window else None

    # --- interruptions ------------------------------------------------------------------------

    def interruptions(self, code: str, day: date) -> tuple[Interruption, ...]:
        """The session's volatility interruptions, from the tape and from hands, in order."""
        made = self.made.get((code, day))
        if not made:
            return self._interruptions(code, day)
        free = [
            one
            for one in self._interruptions(code, day)
            if all(one.end <= other.start or other.end <= one.start for other in made)
        ]
        return tuple(sorted((*free, *made), key=lambda one: one.start))

    def _interruptions(self, code: str, day: date) -> tuple[Interruption, ...]:
        if self.tame:
            return ()
        key = (code, day)
        found = self._runs.get(key)
        if found is None:
            if len(self._runs) > KEPT_NOTES:
                self._runs.clear()
            bar, found = self.bar(code, day), ()
            far = bar.open * FAR
            if bar.traded and max(bar.high - bar.open, bar.open - bar.low) * 100 >= far:
                window = self.halt_window(code, day)
                plain = self._tape(code, day, [window] if window else [])
                found = interruptions_of(plain, bar.open, self._key(code, day))
            self._runs[key] = found
        return found

    def interruption_at(self, code: str, moment: datetime) -> Interruption | None:
        """The call auction that is on at `moment` because the price had run too far."""
        day = moment.date()
        if not self.calendar.is_session(day):
            return None
        hours = self.calendar.session_hours(day)
        if not hours.open <= moment < hours.closing_auction:
            return None
        tick = self.tick_at(hours, moment)
        return next((one for one in self.interruptions(code, day) if one.covers(tick)), None)

    def closed(self, code: str, moment: datetime) -> bool:
        """True while nothing trades continuously: halted or interrupted."""
        return self.halted(code, moment) or self.interruption_at(code, moment) is not None

    def reopening(self, code: str, day: date, first: int, last: int) -> int | None:
        """The first second in [first, last] in which an interruption's auction is matched."""
        ends = (one.end for one in self.interruptions(code, day))
        return next((end for end in ends if first <= end <= last), None)

    def interrupt(self, code: str, now: datetime, seconds: float | None = None) -> bool:
        """Set an interruption off at `now` by hand; False when `code` cannot be interrupted now."""
        day = now.date()
        if not self.calendar.is_session(day) or self.closed(code, now):
            return False
        hours = self.calendar.session_hours(day)
        if not hours.open <= now < hours.closing_auction:
            return False
        start, shown = self.tick_at(hours, now), self.shown(code, now)
        end = start + int(seconds or length_of(self._key(code, day), start))
        if end <= start or end >= self.tick_at(hours, hours.closing_auction):
            return False
        one = Interruption(start, end, shown.base, shown.last)
        self.made[code, day] = (*self.made.get((code, day), ()), one)
        return True

    def roll(self, day: date) -> None:
        """A session begins: fix today's bars of every instrument that was bent before."""
        for code in {*self.pins, *(code for code, _ in (*self.gaps, *self.locks))}:
            self.bar(code, day)

    # --- hands on the market ------------------------------------------------------------------

    def pin(self, code: str, price: int | None, day: date) -> None:
        """Hold the price until it is unpinned (None). ValueError outside the day's limits."""
        if price is None:
            self.pins.pop(code, None)
            self.pinned_since.pop(code, None)
            return
        lower, upper = self.limits(code, day)
        listing = self.listing(code)
        if not lower <= price <= upper or nearest(price, listing.kind) != price:
            raise ValueError(
                f"{code}: {price} is off the grid or outside today's limits {lower}–{upper}"
            )
        self.pins[code] = price
        self.pinned_since.setdefault(code, day)

    def gap(self, code: str, day: date, percent: float) -> None:
        """Move the price by `percent` at once and for the rest of the day, inside the limits."""
        factor = 1 + percent / 100
        if code in self.pins:
            moved = within(
                self.pins[code] * factor, self.bar(code, day).reference, self.listing(code).kind
            )
            self.pins[code] = moved
            return
        self.gaps[code, day] = self.gaps.get((code, day), 1.0) * factor

    def lock(self, code: str, day: date, side: str) -> None:
        """Hold the price at the day's `lower` or `upper` limit for the rest of the day, with one side of the
        book empty. ValueError for another side."""
        if side not in ("lower", "upper"):
            raise ValueError(f"a name is locked at its lower or upper limit, not at {side!r}")
        self.locks[code, day] = side

    def halt(self, code: str, halted: bool, now: datetime, seconds: float | None = None) -> None:
        """Halt `code` from `now`, for `seconds` or until lifted; False lifts it."""
        if halted:
            until = now + timedelta(seconds=seconds) if seconds else None
            self.manual_halts[code] = Halt(now, until)
        else:
            self.manual_halts.pop(code, None)

    def reach(self, code: str, day: date, order: str, quantity: int) -> tuple[int | None, int]:
        """(how much of an arriving order fills at once, shares rivals want before the rest).

        (None, 0) means nobody was quicker.
        """
        rng = random.Random(f"{self.seed}:rival:{code}:{order}")
        if self.tame or rng.random() >= QUICK_RIVAL_CHANCE:
            return None, 0
        share = rng.uniform(*LATE_RIVAL_SHARE)
        return int(quantity * share), int(self.depth(code, day) * rng.uniform(*RIVAL_LEVELS))
