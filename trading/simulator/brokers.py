"""The member firms of the exchange and what passed through each. A seeded table.

All of a session's volume was bought through some firm and sold through some firm.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

__all__ = ["BROKERS", "Broker", "passed"]


@dataclass(frozen=True, slots=True)
class Broker:
    number: str
    name: str
    foreign: bool = False


BROKERS: tuple[Broker, ...] = (
    Broker("00050", "키움증권"),
    Broker("00005", "미래에셋증권"),
    Broker("00003", "한국투자증권"),
    Broker("00012", "NH투자증권"),
    Broker("00030", "삼성증권"),
    Broker("00017", "KB증권"),
    Broker("00002", "신한투자증권"),
    Broker("00004", "대신증권"),
    Broker("00010", "메리츠증권"),
    Broker("00056", "하나증권"),
    Broker("00024", "유안타증권"),
    Broker("00021", "한화투자증권"),
    Broker("00033", "JP모간", foreign=True),
    Broker("00036", "모간서울", foreign=True),
    Broker("00041", "UBS", foreign=True),
    Broker("00044", "메릴린치", foreign=True),
    Broker("00045", "골드만", foreign=True),
)
"""Real firms as labels; what passes through them is invented."""


@lru_cache(maxsize=5_000)
def _weights(seed: int, code: str, day: date, side: str) -> tuple[float, ...]:
    rng = random.Random(f"{seed}:brokers:{side}:{code}:{day}")
    drawn = [rng.expovariate(1.0) / (1 + place * 0.12) for place in range(len(BROKERS))]
    whole = sum(drawn)
    return tuple(one / whole for one in drawn)


def passed(seed: int, code: str, day: date, side: str, volume: int) -> list[tuple[Broker, int]]:
    """Shares of `volume` that each firm had on a `side` (buy, sell), the most first."""
    shares = [int(volume * weight) for weight in _weights(seed, code, day, side)]
    shares[0] += volume - sum(shares)
    found = zip(BROKERS, shares, strict=True)
    return sorted(found, key=lambda one: (-one[1], one[0].number))
