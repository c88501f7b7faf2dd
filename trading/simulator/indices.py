"""The market's indices: levels that follow from the listed instruments, weighted by what they are worth.

A level moves as its members' worth does: the day's level over the level before is the members' worth over
their worth before. What hundreds of members did in a minute is told as their highs and lows of that minute
together, so no level of a moment is ever outside the minute, nor a minute outside the day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby, islice
from typing import Any

import numpy as np

from trading.simulator.company import company_of
from trading.simulator.history import OLDEST, Candle, candle, minutes, period_of
from trading.simulator.market import Market
from trading.simulator.prices import Listing
from trading.simulator.tape import MINUTE

__all__ = [
    "INDICES",
    "Index",
    "IndexBar",
    "IndexDay",
    "bars",
    "days",
    "grouped",
    "level",
    "listed",
    "members",
    "present",
]

MOST_MEMBERS = 300
"""The largest so many of a market stand for all of it where it lists more."""

Numbers = Any
"""An array of whole numbers."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index: `base` is its level on the world's first day; `sector` and `ranks` choose members.

    `ranks` are places in the order of worth on the first day, `market` the market they are listed on.
    """

    code: str
    name: str
    family: str
    market: str
    base: float
    sector: str = ""
    ranks: tuple[int, int] = (0, 1 << 30)


INDICES: dict[str, Index] = {
    index.code: index
    for index in (
        Index("0001", "종합", "K", "KOSPI", 3_950.0),
        Index("0002", "대형주", "K", "KOSPI", 3_980.0, ranks=(0, 100)),
        Index("0003", "중형주", "K", "KOSPI", 3_420.0, ranks=(100, 300)),
        Index("0004", "소형주", "K", "KOSPI", 2_480.0, ranks=(300, 1 << 30)),
        Index("0008", "화학", "K", "KOSPI", 4_310.0, "화학"),
        Index("0013", "전기·전자", "K", "KOSPI", 38_600.0, "전기·전자"),
        Index("0014", "의료·정밀기기", "K", "KOSPI", 1_530.0, "의료·정밀기기"),
        Index("0015", "운송장비·부품", "K", "KOSPI", 3_270.0, "운송장비·부품"),
        Index("0016", "유통", "K", "KOSPI", 412.0, "유통"),
        Index("0018", "건설", "K", "KOSPI", 96.0, "건설"),
        Index("0020", "통신", "K", "KOSPI", 468.0, "통신"),
        Index("0021", "금융", "K", "KOSPI", 705.0, "금융"),
        Index("1001", "KOSDAQ", "Q", "KOSDAQ", 880.0),
        Index("1002", "KOSDAQ 100", "Q", "KOSDAQ", 1_930.0, ranks=(0, 100)),
        Index("1003", "KOSDAQ MID 300", "Q", "KOSDAQ", 610.0, ranks=(100, 400)),
        Index("1004", "KOSDAQ SMALL", "Q", "KOSDAQ", 2_350.0, ranks=(400, 1 << 30)),
        Index("2001", "KOSPI200", "K2", "KOSPI", 545.0, ranks=(0, 200)),
        Index("2007", "KOSPI100", "K2", "KOSPI", 3_990.0, ranks=(0, 100)),
        Index("2008", "KOSPI50", "K2", "KOSPI", 3_640.0, ranks=(0, 50)),
    )
}
"""Every index that may be asked for; one without members in the price source is not listed."""


@dataclass(frozen=True, slots=True)
class IndexDay:
    """A session of an index: levels, shares and won; `before` is the level the day began from.

    Levels are unrounded; `level` rounds one as screens do.
    """

    day: date
    open: float
    high: float
    low: float
    close: float
    before: float
    volume: int
    turnover: int


@dataclass(frozen=True, slots=True)
class IndexBar:
    """A bar of a session that began at `at`; `volume` and `turnover` are the day's so far."""

    at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: int
    turnover: int
    traded: int


def level(value: float) -> Decimal:
    """A level as it is published: two decimals."""
    return Decimal(f"{value:.2f}")


def listed(market: Market) -> tuple[Index, ...]:
    """The indices that have members here, in the order of their codes."""
    return tuple(index for index in INDICES.values() if members(market, index))


