"""Who bought and who sold: investors, programs, short sellers. Seeded tables, the same on every screen.

A session's volume is bought once and sold once: persons, foreigners and institutions together buy all of
it and sell all of it, and what they did by some moment is their part of what was traded by then. Other
corporations and organisations do not trade here.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from trading.simulator.market import Market

__all__ = [
    "GROUPS",
    "INSTITUTIONS",
    "NO_PROGRAMS",
    "Deal",
    "ProgramParts",
    "investors",
    "program",
    "program_parts",
    "rounded",
    "short_sold",
    "together",
]

INSTITUTIONS: dict[str, float] = {
    "scrt": 0.30,
    "ivtr": 0.20,
    "pe_fund": 0.10,
    "bank": 0.03,
    "insu": 0.08,
    "mrbn": 0.04,
    "fund": 0.25,
}
"""Kinds of institutions by the broker's short names, with their share of what institutions trade."""

GROUPS = (
    "prsn",
    "frgn",
    "orgn",
    "frgn_reg",
    "frgn_nreg",
    *INSTITUTIONS,
    "etc",
    "etc_corp",
    "etc_orgt",
)
"""Everybody that a screen may ask for; `etc*` trade nothing."""

FOREIGN_CHURN = (0.20, 0.35)
INSTITUTION_CHURN, INSTITUTION_LEAN = 0.20, 0.10
PROGRAM_CHURN = (0.08, 0.22)
ARBITRAGE_PART, OWN_PART = (0.02, 0.12), (0.05, 0.25)
"""Of what programs trade: what is arbitrage, and what firms do on their own account."""
SHORT_SHARE = (0.003, 0.06)
UNREGISTERED = 0.004


@dataclass(frozen=True, slots=True)
class Deal:
    """What somebody bought and sold: shares, and won at the average price of all that was traded."""

    bought: int
    sold: int
    paid: int = 0
    received: int = 0

    @property
    def net(self) -> int:
        return self.bought - self.sold

    @property
    def net_paid(self) -> int:
        return self.paid - self.received

    def __add__(self, other: Deal) -> Deal:
        return Deal(
            self.bought + other.bought,
            self.sold + other.sold,
            self.paid + other.paid,
            self.received + other.received,
        )


NOTHING = Deal(0, 0)


def investors(market: Market, code: str, day: date, volume: int, turnover: int) -> dict[str, Deal]:
    """Every group's deals when `volume` shares for `turnover` won have been traded in a session."""
    whole = market.bar(code, day).volume
    shares = _whole_day(market.seed, code, day, whole, market.foreign_net(code, day))
    found = {
        name: _scaled(bought, sold, volume, whole, turnover)
        for name, (bought, sold) in shares.items()
    }
    return _summed(found, Deal(volume, volume, turnover, turnover))


