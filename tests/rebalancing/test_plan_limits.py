"""A plan is judged by the account's limits before anybody is asked to approve it."""

from __future__ import annotations

import pytest

from rebalancing.domain.plan_limits import PlannedLeg, beyond_limits
from trading.domain.limits import GateLimits

LEGS = [PlannedLeg("A", (10, 10), 1_000), PlannedLeg("B", (5,), 2_000)]
FITS = GateLimits(
    max_order_won=10_000, max_ticker_day_won=20_000, max_run_won=30_000, max_day_won=30_000
)


def test_a_plan_that_fits_exactly_passes() -> None:
    assert beyond_limits(LEGS, FITS) == []
    assert beyond_limits([], FITS) == []


def test_what_a_plan_does_in_one_name_adds_up() -> None:
    twice = [PlannedLeg("A", (10,), 1_000), PlannedLeg("A", (11,), 1_000)]
    (found,) = beyond_limits(twice, GateLimits(max_ticker_day_won=20_000))
    assert (found["limit"], found["won"], found["ticker"]) == ("ticker_amount", 21_000, "A")


def test_an_order_is_as_large_as_its_largest_slice() -> None:
    uneven = [PlannedLeg("A", (4, 10, 6), 1_000)]
    assert beyond_limits(uneven, FITS) == []
    assert beyond_limits(uneven, GateLimits(max_order_won=9_999)) == [
        {"limit": "order_amount", "won": 10_000, "max": 9_999, "ticker": "A"}
    ]


@pytest.mark.parametrize(
    ("name", "limit", "most", "ticker"),
    [
        ("max_order_won", "order_amount", 9_999, "A"),
        ("max_ticker_day_won", "ticker_amount", 19_999, "A"),
        ("max_run_won", "run_amount", 29_999, None),
        ("max_day_won", "day_amount", 29_999, None),
    ],
)
def test_each_limit_by_one_won(name: str, limit: str, most: int, ticker: str | None) -> None:
    values = {f: getattr(FITS, f) for f in ("max_order_won", "max_ticker_day_won")}
    values |= {f: getattr(FITS, f) for f in ("max_run_won", "max_day_won")}
    found = beyond_limits(LEGS, GateLimits(**(values | {name: most})))
    assert {row["limit"] for row in found} == {limit}
    assert found[0]["max"] == most and found[0].get("ticker") == ticker