def members(market: Market, index: Index) -> tuple[str, ...]:
    """The codes that make an index, of the greatest worth first; the same for the whole of a world."""
    key = ("members", index.code)
    return market.once(key, None, lambda: tuple(islice(_members(market, index), MOST_MEMBERS)))


def _members(market: Market, index: Index) -> Iterator[str]:
    first, last = index.ranks
    for listing in _by_worth(market, index.market)[first:last]:
        if not index.sector or company_of(market.seed, listing).sector == index.sector:
            yield listing.code


def _by_worth(market: Market, name: str) -> Sequence[Listing]:
    def make() -> list[Listing]:
        found = [
            listing
            for listing in map(market.listing, market.source.listings)
            if listing.market == name and not listing.kind.is_fund
        ]
        return sorted(found, key=lambda one: (-one.shares * one.base, one.code))

    return market.once(("by worth", name), None, make)


# --- days -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Worth:
    """What all members of an index were worth in a session, in won."""

    before: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int


def days(market: Market, index: Index, first: date, last: date, now: datetime) -> list[IndexDay]:
    """The sessions from `first` to `last` that have begun, the newest first."""
    oldest = max(first, market.first_day - OLDEST)
    today = market.session_of(now)
    found = [
        day
        for day in market.calendar.sessions_between(oldest, min(last, today))
        if day != today or now >= market.calendar.session_hours(day).open
    ]
    return [_day(market, index, day, now) for day in reversed(found)]


def present(market: Market, index: Index, now: datetime) -> IndexDay:
    """The session that screens show; before its first trade a day that stands where it began."""
    today = market.session_of(now)
    if now >= market.calendar.session_hours(today).open:
        return _day(market, index, today, now)
    before = _start(market, index, today, now)
    return IndexDay(today, before, before, before, before, before, 0, 0)


def _day(market: Market, index: Index, day: date, now: datetime) -> IndexDay:
    over = day < market.session_of(now)
    moment: object = market.calendar.next_session(day) <= now.date() if over else now

    def make() -> IndexDay:
        before, worth = _start(market, index, day, now), _worth(market, index, day, now)
        each = before / worth.before
        return IndexDay(
            day, worth.open * each, worth.high * each, worth.low * each, worth.close * each,
            before, worth.volume, worth.turnover,
        )  # fmt: skip

    return market.once(("index day", index.code, day), moment, make)


def _start(market: Market, index: Index, day: date, now: datetime) -> float:
    """The level that a session began from: counted from the base, forwards or backwards."""
    known: dict[date, float] = market.once(("index starts", index.code), None, dict)
    if not known:
        known[market.first_day] = index.base
    step = market.calendar.next_session if day > market.first_day else None
    at = day
    while at not in known:
        at = market.calendar.previous_session(at) if step else market.calendar.next_session(at)
    while at != day:
        if step:
            value = known[at] * _growth(market, index, at, now)
            at = step(at)
        else:
            at = market.calendar.previous_session(at)
            value = known[market.calendar.next_session(at)] / _growth(market, index, at, now)
        known[at] = value
    return known[day]


def _growth(market: Market, index: Index, day: date, now: datetime) -> float:
    """How many times its beginning the end of a session that is over is worth."""
    worth = _closes(market, index, day, now)
    return worth[1] / worth[0]


def _closes(market: Market, index: Index, day: date, now: datetime) -> tuple[int, int]:
    before = close = 0
    for code, shares in _shares(market, index):
        bar = market.bar(code, day)
        before += shares * bar.reference
        close += shares * (market.settled(code, day) if day >= market.first_day else bar.close)
    return before, close


def _shares(market: Market, index: Index) -> list[tuple[str, int]]:
    return [(code, market.listing(code).shares) for code in members(market, index)]


def _worth(market: Market, index: Index, day: date, now: datetime) -> _Worth:
    rows = [
        (s, candle(market, c, day, now) or _still(market, c, day))
        for c, s in _shares(market, index)
    ]
    high, low = sum(s * c.high for s, c in rows), sum(s * c.low for s, c in rows)
    if day >= market.first_day:
        high, low = _reach(market, index, day, now)
    return _Worth(
        before=sum(s * c.before for s, c in rows),
        open=sum(s * c.open for s, c in rows),
        high=high,
        low=low,
        close=sum(s * c.close for s, c in rows),
        volume=sum(c.volume for _s, c in rows),
        turnover=sum(c.turnover for _s, c in rows),
    )


