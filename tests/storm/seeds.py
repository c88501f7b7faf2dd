"""What a seed means: the profile, the days, what breaks when. A pure function of the number."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

__all__ = [
    "HARNESS",
    "LIES",
    "TRANSIENT",
    "WAITING",
    "Act",
    "Plan",
    "Strike",
    "combinations",
    "directed_seeds",
    "plan_of",
    "short_seeds",
    "twin_of",
    "weights",
]

DAYS = 3
"""Of a seed that is drawn or directed; a short one has a single day."""
FAULTS: dict[str, tuple[dict[str, Any], ...]] = {
    "A02": ({"seconds": 0},),
    "A03": ({"seconds": 0}, {"seconds": 30}),
    "A04": ({}, {"bytes": 40}),
    "A05": ({}, {"empty": True}),
    "A06": ({"status": 502}, {"status": 503}, {"status": 504}),
    "A07": ({}, {"code": "EGW00302"}),
    "A08": ({}, {"code": "EGW00203"}, {"code": "EGW00001"}),
    "A09": ({}, {"status": 429}),
    "A10": ({},),
    "A11": ({}, {"code": "EGW00121"}),
    "A12": ({"odno": ""}, {"odno": None}, {"odno": "12AB"}),
    "A14": ({"code": "APBK0952"}, {"code": "APBK0400", "status": 500}),
    "A15": ({"code": "APBK0919"},),
    "A16": ({"code": "APBK9123"},),
    "A17": ({"seconds": 9.0}, {"seconds": 31}),
    "A19": ({},),
    "A21": ({"seconds": 0},),
    "A22": ({},),
    "B01": ({"seconds": 5}, {"seconds": 30}, {"seconds": 120}),
    "B03": ({}, {"cut": True}),
    "B06": ({},),
    "D02": ({},),
    "E01": ({"share": 0.4, "seconds": 90}, {"share": 0.5}),
    "E02": ({"seconds": 130},),
    "E04": ({"percent": 2}, {"percent": -8}),
    "F01": ({"percent": -2},),
    "F02": ({"seconds": 20}, {"seconds": 60}),
}
"""Faults with the parameters that a seed draws from; none of them makes a broker that lies about numbers."""
TRANSIENT = frozenset({"A03", "A04", "A05", "A09", "A10", "A11", "A17", "A21", "A22", "B01", "B03", "B06",
                       "D02", "E02", "F02"})  # fmt: skip
"""What passes by itself: a run that meets only these ends with every share that it planned, or as good as."""
LATER: dict[str, tuple[dict[str, Any], ...]] = {
    "A01": ({"mode": "refuse", "seconds": 20},),
    "A18": ({},),
    "A27": ({},),
    "D01": ({},),
    "E05": ({"limit": "upper"}, {"limit": "lower"}),
    "F04": ({"amount": -500_000}, {"amount": 300_000}),
}
"""Faults that seeds from `SECOND` on draw, too: those before it keep the days that they are known by."""
LIES: dict[str, tuple[dict[str, Any], ...]] = {
    "A13": ({}, {"whose": "foreign"}),
    "A20": ({}, {"whose": "foreign"}),
    "A26": ({}, {"answer": "second"}),
    "A28": ({},),
    "B02": ({"seconds": 10}, {"seconds": 60}),
    "B05": ({}, {"shape": "empty"}),
    "B07": ({},),
    "B08": ({"share": 0.4}, {"share": 0}),
    "B09": ({}, {"value": "0"}),
    "B10": ({}, {"shape": "double"}, {"shape": "phantom"}),
    "B11": ({}, {"shape": "zero"}),
    "B17": ({}, {"shape": "extra"}, {"shape": "cased"}),
    "B18": ({}, {"shape": "decimal"}, {"shape": "blank"}, {"shape": "wide"}, {"shape": "null"}),
    "D04": ({},),
    "D05": ({}, {"shape": "past"}),
}
"""Faults of a broker that lies, with their parameters, drawn by the same seeds.

