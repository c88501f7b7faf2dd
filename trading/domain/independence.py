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
    """`by` may be acting as `who` until `until`."""

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
    or as somebody whose credentials they had set just so. What people set for themselves says nothing.
    """
    held = [one for one in changes if one.who != one.by and now < one.at + HOLD]
    for who, by in ((second, first), (first, second)):
        until = _until(who, by, held)
        if until is not None:
            return Dependence(who, by, until)
    return None


def _until(who: str, by: str, held: Collection[CredentialSet]) -> datetime | None:
    """Until when `by` may be acting as `who`, straight or through others; the longest way counts."""
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
    return known.get(by)
