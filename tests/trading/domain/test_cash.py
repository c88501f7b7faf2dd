"""Which cash figure is planned with: the deposit, unless clearly less of it may be spent."""

from __future__ import annotations

import pytest

from trading.domain.cash import usable_cash


@pytest.mark.parametrize(
    ("deposit", "orderable", "usable"),
    [
        (1_000_000, 1_000_000, 1_000_000),
        (1_000_000, 1_200_000, 1_000_000),
        (1_000_000, 998_000, 1_000_000),
        (1_000_000, 997_999, 997_999),
        (1_000_000, 0, 0),
        (-5_000, 0, 0),
    ],
    ids=["the same", "with credit", "room for commission", "a won locked", "all locked", "owed"],
)
def test_the_deposit_counts_unless_less_of_it_may_be_spent(
    deposit: int, orderable: int, usable: int
) -> None:
    assert usable_cash(deposit, orderable) == usable
