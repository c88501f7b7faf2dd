"""What a fund is worth and holds: its value by the minute and the basket of one creation unit.

A value lies within some basis points of the price at every moment, so it never tells another story.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from trading.simulator.indices import INDICES, members
from trading.simulator.market import Market
from trading.simulator.papers import is_domestic

__all__ = ["UNIT", "Holding", "basket", "value_at", "value_of_day", "value_of_minute"]

UNIT = 50_000
"""Shares of a fund that one creation unit is."""
APART = 14.0
"""Basis points by which value and price differ at most."""
MINUTES = 391
LARGEST_BASKET = 60


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares of one listing in a creation unit."""

    code: str
    shares: int


@lru_cache(maxsize=4_000)
def _distances(seed: int, code: str, day: date) -> tuple[float, ...]:
    """By how much of itself the price is over the value, minute by minute."""
    rng = random.Random(f"{seed}:value:{code}:{day}")
    found, now = [], rng.uniform(-APART, APART) / 2
    for _ in range(MINUTES):
        now = min(max(now * 0.9 + rng.gauss(0, 2.5), -APART), APART)
        found.append(now / 10_000)
    return tuple(found)


def value_of_minute(market: Market, code: str, day: date, minute: int, price: int) -> Decimal:
    """The value of a share when its price is `price` in a minute of the session; two decimals."""
    apart = _distances(market.seed, code, day)[min(minute, MINUTES - 1)]
    return Decimal(f"{price / (1 + apart):.2f}")


def value_at(market: Market, code: str, moment: datetime) -> Decimal:
    """The value of a share at a moment, by the price that screens show then."""
    day = market.session_of(moment)
    hours = market.calendar.session_hours(day)
    last = market.shown(code, moment).last
    if moment < hours.open and moment.date() == day:
        return value_of_day(market, code, market.calendar.previous_session(day))
    return value_of_minute(market, code, day, market.tick_at(hours, moment) // 60, last)


def value_of_day(market: Market, code: str, day: date) -> Decimal:
    """The value at the end of a session that is over."""
    hours = market.calendar.session_hours(day)
    last = market.tick_at(hours, hours.close) // 60
    return value_of_minute(market, code, day, last, market.settled(code, day))


def basket(market: Market, code: str, day: date) -> tuple[Holding, ...]:
    """What one creation unit holds on a day, the largest first; nothing that is not listed here.

    Quantities follow from the closes of the session before and the listings' worth.
    """
    return market.once(("basket", code, day), None, lambda: tuple(_basket(market, code, day)))


def _basket(market: Market, code: str, day: date) -> list[Holding]:
    listing = market.listing(code)
    if not is_domestic(listing):
        return []
    held = _held(market, code)
    worth = {c: market.listing(c).shares * market.bar(c, day).reference for c in held}
    whole = UNIT * float(value_of_day(market, code, market.calendar.previous_session(day)))
    total = sum(worth.values())
    found = [
        Holding(c, max(1, int(whole * worth[c] / total / market.bar(c, day).reference)))
        for c in held
    ]
    return sorted(
        found, key=lambda one: (-one.shares * market.bar(one.code, day).reference, one.code)
    )


def _held(market: Market, code: str) -> list[str]:
    """All of KOSPI 200 for a fund that is named after it, else about half of it."""
    choices = members(market, INDICES["2001"])[:LARGEST_BASKET]
    if "200" in market.listing(code).name:
        return list(choices)
    rng = random.Random(f"{market.seed}:basket:{code}")
    return [one for one in choices if rng.random() < 0.5] or list(choices[:1])
