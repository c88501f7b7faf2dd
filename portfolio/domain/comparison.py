"""Two lists of weights side by side: what came, what went, what moved and by how much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

__all__ = ["Movement", "WeightChange", "compare_weights", "moved_percent"]

_NOTHING = Decimal(0)


class Movement(StrEnum):
    """A weight of 0 is no holding: from it a name is added, to it a name is removed."""

    ADDED = "ADDED"
    REMOVED = "REMOVED"
    CHANGED = "CHANGED"
    SAME = "SAME"


@dataclass(frozen=True, slots=True)
class WeightChange:
    """Percent before and after; None where the list does not name it. `points` is after less before."""

    code: str
    before: Decimal | None
    after: Decimal | None
    points: Decimal
    movement: Movement


def compare_weights(
    before: Mapping[str, Decimal], after: Mapping[str, Decimal], order: Iterable[str] = ()
) -> list[WeightChange]:
    """One row a name: those of `order` first as they come, the others by the larger weight."""
    told = list(dict.fromkeys(order))
    rest = sorted(
        {*before, *after} - {*told},
        key=lambda code: (-max(before.get(code, _NOTHING), after.get(code, _NOTHING)), code),
    )
    names = [code for code in (*told, *rest) if code in before or code in after]
    return [_change(code, before.get(code), after.get(code)) for code in names]


def moved_percent(changes: Iterable[WeightChange]) -> Decimal:
    """How much of the whole moved elsewhere: half of all that was added and taken away."""
    return sum((abs(change.points) for change in changes), _NOTHING) / 2


def _change(code: str, before: Decimal | None, after: Decimal | None) -> WeightChange:
    points = (after or _NOTHING) - (before or _NOTHING)
    if not before and after:
        movement = Movement.ADDED
    elif before and not after:
        movement = Movement.REMOVED
    else:
        movement = Movement.CHANGED if points else Movement.SAME
    return WeightChange(code, before, after, points, movement)
