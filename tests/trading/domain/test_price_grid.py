"""Prices one after the other, as a book shows them; the rest of the grid is in the golden cases."""

from __future__ import annotations

import pytest

from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import grid_from

pytestmark = pytest.mark.once
KOSPI, ETF = InstrumentKind.KOSPI, InstrumentKind.ETF


@pytest.mark.parametrize(
    ("price", "step", "count", "kind", "prices"),
    [
        (50_000, 1, 3, KOSPI, (50_000, 50_100, 50_200)),
        (50_000, -1, 3, KOSPI, (50_000, 49_950, 49_900)),
        (49_950, 1, 3, KOSPI, (49_950, 50_000, 50_100)),
        (2_000, -1, 3, ETF, (2_000, 1_999, 1_998)),
        (2, -1, 5, KOSPI, (2, 1)),
        (1, 1, 1, KOSPI, (1,)),
    ],
)
def test_a_step_has_the_size_of_the_side_it_lands_on(
    price: int, step: int, count: int, kind: InstrumentKind, prices: tuple[int, ...]
) -> None:
    assert grid_from(price, step, count, kind) == prices


def test_a_walk_begins_on_the_grid() -> None:
    with pytest.raises(ValueError, match="not on the price grid"):
        grid_from(50_010, 1, 3, KOSPI)
