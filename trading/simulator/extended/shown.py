"""An instrument as a board beside the regular session tells it: last price, range and volume of its own day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from trading.simulator.extended.floor import Floor
from trading.simulator.extended.tapes import Stretch, Walk, seconds, stretches_of
from trading.simulator.market import Shown
from trading.simulator.tape import Mark
from trading.simulator.windows import NXT_SINCE, Board

__all__ = ["BoardDay", "board_day", "nxt_shown"]

WHOLE = 1 << 30


@dataclass(frozen=True, slots=True)
class BoardDay:
    """A board's day up to some second; times are those of its first trade, high and low."""

    shown: Shown
    bought: int
    """Shares that buyers took."""
    opened: datetime
    high_at: datetime
    low_at: datetime
    volume_then: int
    """Shares of the session before by the same second."""


def nxt_shown(floor: Floor, code: str, moment: datetime) -> Shown | None:
    """NXT's day up to `moment`; before its pre-market the day before. None before there was an NXT."""
    day, tick = _located(floor, moment)
    if day < NXT_SINCE:
        return None
    halted = moment.date() == day and floor.halted(code, moment)
    return _shown(
        floor, Board.NXT, code, day, list(_parts(floor, Board.NXT, code, day, tick)), halted
    )


def board_day(floor: Floor, board: Board, code: str, moment: datetime) -> BoardDay | None:
    """A board's own day up to `moment`; None before it has opened on that day."""
    day = moment.date()
    if not floor.calendar.is_session(day):
        return None
    hours = floor.calendar.session_hours(day)
    tick = seconds(hours, moment)
    parts = list(_parts(floor, board, code, day, tick))
    if not parts:
        return None
    high = min((part.high for part in parts), key=lambda mark: (-mark.price, mark.tick))
    low = min((part.low for part in parts), key=lambda mark: (mark.price, mark.tick))
    opened, high_at, low_at = (
        hours.open + timedelta(seconds=one) for one in (parts[0].first, high.tick, low.tick)
    )
    return BoardDay(
        _shown(floor, board, code, day, parts, floor.halted(code, moment)),
        sum(part.bought for part in parts),
        opened,
        high_at,
        low_at,
        _volume(floor, board, code, floor.calendar.previous_session(day), tick),
    )


def _shown(
    floor: Floor, board: Board, code: str, day: date, parts: Sequence[_Part], halted: bool
) -> Shown:
    market = floor.market
    lower, upper = market.limits(code, day)
    return Shown(
        listing=market.listing(code),
        bar=market.bar(code, day),
        last=parts[-1].close,
        open=parts[0].open,
        high=max(part.high.price for part in parts),
        low=min(part.low.price for part in parts),
        volume=sum(part.volume for part in parts),
        turnover=sum(part.turnover for part in parts),
        lower=lower,
        upper=upper,
        halted=halted,
        previous_volume=_volume(floor, board, code, floor.calendar.previous_session(day), WHOLE),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One stretch up to some second: won and shares."""

    first: int
    open: int
    high: Mark
    low: Mark
    close: int
    sold: int
    bought: int
    turnover: int

    @property
    def volume(self) -> int:
        return self.sold + self.bought


def _located(floor: Floor, moment: datetime) -> tuple[date, int]:
    """(the day that NXT shows at `moment`, its second from KRX's open)."""
    day = moment.date()
    if floor.calendar.is_session(day):
        hours = floor.calendar.session_hours(day)
        tick = seconds(hours, moment)
        stretches = stretches_of(hours, Board.NXT)
        if day < NXT_SINCE or tick >= stretches[0].first:
            return day, tick
    return floor.calendar.previous_session(day), WHOLE


def _parts(floor: Floor, board: Board, code: str, day: date, tick: int) -> Iterator[_Part]:
    for stretch in stretches_of(floor.calendar.session_hours(day), board):
        if stretch.first <= tick:
            yield _part(floor, stretch, code, day, min(tick, stretch.last))


def _volume(floor: Floor, board: Board, code: str, day: date, tick: int) -> int:
    """Shares that a board's stretches had traded by a second of a session that is over."""
    return sum(
        sum(floor.tapes.shares(stretch, code, day, min(tick, stretch.last)))
        for stretch in stretches_of(floor.calendar.session_hours(day), board)
        if stretch.first <= tick
    )


def _part(floor: Floor, stretch: Stretch, code: str, day: date, tick: int) -> _Part:
    tape, tick = floor.tapes.tape(stretch, code, day), _standing(floor, stretch, code, day, tick)
    first, last = stretch.first - stretch.origin, tick - stretch.origin

    def bent(price: int) -> int:
        return floor.market.bent(code, day, price)

    high, low = (
        Mark(bent(mark.price), mark.tick + stretch.origin) for mark in tape.reach(first, last)
    )
    close = bent(tape.price(last))
    sold, bought = floor.tapes.shares(stretch, code, day, tick)
    volume, paid = tape.volume(last), tape.turnover(last)
    if first:
        volume, paid = volume - tape.volume(first - 1), paid - tape.turnover(first - 1)
    # a price moved by hand moves what was paid with it
    paid = paid * close // tape.price(last)
    turnover = paid * (sold + bought) // volume if volume else 0
    return _Part(stretch.first, bent(tape.price(first)), high, low, close, sold, bought, turnover)


def _standing(floor: Floor, stretch: Stretch, code: str, day: date, tick: int) -> int:
    """`tick`, or the second since which a halt or KRX's interruption has let nothing trade."""
    if stretch.walk is Walk.DAY:
        return max(stretch.first, floor.market.frozen_tick(code, day, tick))
    manual = floor.market.manual_halts.get(code)
    hours = floor.calendar.session_hours(day)
    if manual and manual.covers(hours.open + timedelta(seconds=tick)):
        return max(stretch.first, min(tick, seconds(hours, manual.since)))
    return tick