def _scaled(bought: int, sold: int, volume: int, whole: int, turnover: int) -> Deal:
    if not volume or not whole:
        return NOTHING
    bought, sold = bought * volume // whole, sold * volume // whole
    return Deal(bought, sold, turnover * bought // volume, turnover * sold // volume)


def _summed(leaves: Mapping[str, Deal], all_of_it: Deal) -> dict[str, Deal]:
    """The groups of what single kinds did; persons did the rest."""
    foreign = leaves["frgn_reg"] + leaves["frgn_nreg"]
    houses = sum((leaves[name] for name in INSTITUTIONS), NOTHING)
    others = foreign + houses
    persons = Deal(
        all_of_it.bought - others.bought,
        all_of_it.sold - others.sold,
        all_of_it.paid - others.paid,
        all_of_it.received - others.received,
    )
    nobody = dict.fromkeys(("etc", "etc_corp", "etc_orgt"), NOTHING)
    return {**leaves, "prsn": persons, "frgn": foreign, "orgn": houses, **nobody}


@lru_cache(maxsize=20_000)
def _whole_day(
    seed: int, code: str, day: date, volume: int, foreign_net: int
) -> dict[str, tuple[int, int]]:
    """(bought, sold) of a whole session, for everybody but persons."""
    rng = random.Random(f"{seed}:investors:{code}:{day}")
    bought, sold = _sides(int(volume * rng.uniform(*FOREIGN_CHURN)), foreign_net)
    apart = int(bought * UNREGISTERED * rng.uniform(0.5, 1.5)), int(sold * UNREGISTERED)
    found = {"frgn_reg": (bought - apart[0], sold - apart[1]), "frgn_nreg": apart}
    for name, weight in INSTITUTIONS.items():
        net = int(volume * weight * INSTITUTION_LEAN * rng.uniform(-1, 1))
        found[name] = _sides(int(volume * weight * INSTITUTION_CHURN * rng.uniform(0.6, 1)), net)
    return found


def _sides(both: int, net: int) -> tuple[int, int]:
    """(bought, sold) of `both` ways and `net` more."""
    return both + max(net, 0), both + max(-net, 0)


def together(parts: Iterable[Mapping[str, Deal]]) -> dict[str, Deal]:
    """What every group did in several instruments."""
    total = dict.fromkeys(GROUPS, NOTHING)
    for part in parts:
        for name in GROUPS:
            total[name] = total[name] + part[name]
    return total


def rounded(deals: Mapping[str, Deal], shares: int, won: int) -> dict[str, Deal]:
    """In units of so many shares and won, rounded down so that parts still make their wholes."""

    def down(deal: Deal) -> Deal:
        return Deal(
            deal.bought // shares, deal.sold // shares, deal.paid // won, deal.received // won
        )

    small = {name: down(deals[name]) for name in ("frgn_nreg", *INSTITUTIONS)}
    foreign, houses = down(deals["frgn"]), down(deals["orgn"])
    small["frgn_reg"] = _less(foreign, small["frgn_nreg"])
    spare = _less(houses, sum((small[name] for name in INSTITUTIONS), NOTHING))
    small["fund"] = small["fund"] + spare
    return _summed(small, down(deals["prsn"] + deals["frgn"] + deals["orgn"]))


def _less(whole: Deal, part: Deal) -> Deal:
    return Deal(
        whole.bought - part.bought,
        whole.sold - part.sold,
        whole.paid - part.paid,
        whole.received - part.received,
    )


def program(market: Market, code: str, day: date, volume: int, turnover: int) -> Deal:
    """What programs had done when `volume` shares for `turnover` won were traded in a session."""
    whole = market.bar(code, day).volume
    rng = random.Random(f"{market.seed}:program deals:{code}:{day}")
    both = int(whole * rng.uniform(*PROGRAM_CHURN))
    return _scaled(*_sides(both, market.program_net(code, day)), volume, whole, turnover)


@dataclass(frozen=True, slots=True)
class ProgramParts:
    """What programs did, by why (arbitrage or not) and for whom (clients or the firm itself)."""

    arbitrage_agency: Deal
    arbitrage_own: Deal
    other_agency: Deal
    other_own: Deal

    def __add__(self, more: ProgramParts) -> ProgramParts:
        return ProgramParts(
            self.arbitrage_agency + more.arbitrage_agency,
            self.arbitrage_own + more.arbitrage_own,
            self.other_agency + more.other_agency,
            self.other_own + more.other_own,
        )


NO_PROGRAMS = ProgramParts(NOTHING, NOTHING, NOTHING, NOTHING)


def program_parts(market: Market, code: str, day: date, volume: int, turnover: int) -> ProgramParts:
    """The parts of `program`; together they are all of it."""
    whole = program(market, code, day, volume, turnover)
    rng = random.Random(f"{market.seed}:program parts:{code}:{day}")
    arbitrage, own = rng.uniform(*ARBITRAGE_PART), rng.uniform(*OWN_PART)
    both = _fraction(whole, arbitrage)
    rest = _less(whole, both)
    for_firms, others = _fraction(both, own), _fraction(rest, own)
    return ProgramParts(_less(both, for_firms), for_firms, _less(rest, others), others)


def _fraction(deal: Deal, part: float) -> Deal:
    """A part of a deal, rounded down."""
    amounts = (deal.bought, deal.sold, deal.paid, deal.received)
    return Deal(*(int(amount * part) for amount in amounts))


def short_sold(market: Market, code: str, day: date) -> int:
    """Shares sold short in a session."""
    rng = random.Random(f"{market.seed}:short:{code}:{day}")
    return int(market.bar(code, day).volume * rng.uniform(*SHORT_SHARE))
