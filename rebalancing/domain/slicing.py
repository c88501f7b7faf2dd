"""A large order goes out in up to five parts, so that it does not become the market."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

__all__ = ["MAX_SLICES", "SLICE_SHARE", "split_by", "split_quantity"]

MAX_SLICES = 5
SLICE_SHARE = Decimal("0.05")
"""Of the average daily volume: what one slice may be at most, as far as five slices allow."""


def split_quantity(
    quantity: int,
    daily_volume: int | None,
    *,
    share: Decimal = SLICE_SHARE,
    most: int = MAX_SLICES,
) -> tuple[int, ...]:
    """`quantity` shares in equal parts, the remainder in the first.

    One part while the order is at most `share` of the average daily volume, or that is unknown
    (None); as many parts as bring each under it, at most `most`. Raises ValueError when quantity <
    1.
    """
    if quantity < 1:
        raise ValueError(f"nothing to split: {quantity}")
    if daily_volume is None:
        return (quantity,)
    largest = Fraction(share) * daily_volume
    wished = most if largest <= 0 else -(-Fraction(quantity) // largest)
    parts = max(1, min(int(wished), most, quantity))
    each, rest = divmod(quantity, parts)
    return (each + rest, *[each] * (parts - 1))


def split_by(quantity: int, proportions: Sequence[int]) -> tuple[int, ...]:
    """`quantity` shares in parts as `proportions` stand to each other; always `quantity` together.

    A part that comes to nothing falls away.
    """
    total, passed, done, parts = sum(proportions), 0, 0, []
    for proportion in proportions:
        passed += proportion
        upto = quantity * passed // total
        parts.append(upto - done)
        done = upto
    return tuple(part for part in parts if part)
