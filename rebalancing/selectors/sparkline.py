"""A small line of past values as SVG path data, without any script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Sparkline", "sparkline"]

WIDTH, HEIGHT, MARGIN = 240, 56, 4


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Path data in a box of 240 × 56; `low` and `high` are the values at its edges."""

    line: str
    area: str
    low: int
    high: int
    count: int


def sparkline(values: Sequence[int]) -> Sparkline | None:
    """None with fewer than three values: two points are not a history."""
    if len(values) < 3:
        return None
    low, high = min(values), max(values)
    span = high - low or 1
    room = HEIGHT - 2 * MARGIN
    points = [
        (
            round(WIDTH * i / (len(values) - 1), 1),
            round(MARGIN + room * (1 - (value - low) / span), 1),
        )
        for i, value in enumerate(values)
    ]
    line = "M" + "L".join(f"{x},{y}" for x, y in points)
    return Sparkline(line, f"{line}L{WIDTH},{HEIGHT}L0,{HEIGHT}Z", low, high, len(values))
