"""Where a sale at market is allowed: a tight and deep book, never one whose sides cross."""

from __future__ import annotations

from datetime import datetime

import pytest

from rebalancing.domain.liquidity import is_liquid
from trading.domain.instruments import InstrumentKind
from trading.domain.quotes import BookLevel, OrderBook
from trading.domain.sessions import SEOUL

NOW = datetime(2026, 11, 20, 10, tzinfo=SEOUL)


def book(asks: list[tuple[int, int]], bids: list[tuple[int, int]]) -> OrderBook:
    sides = (tuple(BookLevel(price, quantity) for price, quantity in side) for side in (asks, bids))
    return OrderBook("005930", *sides, at=NOW)


@pytest.mark.parametrize(
    ("asks", "bids", "spread", "liquid"),
    [
        ([(70_100, 10)], [(70_000, 500)], 100, True),
        ([(70_200, 10)], [(70_000, 500)], 200, True),
        ([(70_300, 10)], [(70_000, 500)], 300, False),
        ([(70_100, 10)], [(70_000, 499)], 100, False),
        ([(70_100, 10)], [(70_000, 250), (69_900, 250)], 100, True),
        ([(70_000, 10)], [(70_000, 500)], None, False),
        ([(69_900, 10)], [(70_000, 500)], None, False),
        ([], [(70_000, 500)], None, False),
        ([(70_100, 10)], [], None, False),
    ],
    ids=["one tick", "two ticks", "three ticks", "thin", "five levels", "locked", "crossed",
         "no ask", "no bid"],
)  # fmt: skip
def test_a_hundred_shares_go_at_market_where_the_book_is_tight_deep_and_in_order(
    asks: list[tuple[int, int]], bids: list[tuple[int, int]], spread: int | None, liquid: bool
) -> None:
    found = book(asks, bids)
    assert found.spread == spread
    assert is_liquid(100, found, InstrumentKind.KOSPI) is liquid
