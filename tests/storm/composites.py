"""The composite storms of the fault model: several things at once that each hide what the other did.

A notice of the feed that is lost (C01, C03) has nobody to be lost to while no process listens: the rest of S1
and S10 is played. S9 is about an adviser; `tests/rebalancing/test_gemini_planner.py` plays it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from tests.storm.seeds import SUSPENDED, Act, Plan, Strike, weights

__all__ = ["COMPOSITE", "NAMES", "composite_seeds", "composite_of"]

COMPOSITE = 300_000
"""Seeds from here on are composites: each name of `NAMES` in turn, on either profile."""
Parts = tuple[tuple[Strike, ...], tuple[Act, ...], tuple[tuple[int, str], ...], float, int]
ANY: Mapping[str, object] = {}
SELL, BUY = {"side": "sell"}, {"side": "buy"}


def _strike(fault: str, params: dict[str, object], match: Mapping[str, object], nth: int = 1,
            second: int = 0) -> Strike:  # fmt: skip
    return Strike(0, second, fault, params, dict(match), nth)


def _s1(rng: random.Random) -> Parts:
    """No answer after acceptance, the order invisible for half a minute, and the process dies at its answer."""
    strikes = (
        _strike("A03", {"seconds": 0}, SELL),
        _strike("B01", {"seconds": 30}, ANY),
    )
    return strikes, (), ((0, f"after_reply:{rng.randint(2, 3)}"),), 0.0, 30


def _s2(rng: random.Random) -> Parts:
    """A gateway error on an order, the second page of the list dark, and no token for a minute."""
    strikes = (
        _strike("A06", {"status": rng.choice((502, 503, 504))}, rng.choice((SELL, BUY))),
        _strike("B03", {"cut": rng.random() < 0.5}, ANY),
        _strike("D01", {}, ANY),
    )
    return strikes, (), (), 0.0, 30


def _s3(rng: random.Random) -> Parts:
    """A sale fills in part and is halted, its proceeds come late, and a person stops everything."""
    strikes = (
        _strike("E01", {"share": 0.4, "seconds": 90}, SELL),
        _strike("F02", {"seconds": 60}, ANY),
    )
    return strikes, (Act(0, rng.randint(10, 60), "H02", 1, 1),), (), 0.0, 30


def _s4(_rng: random.Random) -> Parts:
    """Two schedulers, two approvals, every other step delivered twice."""
    return (), (Act(0, 5, "G15", 1, 1), Act(0, 5, "H01", 1, 1)), (), 0.5, 30


def _s5(rng: random.Random) -> Parts:
    """What the processes shared is forgotten, the token is revoked, and the broker says too many calls."""
    strikes = (
        _strike("D02", {}, ANY, second=rng.randint(3, 20)),
        _strike("A09", {}, SELL),
        _strike("A09", {"status": 429}, BUY),
    )
    return strikes, (Act(0, rng.randint(5, 30), "G11", 1, 1),), (), 0.0, 30


def _s6(rng: random.Random) -> Parts:
    """No answer after acceptance, and a person places the very same order in the broker's app meanwhile."""
    strikes = (_strike("A03", {"seconds": 0}, SELL),)
    return strikes, (Act(0, rng.randint(1, 8), "B15", 1, 1),), (), 0.0, 30


def _s7(_rng: random.Random) -> Parts:
    """The broker is away across the close while sales are open."""
    away = _strike("A01", {"mode": "refuse", "seconds": 1_500}, ANY, second=30)
    return (away,), (), (), 0.0, 368


def _s8(_rng: random.Random) -> Parts:
    """Nobody decides the plan in time, and the next one's sender sleeps between promise and sending."""
    return (), (Act(0, 0, "EXPIRY", 1, 700), Act(0, 0, "G17", 1, SUSPENDED)), (), 0.0, 30


def _s10(_rng: random.Random) -> Parts:
    """The broker takes one order twice."""
    return (_strike("A18", {}, SELL),), (), (), 0.0, 30


NAMES: Mapping[str, Callable[[random.Random], Parts]] = {
    "S1": _s1, "S2": _s2, "S3": _s3, "S4": _s4, "S5": _s5, "S6": _s6, "S7": _s7, "S8": _s8,
    "S10": _s10,
}  # fmt: skip


def composite_seeds(rounds: int = 1) -> range:
    """Every composite on both profiles, `rounds` times with other numbers."""
    return range(COMPOSITE, COMPOSITE + 2 * len(NAMES) * rounds)


def name_of(seed: int) -> str:
    return list(NAMES)[(seed - COMPOSITE) // 2 % len(NAMES)]


def composite_of(seed: int) -> Plan:
    rng = random.Random(f"composite:{seed}")
    strikes, acts, deaths, doubled, minute = NAMES[name_of(seed)](rng)
    profile = ("real", "mock")[seed % 2]
    return Plan(seed, profile, (minute,), (weights(rng),), strikes, deaths, doubled, acts)