What they leave stays judgeable. B19 needs a second account, and after E13 the books and the truth differ
until a person has decided: neither is here.
"""
EVERY = FAULTS | LATER | LIES
SECOND = 20
HARNESS = ("G13", "G15", "G17", "H01", "H02", "H04", "H08")
"""What the bed does itself, to processes and as persons: a step delivered twice, two schedulers, a sender that
is asleep between its promise and its sending, two approvals at once, a stop, a double click, a person who
trades in the broker's app."""
WAITING = {
    "B12": "orders on NXT",
    "C14": "more registrations than the broker takes",
    "C15": "bars",
    "C16": "the bot",
    "C18": "the bot",
    "C19": "prices on pages",
    "E10": "orders on NXT",
    "G19": "workers for market data",
    "G20": "messengers",
    "J11": "news",
}
"""Faults whose victim does not exist yet, and what it is."""
UNMATCHED = frozenset({"A01", "D02", "E02", "E04", "E05", "F01", "F04"})
"""Strike the state of things and not a request: there is nothing to match or to count."""
OF_AN_ORDER = {"B01": ("sell", "buy"), "E01": ("sell", "buy"), "F02": ("sell",)}
"""Faults outside of group A that are about the orders of one side, and the sides they are tried on."""
OF_A_TOKEN = frozenset({"D01", "D04", "D05"})
"""Strike whoever asks for a token: on a directed day the one there is has just been revoked."""
AFTER_ANOTHER = frozenset({"A13", "A20"})
"""Name another order, so there has to be one."""
SUSPENDED = 2_400
"""Seconds that a machine is put to sleep for, as when its lid is closed: no step of a run lasts as long."""
OF_A_CANCEL = frozenset({"A21", "A22"})
OF_A_TICKER = frozenset({"E02", "E04", "E05", "F01"})
TICKERS = ("069500", "360750", "005930", "114260", "148070", "411060")
DEATHS = (
    "before_T2_commit",
    "after_T2_commit",
    "after_reply",
    "before_T3_commit",
    "after_T3_commit",
)


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault armed at a minute of a day's run; `nth` lets so many matches pass first."""

    day: int
    second: int
    fault: str
    params: dict[str, Any]
    match: dict[str, Any]
    nth: int


@dataclass(frozen=True, slots=True)
class Act:
    """What the bed itself does on a day: `second` after its run was opened, or when a send is passed the `nth`
    time."""

    day: int
    second: int
    kind: str
    nth: int
    amount: float
    """Seconds of sleep, or shares."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One seed's story."""

    seed: int
    profile: str
    start_minute: tuple[int, ...]
    targets: tuple[dict[str, int], ...]
    """Of each day the weights by class that somebody decided: why there is something to do."""
    strikes: tuple[Strike, ...]
    deaths: tuple[tuple[int, str], ...]
    """(day, crash point and how many passings): the process ends there once."""
    doubled: float
    """How often a step is delivered twice."""
    acts: tuple[Act, ...] = ()

    @property
    def transient(self) -> bool:
        """Nothing but what passes by itself: no process dies in a place where nobody can know, nobody stops,
        none sleeps for longer than a step lasts."""
        lasting = [a for a in self.acts if a.kind in ("H02", "H08") or a.amount == SUSPENDED]
        return not lasting and not self.deaths and all(s.fault in TRANSIENT for s in self.strikes)


DIRECTED = 100_000
"""Seeds from here on are not drawn: each plays the next few combinations of the whole table."""


def combinations() -> list[tuple[str, str, str]]:
    """(fault, side of its victim, crash point) in the order in which the directed seeds play them: every order
    fault for sells and buys, every other fault once, each with no crash, with one before the request and with
    one after its answer."""
    found = []
    for fault in sorted(EVERY):
        for side in sides_of(fault):
            found += [(fault, side, death) for death in ("", "after_T2_commit:2", "after_reply:2")]
    return found


def sides_of(fault: str) -> tuple[str, ...]:
    """The sides that a fault is tried on; an empty one where it has none of its own."""
    if fault in OF_AN_ORDER:
        return OF_AN_ORDER[fault]
    return ("sell", "buy") if fault[0] == "A" and fault not in UNMATCHED | OF_A_CANCEL else ("",)


