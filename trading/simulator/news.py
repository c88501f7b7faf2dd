"""Headlines of the simulated market: what prices did, told at the minute they did it. A seeded table.

Nothing is told that the market does not show; a headline of a moment says what screens said then.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from trading.simulator.indices import INDICES, level, members, present
from trading.simulator.market import Market

__all__ = ["Headline", "headlines"]

EVERY = timedelta(minutes=10)
OLDEST = timedelta(days=30)
MARKET, STOCK = ("01", "시황"), ("02", "특징주")


@dataclass(frozen=True, slots=True)
class Headline:
    """One title; `number` is its serial number, `kind` a major class, `codes` whom it is about."""

    number: str
    at: datetime
    title: str
    kind: tuple[str, str]
    codes: tuple[str, ...]


def headlines(market: Market, upto: datetime) -> Iterator[Headline]:
    """Headlines up to a moment, the newest first, a month back at most.

    Titles are made when they are reached: those of a whole market cost as much as are read.
    """
    oldest = (upto - OLDEST).date()
    for day in reversed(market.calendar.sessions_between(oldest, upto.date())):
        for place, at in reversed(list(enumerate(_moments(market, day)))):
            if at <= upto:
                yield _headline(market, day, place, at)


def _moments(market: Market, day: date) -> Sequence[datetime]:
    """The open, every ten minutes of the session, and five minutes after the close."""
    hours = market.calendar.session_hours(day)
    found = [hours.open]
    while found[-1] + EVERY < hours.closing_auction:
        found.append(found[-1] + EVERY)
    return [*found, hours.close + timedelta(minutes=5)]


def _headline(market: Market, day: date, place: int, at: datetime) -> Headline:
    hours = market.calendar.session_hours(day)
    number = f"{at:%Y%m%d%H%M%S}{place:05d}"
    if at == hours.open or at > hours.close:
        return Headline(number, at, _of_market(market, at, at > hours.close), MARKET, ())
    code = random.Random(f"{market.seed}:news:{day}:{place}").choice(list(market.source.listings))
    return Headline(number, at, _of_one(market, code, at), STOCK, (code,))


def _of_market(market: Market, at: datetime, over: bool) -> str:
    index = next((i for i in (INDICES["0001"], INDICES["1001"]) if members(market, i)), None)
    if index is None:
        return "국내 증시 마감" if over else "국내 증시 개장"
    day = present(market, index, at)
    change = level(day.close) - level(day.before)
    name = "코스피" if index.market == "KOSPI" else "코스닥"
    return f"[시황] {name} {level(day.close):,} {'마감' if over else '출발'} ({change:+})"


def _of_one(market: Market, code: str, at: datetime) -> str:
    shown = market.shown(code, at)
    way = "상승" if shown.change > 0 else "하락" if shown.change < 0 else "보합"
    rate = shown.rate(shown.last)
    return f"[특징주] {shown.listing.name} {shown.last:,}원, 전일 대비 {rate:+}% {way}"