def _still(market: Market, code: str, day: date) -> Candle:
    """A day without a trade."""
    price = market.bar(code, day).reference
    return Candle(day, price, price, price, price, 0, 0, price)


def _reach(market: Market, index: Index, day: date, now: datetime) -> tuple[int, int]:
    """The highest and the lowest worth of the session's minutes so far."""
    rows = _path(market, index, day, now)
    return int(rows[:, HIGH].max()), int(rows[:, LOW].min())


# --- minutes ----------------------------------------------------------------------------------
OPEN, HIGH, LOW, CLOSE, VOLUME, TURNOVER = range(6)
"""Columns of a path: won of worth, then the day's shares and won of trade so far."""


def _path(market: Market, index: Index, day: date, now: datetime) -> Numbers:
    """One row a minute of the session up to and with the one that `now` is in."""
    hours = market.calendar.session_hours(day)
    whole = market.once(("index path", index.code, day), None, lambda: _whole(market, index, day))
    if now >= hours.closing_auction:
        return whole
    minute = market.tick_at(hours, now) // MINUTE
    last = market.once(("index minute", index.code, day), now, lambda: _forming(market, index, now))
    return np.vstack([whole[:minute], last[None, :]])


def _whole(market: Market, index: Index, day: date) -> Numbers:
    """Every minute of a session, the ones to come included: nobody is shown those."""
    total: Numbers = 0
    for code, shares in _shares(market, index):
        rows = _minutes(market, code, day).copy()
        rows[:, OPEN : CLOSE + 1] *= shares
        total = total + rows
    return total


def _minutes(market: Market, code: str, day: date) -> Numbers:
    tape = market.tape(code, day)
    if not market.bar(code, day).traded:
        rows = np.zeros((len(tape.minutes), 6), dtype=np.int64)
        rows[:, OPEN : CLOSE + 1] = market.bar(code, day).reference
        return rows
    if market.is_bent(code, day):
        close = market.calendar.session_hours(day).close
        found = list(minutes(market, code, close, close))[::-1]
        volume = np.cumsum([m.volume for m in found])
        prices = [(m.open, m.high, m.low, m.close) for m in found]
        return np.column_stack([np.array(prices), volume, [m.turnover for m in found]])
    bars_ = np.array(tape.minutes, dtype=np.int64)
    paid = [tape.turnover_after(m) for m in range(len(tape.minutes))]
    return np.column_stack([bars_[:, :4], np.cumsum(bars_[:, 4]), paid])


def _forming(market: Market, index: Index, now: datetime) -> Numbers:
    """The minute that `now` is in, as far as it has come."""
    row = np.zeros(6, dtype=np.int64)
    for code, shares in _shares(market, index):
        shown = market.shown(code, now)
        if not shown.bar.traded:
            row[OPEN : CLOSE + 1] += shares * shown.last
            continue
        minute = next(minutes(market, code, now, now))
        high, low = max(minute.high, shown.last), min(minute.low, shown.last)
        worth = [shares * price for price in (minute.open, high, low, shown.last)]
        row += np.array([*worth, shown.volume, shown.turnover], dtype=np.int64)
    return row


def bars(
    market: Market, index: Index, day: date, seconds: int, now: datetime, most: int
) -> list[IndexBar]:
    """The latest `most` bars of `seconds` in a session, the newest first; it may still be forming.

    `seconds` divides a minute or is a multiple of one.
    """
    hours = market.calendar.session_hours(day)
    if now < hours.open:
        return []
    each = _each(market, index, day, now)
    rows = _path(market, index, day, now)
    if seconds < MINUTE:
        return _short_bars(market, index, day, now, seconds, most, each)
    width = seconds // MINUTE
    found, paid = [], (0, 0)
    for start in range(0, len(rows), width):
        part = rows[start : start + width]
        at = hours.open + timedelta(seconds=start * MINUTE)
        found.append(_bar(at, part, each, paid[0]))
        paid = int(part[-1, VOLUME]), int(part[-1, TURNOVER])
    return found[::-1][:most]


