"""What firms think of companies: opinions, target prices, estimates of years to come. A seeded table."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from trading.simulator.brokers import BROKERS
from trading.simulator.history import OLDEST
from trading.simulator.market import Market
from trading.simulator.prices import nearest
from trading.simulator.statements import Statement, anchor_year, reported, statement

__all__ = ["Opinion", "Stance", "estimated", "opinions", "standing"]

CHANCE = 0.08
"""How often somebody speaks of a company in a session."""
STANCES = (
    ("1", "강력매수"),
    ("2", "매수"),
    ("2", "매수"),
    ("2", "매수"),
    ("3", "중립"),
    ("4", "비중축소"),
)
REACH = {"1": (1.3, 1.6), "2": (1.1, 1.4), "3": (0.97, 1.08), "4": (0.75, 0.95)}
FAMILY, GIVEN = (
    "김이박최정강조윤장임",
    ("민준", "서연", "지훈", "수빈", "현우", "지영", "도윤", "은주"),
)
MISSED_BY = 0.06
PAST, COMING = 2, 3


@dataclass(frozen=True, slots=True)
class Stance:
    """A firm's opinion of a company over half a year."""

    code: str
    name: str
    analyst: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """One opinion: the goal in won, the close before it was told, what the firm thought before."""

    day: date
    firm: str
    code: str
    name: str
    before_code: str
    before_name: str
    goal: int
    close_before: int


def _stance(seed: int, code: str, firm: str, half: int) -> Stance:
    rng = random.Random(f"{seed}:stance:{code}:{firm}:{half}")
    opinion, name = rng.choice(STANCES)
    return Stance(opinion, name, rng.choice(FAMILY) + rng.choice(GIVEN))


def _half(day: date) -> int:
    return day.year * 2 + (day.month > 6)


def standing(market: Market, code: str, day: date) -> Stance:
    """What the first of the firms thinks on a day."""
    return _stance(market.seed, code, BROKERS[0].name, _half(day))


def opinions(market: Market, code: str, first: date, last: date) -> Iterator[Opinion]:
    """The opinions of a company from `last` back to `first`; none of a fund."""
    if market.listing(code).kind.is_fund:
        return
    oldest = max(first, market.first_day - OLDEST)
    for day in reversed(market.calendar.sessions_between(oldest, last)):
        rng = random.Random(f"{market.seed}:opinion:{code}:{day}")
        if rng.random() < CHANCE:
            yield _opinion(market, code, day, rng)


def _opinion(market: Market, code: str, day: date, rng: random.Random) -> Opinion:
    firm = rng.choice(BROKERS).name
    now = _stance(market.seed, code, firm, _half(day))
    before = _stance(market.seed, code, firm, _half(day) - 1)
    close = market.bar(code, day).reference
    goal = nearest(close * rng.uniform(*REACH[now.code]), market.listing(code).kind)
    return Opinion(day, firm, now.code, now.name, before.code, before.name, goal, close)


def estimated(market: Market, code: str, day: date) -> list[tuple[Statement, bool]]:
    """A year to compare with, the last two that were reported and three guesses (True), oldest first."""
    listing, anchor = market.listing(code), anchor_year(market.first_day)
    last = reported(day, False, 1)[0][0]
    found = []
    for year in range(last - PAST, last + COMING + 1):
        report = statement(market.seed, listing, anchor, year, 4)
        guess = year > last
        found.append((_guessed(market.seed, report) if guess else report, guess))
    return found


def _guessed(seed: int, report: Statement) -> Statement:
    """A year to come as it is thought of now: missed by some per cent."""
    rng = random.Random(f"{seed}:estimate:{report.code}:{report.year}")
    off = 1 + rng.uniform(-MISSED_BY, MISSED_BY)
    return replace(
        report,
        sales=round(report.sales * off),
        cost=round(report.cost * off),
        selling=round(report.selling * off),
        net=round(report.net * off),
        eps=round(report.eps * off),
    )