def directed_seeds(rounds: int = 1) -> range:
    """All of them, `rounds` times with other numbers: even ones on the real profile, odd ones on the mock."""
    days = -(-len(combinations()) // DAYS)
    return range(DIRECTED, DIRECTED + 2 * days * rounds)


def _directed(seed: int) -> Plan:
    rng = random.Random(f"directed:{seed}")
    number, odd = divmod(seed - DIRECTED, 2)
    profile = ("real", "mock")[odd]
    table = combinations()
    mine = [table[(number * DAYS + day) % len(table)] for day in range(DAYS)]
    strikes, deaths = [], []
    for day, (fault, side, death) in enumerate(mine):
        own = EVERY[fault][:1] if fault in AFTER_ANOTHER else EVERY[fault]  # not another account's
        params = dict(rng.choice(own))
        if fault in OF_A_TICKER:
            params["ticker"] = rng.choice(TICKERS)
        match = {"side": side} if side else {}
        strikes += [*_before(day, fault), Strike(day, 0, fault, params, match, _nth(fault, side))]
        deaths += [(day, death)] if death else []
    targets = tuple(weights(rng) for _ in range(DAYS))
    minutes = tuple(rng.randint(5, 240) for _ in range(DAYS))
    return Plan(seed, profile, minutes, targets, tuple(strikes), tuple(deaths), 0.0)


def _before(day: int, fault: str) -> list[Strike]:
    """What gives `fault` a victim: a sale that hangs is cancelled, a dead token renewed."""
    if fault in OF_A_CANCEL:
        return [Strike(day, 0, "E01", {"share": 0.4, "seconds": 90}, {"side": "sell"}, 1)]
    if fault in OF_A_TOKEN:
        return [Strike(day, 5, "D02", {}, {}, 1)]
    return []


def _nth(fault: str, side: str) -> int:
    return 2 if fault in AFTER_ANOTHER and side == "sell" else 1


SHORT = 200_000
"""Seeds from here on are one day each, with as many faults in it as another has in one of its three."""


def short_seeds(count: int) -> range:
    return range(SHORT, SHORT + count)


def _short(seed: int) -> Plan:
    rng = random.Random(f"short:{seed}")
    strikes = [
        _strike(rng, fault, EVERY[fault], days=1)
        for fault in rng.sample(sorted(EVERY), rng.randint(1, 4))
    ]
    strikes.sort(key=lambda one: one.second)
    deaths = ((0, f"{rng.choice(DEATHS)}:{rng.randint(1, 3)}"),) if rng.random() < 0.4 else ()
    minutes, doubled = (rng.randint(5, 240),), rng.choice((0.0, 0.1))
    profile = ("real", "mock")[seed % 2]
    return Plan(
        seed,
        profile,
        minutes,
        (weights(rng),),
        tuple(strikes),
        deaths,
        doubled,
        _acts(rng, days=1),
    )


def plan_of(seed: int) -> Plan:
    """What happens in a seed; the same plan for the same number for ever."""
    from tests.storm.composites import COMPOSITE, composite_of

    if seed >= COMPOSITE:
        return composite_of(seed)
    if seed >= SHORT:
        return _short(seed)
    if seed >= DIRECTED:
        return _directed(seed)
    rng = random.Random(f"storm:{seed}")
    profile = rng.choice(("real", "mock"))
    known = FAULTS if seed < SECOND else EVERY
    chosen = rng.sample(sorted(known), rng.randint(3, 8))
    strikes = []
    for fault in chosen:
        for _ in range(rng.randint(1, 3)):
            strikes.append(_strike(rng, fault, known[fault]))
    deaths = tuple(
        (rng.randrange(DAYS), f"{rng.choice(DEATHS)}:{rng.randint(1, 4)}")
        for _ in range(rng.choice((0, 0, 1, 2, 3)))
    )
    targets = tuple(weights(rng) for _ in range(DAYS))
    minutes = tuple(rng.randint(5, 240) for _ in range(DAYS))
    strikes.sort(key=lambda one: (one.day, one.second))
    doubled = rng.choice((0.0, 0.1, 0.5))
    acts = _acts(rng) if seed >= SECOND else ()
    return Plan(seed, profile, minutes, targets, tuple(strikes), deaths, doubled, acts)


def _acts(rng: random.Random, days: int = DAYS) -> tuple[Act, ...]:
    kinds = [kind for kind in HARNESS if kind != "G13" and rng.random() < 0.25]
    return tuple(
        Act(
            rng.randrange(days),
            rng.randint(5, 90),
            kind,
            rng.randint(1, 4),
            rng.choice((8, 25, SUSPENDED)) if kind == "G17" else rng.randint(1, 5),
        )
        for kind in kinds
    )


def weights(rng: random.Random) -> dict[str, int]:
    """Whole percents that make a hundred, with at least a little of everything."""
    bond, gold = rng.randint(15, 45), rng.randint(5, 20)
    cash = rng.randint(5, 15)
    return {"STOCK": 100 - bond - gold - cash, "BOND": bond, "ALTERNATIVE": gold, "CASH": cash}


def _strike(
    rng: random.Random, fault: str, choices: tuple[dict[str, Any], ...], days: int = DAYS
) -> Strike:
    params = dict(rng.choice(choices))
    match: dict[str, Any] = {}
    if fault in OF_A_TICKER:
        params["ticker"] = rng.choice(TICKERS)
    elif fault[0] in "AE" and fault not in UNMATCHED and rng.random() < 0.6:
        match["side"] = rng.choice(("sell", "buy"))
    return Strike(rng.randrange(days), rng.randint(0, 40), fault, params, match, rng.randint(1, 3))


def twin_of(plan: Plan) -> Plan:
    """The same days without any fault: what the platform does when nobody harms it."""
    return replace(plan, strikes=(), deaths=(), doubled=0.0, acts=())