def _each(market: Market, index: Index, day: date, now: datetime) -> float:
    """Points that a won of the members' worth is."""
    before = sum(s * market.bar(code, day).reference for code, s in _shares(market, index))
    return _start(market, index, day, now) / before


def _bar(at: datetime, part: Numbers, each: float, traded_before: int) -> IndexBar:
    return IndexBar(
        at,
        float(part[0, OPEN]) * each,
        float(part[:, HIGH].max()) * each,
        float(part[:, LOW].min()) * each,
        float(part[-1, CLOSE]) * each,
        int(part[-1, VOLUME]),
        int(part[-1, TURNOVER]),
        int(part[-1, VOLUME]) - traded_before,
    )


def _short_bars(
    market: Market, index: Index, day: date, now: datetime, seconds: int, most: int, each: float
) -> list[IndexBar]:
    """Bars shorter than a minute: of the levels at each second of the minutes they lie in."""
    hours = market.calendar.session_hours(day)
    last = market.tick_at(hours, now)
    first = max(0, last // seconds - most) * seconds
    rows = np.vstack(
        [
            _of_minute(market, index, day, minute, now)
            for minute in range(first // MINUTE, last // MINUTE + 1)
        ]
    )
    start = first // MINUTE * MINUTE
    found = []
    for tick in range(first, last + 1, seconds):
        part = rows[tick - start : min(tick + seconds, last + 1) - start]
        traded = int(rows[tick - start - 1, VOLUME]) if tick > start else 0
        if tick == start and tick:
            traded = int(_path(market, index, day, now)[tick // MINUTE - 1, VOLUME])
        found.append(_bar(hours.open + timedelta(seconds=tick), part, each, traded))
    return found[::-1][:most]


def _of_minute(market: Market, index: Index, day: date, minute: int, now: datetime) -> Numbers:
    """One row a second; the second that `now` is in is told as the price screens tell it."""

    def make() -> Numbers:
        total: Numbers = 0
        for code, shares in _shares(market, index):
            total = total + _seconds(market, code, day, minute, shares)
        return total

    rows = market.once(("index seconds", index.code, day, minute % 32), minute, make)
    hours = market.calendar.session_hours(day)
    last = market.tick_at(hours, now)
    if minute != last // MINUTE or now >= hours.closing_auction:
        return rows
    shown = rows.copy()
    forming = _path(market, index, day, now)[-1]
    shown[last % MINUTE] = forming[[CLOSE, CLOSE, CLOSE, CLOSE, VOLUME, TURNOVER]]
    return shown


def _seconds(market: Market, code: str, day: date, minute: int, shares: int) -> Numbers:
    tape, bar = market.tape(code, day), market.bar(code, day)
    first = minute * MINUTE
    seconds = tape.seconds(minute)
    if not bar.traded:
        worth = np.full(len(seconds.price), bar.reference * shares, dtype=np.int64)
        nothing = np.zeros(len(seconds.price), dtype=np.int64)
        return np.column_stack([worth, worth, worth, worth, nothing, nothing])
    prices = [market.bent(code, day, price) for price in seconds.price]
    worth = np.array(prices, dtype=np.int64) * shares
    volume = [tape.volume(first + i) for i in range(len(prices))]
    paid = [
        tape.turnover(first + i) * bent // price
        for i, (bent, price) in enumerate(zip(prices, seconds.price, strict=True))
    ]
    return np.column_stack([worth, worth, worth, worth, volume, paid])


# --- longer than a day ------------------------------------------------------------------------
def grouped(newest_first: Sequence[IndexDay], period: str) -> list[IndexDay]:
    """Sessions as weeks, months or years (W, M, Y), dated as those of an instrument are."""
    if period == "D":
        return list(newest_first)
    groups = groupby(newest_first, key=lambda one: period_of(one.day, period))
    return [_merged(list(group), period) for _key, group in groups]


def _merged(group: Sequence[IndexDay], period: str) -> IndexDay:
    return IndexDay(
        group[-1].day if period == "W" else group[0].day,
        group[-1].open,
        max(one.high for one in group),
        min(one.low for one in group),
        group[0].close,
        group[-1].before,
        sum(one.volume for one in group),
        sum(one.turnover for one in group),
    )
