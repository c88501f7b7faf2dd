"""An instrument as NXT tells it: last price, range and volume of its own day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from trading.simulator.extended.floor import Floor
from trading.simulator.extended.tapes import NXT_PART, Stretch, Walk, seconds, stretches_of
from trading.simulator.market import Shown
from trading.simulator.windows import NXT_SINCE, Board

__all__ = ["nxt_shown"]


def nxt_shown(floor: Floor, code: str, moment: datetime) -> Shown | None:
    """NXT's day up to `moment`; before its pre-market the day before. None before there was an NXT."""
    day, tick = _located(floor, moment)
    if day < NXT_SINCE:
        return None
    market = floor.market
    lower, upper = market.limits(code, day)
    parts = list(_parts(floor, code, day, tick))
    before = floor.calendar.previous_session(day)
    earlier = list(_parts(floor, code, before, 1 << 30)) if before >= NXT_SINCE else []
    return Shown(
        listing=market.listing(code),
        bar=market.bar(code, day),
        last=parts[-1].close,
        open=parts[0].open,
        high=max(part.high for part in parts),
        low=min(part.low for part in parts),
        volume=sum(part.volume for part in parts),
        turnover=sum(part.turnover for part in parts),
        lower=lower,
        upper=upper,
        halted=floor.halted(code, moment) if moment.date() == day else False,
        previous_volume=sum(part.volume for part in earlier),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One stretch up to some second: won and shares."""

    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int


def _located(floor: Floor, moment: datetime) -> tuple[date, int]:
    """(the day that NXT shows at `moment`, its second from KRX's open)."""
    day = moment.date()
    if floor.calendar.is_session(day):
        hours = floor.calendar.session_hours(day)
        tick = seconds(hours, moment)
        stretches = stretches_of(hours, Board.NXT)
        if day < NXT_SINCE or tick >= stretches[0].first:
            return day, tick
    return floor.calendar.previous_session(day), 1 << 30


def _parts(floor: Floor, code: str, day: date, tick: int) -> Iterator[_Part]:
    for stretch in stretches_of(floor.calendar.session_hours(day), Board.NXT):
        if stretch.first <= tick:
            yield _part(floor, stretch, code, day, min(tick, stretch.last))


def _part(floor: Floor, stretch: Stretch, code: str, day: date, tick: int) -> _Part:
    tape = floor.tapes.tape(stretch, code, day)
    first, last = stretch.first - stretch.origin, tick - stretch.origin
    share = NXT_PART if stretch.walk is Walk.DAY else 1.0
    # what KRX traded before NXT went on is not NXT's
    before = (tape.volume(first - 1), tape.turnover(first - 1)) if first else (0, 0)

    def bent(price: int) -> int:
        return floor.market.bent(code, day, price)

    return _Part(
        bent(tape.price(first)),
        bent(tape.high(last)),
        bent(tape.low(last)),
        bent(tape.price(last)),
        int((tape.volume(last) - before[0]) * share),
        int((tape.turnover(last) - before[1]) * share),
    )
