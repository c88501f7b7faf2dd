"""Candles of the simulated market: days, weeks, months, years and minutes, as any screen shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby

from trading.simulator.market import Market, Range
from trading.simulator.tape import MINUTE, Tape

__all__ = ["Candle", "MinuteCandle", "candle", "candles", "extremes", "minutes", "period_of"]

OLDEST = timedelta(days=3_660)
"""How far before its first day the world has a past."""


@dataclass(frozen=True, slots=True)
class Candle:
    """Prices in won, volume in shares, turnover in won; `before` is the close of the candle before."""

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
class MinuteCandle:
    """One minute that ended at `at` or is forming; `turnover` is the day's so far."""

    at: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int


def candle(market: Market, code: str, day: date, now: datetime) -> Candle | None:
    """The day's candle as it stands at `now`; None before its first trade and for days without one."""
    calendar = market.calendar
    if not calendar.is_session(day) or day < market.first_day - OLDEST:
        return None
    hours = calendar.session_hours(day)
    if now < hours.open:
        return None
    bar = market.bar(code, day)
    if not bar.traded:
        return None
    if now < hours.close:
        shown = market.shown(code, now)
        return Candle(
            day, shown.open, shown.high, shown.low, shown.last, shown.volume, shown.turnover,
            bar.reference,
        )  # fmt: skip
    close, opened = market.settled(code, day), market.opening(code, day)
    turnover = bar.volume * (bar.high + bar.low + 2 * bar.close) // 4 * close // bar.close
    high, low = max(bar.high, close, opened), min(bar.low, close, opened)
    return Candle(day, opened, high, low, close, bar.volume, turnover, bar.reference)


def candles(
    market: Market, code: str, first: date, last: date, period: str, now: datetime
) -> Iterator[Candle]:
    """Candles of `period` (D, W, M, Y) from `last` back to `first`, the newest first."""
    days = _days(market, code, first, min(last, now.date()), now)
    if period == "D":
        yield from days
        return
    for _key, group in groupby(days, key=lambda c: period_of(c.day, period)):
        yield _merged(list(group), period)


def _days(market: Market, code: str, first: date, last: date, now: datetime) -> Iterator[Candle]:
    day = last
    oldest = max(first, market.first_day - OLDEST)
    while day >= oldest:
        found = candle(market, code, day, now)
        if found is not None:
            yield found
        day -= timedelta(days=1)


def period_of(day: date, period: str) -> tuple[int, int]:
    """What the days of one week, month or year (W, M, Y) have in common."""
    if period == "W":
        year, week, _weekday = day.isocalendar()
        return year, week
    return (day.year, day.month) if period == "M" else (day.year, 0)


def _merged(newest_first: list[Candle], period: str) -> Candle:
    """A week is dated by its first session, a month and a year by their last."""
    last, first = newest_first[0], newest_first[-1]
    return Candle(
        day=first.day if period == "W" else last.day,
        open=first.open,
        high=max(c.high for c in newest_first),
        low=min(c.low for c in newest_first),
        close=last.close,
        volume=sum(c.volume for c in newest_first),
        turnover=sum(c.turnover for c in newest_first),
        before=first.before,
    )


def extremes(market: Market, code: str, since: date, now: datetime) -> Range | None:
    """The range of the sessions from `since` to `now`; None when nothing traded in them."""
    today = now.date()
    key = (code, since, today)
    if key not in market.ranges:
        market.ranges[key] = _range(_days(market, code, since, today - timedelta(days=1), now))
    before = market.ranges[key]
    present = candle(market, code, today, now)
    if present is None:
        return before
    return _range(iter((present,)), before)


def _range(days: Iterator[Candle], known: Range | None = None) -> Range | None:
    found = known
    for c in days:
        if found is None:
            found = Range(c.high, c.day, c.low, c.day)
        if c.high > found.high:
            found = replace(found, high=c.high, high_day=c.day)
        if c.low < found.low:
            found = replace(found, low=c.low, low_day=c.day)
    return found


def minutes(market: Market, code: str, upto: datetime, now: datetime) -> Iterator[MinuteCandle]:
    """Minutes of `upto`'s session from the one that `upto` is in back to the first, the newest first.

    The minute that `now` is in is told as far as it has come.
    """
    day = upto.date()
    if not market.calendar.is_session(day) or now < market.calendar.session_hours(day).open:
        return
    hours = market.calendar.session_hours(day)
    tape = market.tape(code, day)
    present = market.tick_at(hours, min(upto, now))
    forming = now < hours.closing_auction and present == market.tick_at(hours, now)
    for minute in range(present // MINUTE, -1, -1):
        at = hours.open + timedelta(seconds=minute * MINUTE)
        last = present if forming and minute == present // MINUTE else minute * MINUTE + MINUTE - 1
        yield _minute(market, code, at, tape, minute, min(last, len(tape) - 1))


def _minute(
    market: Market, code: str, at: datetime, tape: Tape, minute: int, last: int
) -> MinuteCandle:
    start = minute * MINUTE
    day = at.date()
    if last - start == MINUTE - 1:
        bar = tape.minutes[minute]
        prices = (bar.open, bar.high, bar.low, bar.close)
        volume, turnover = bar.volume, tape.turnover_after(minute)
    else:
        seen = tape.seconds(minute).price[: last - start + 1]
        prices = (seen[0], max(seen), min(seen), seen[-1])
        volume = tape.volume(last) - (tape.volume(start - 1) if start else 0)
        turnover = tape.turnover(last)
    bent = [market.bent(code, day, price) for price in prices]
    paid = turnover * bent[3] // prices[3]
    return MinuteCandle(at, bent[0], max(bent), min(bent), bent[3], volume, paid)
