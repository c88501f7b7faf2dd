"""Whether two names are two people: whoever sets somebody's password or resets their second factor can sign
in as them, and for a day stands behind both names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["HOLD", "CredentialSet", "Dependence", "dependence_of", "independent_of"]

HOLD = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class CredentialSet:
    """`by` gave `who` another password, or took their second factor away."""

    who: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Dependence:
    """`by` may be acting as `who` until `until`; where `by` is neither of the two, as both of them."""

    who: str
    by: str
    until: datetime


def independent_of(
    second: str, first: str, changes: Collection[CredentialSet], now: datetime
) -> bool:
    """True when `second` may be the other person beside `first`."""
    return dependence_of(second, first, changes, now) is None


def dependence_of(
    second: str, first: str, changes: Collection[CredentialSet], now: datetime
) -> Dependence | None:
    """Why `second` is no second person beside `first`: one of them may be acting as the other.

    It makes no difference which of the two set what proves the other, nor whether they did it themselves
    or as somebody whose credentials they had set just so; and somebody else who set what proves both may be
    acting as both. What people set for themselves says nothing.
    """
    held = [one for one in changes if one.who != one.by and now < one.at + HOLD]
    behind_second, behind_first = _behind(second, held), _behind(first, held)
    if first in behind_second:
        return Dependence(second, first, behind_second[first])
    if second in behind_first:
        return Dependence(first, second, behind_first[second])
    both = {
        by: min(behind_second[by], behind_first[by]) for by in behind_second.keys() & behind_first
    }
    if not both:
        return None
    by = max(both, key=lambda name: (both[name], name))
    return Dependence(second, by, both[by])


def _behind(who: str, held: Collection[CredentialSet]) -> dict[str, datetime]:
    """Who may be acting as `who`, straight or through others, and until when; the longest way counts."""
    known: dict[str, datetime] = {}
    grew = True
    while grew:
        grew = False
        for one in held:
            ends = one.at + HOLD
            if one.who != who:
                if one.who not in known:
                    continue
                ends = min(ends, known[one.who])
            if one.by not in known or known[one.by] < ends:
                known[one.by], grew = ends, True
    return known
