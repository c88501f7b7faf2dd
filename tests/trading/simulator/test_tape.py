"""A session's tape: the same draws whether one by one or at once, and bars that keep the day's promises."""

from __future__ import annotations

import random
from datetime import date

import pytest

from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import is_on_tick
from trading.simulator.prices import DayBar, Listing, demo_source
from trading.simulator.tape import MINUTE, Tape, _Draws, _normals

pytestmark = pytest.mark.once
SESSION = 22_800
"""Seconds from the open to the closing auction."""
DAY = date(2026, 11, 18)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 390])
def test_draws_at_once_are_the_draws_one_by_one(count: int) -> None:
    at_once, one_by_one = random.Random("seed"), random.Random("seed")
    draws = _Draws(at_once, 10)
    taken = [*draws.take(count), *draws.take(3), *draws.take(9)]
    assert taken == [one_by_one.random() for _ in range(count + 12)]


def test_normals_are_those_of_the_standard_library() -> None:
    at_once, one_by_one = random.Random("seed"), random.Random("seed")
    assert _normals(_Draws(at_once, 30), 9).tolist() == pytest.approx(
        [one_by_one.gauss(0, 1) for _ in range(9)], rel=1e-12
    )


def tape(code: str, *pauses: tuple[int, int]) -> tuple[Tape, DayBar, Listing]:
    source = demo_source(3)
    listing, bar = source.listings[code], source.bar(code, DAY, None)
    return Tape(bar, listing, SESSION, f"3:{code}", pauses), bar, listing


@pytest.mark.parametrize("code", ["005930", "153130", "247540", "000660"])
def test_a_session_opens_reaches_and_ends_where_its_bar_says(code: str) -> None:
    made, bar, listing = tape(code)
    minutes, last = made.minutes, SESSION - 1
    assert (minutes[0].open, minutes[-1].close) == (bar.open, bar.close)
    assert (made.high(last), made.low(last), made.price(last)) == (bar.high, bar.low, bar.close)
    assert made.volume(last) == sum(minute.volume for minute in minutes) == bar.volume
    assert all(a.close == b.open for a, b in zip(minutes, minutes[1:], strict=False))
    seen = {price for minute in range(0, 380, 37) for price in made.seconds(minute).price}
    assert all(is_on_tick(price, listing.kind) for price in seen)


@pytest.mark.parametrize(
    ("first", "last"), [(0, 0), (0, 59), (0, 60), (30, 31), (30, 75), (30, 22_799), (119, 600)]
)
def test_the_reach_of_some_seconds_is_theirs_alone(first: int, last: int) -> None:
    made, _bar, _listing = tape("005930")
    prices = [made.price(tick) for tick in range(first, last + 1)]
    high, low = made.reach(first, last)
    assert high == (max(prices), first + prices.index(max(prices)))
    assert low == (min(prices), first + prices.index(min(prices)))
    if first == 0:
        assert high == (made.high(last), made.high_made(last))
        assert low == (made.low(last), made.low_made(last))


def test_a_session_that_crosses_a_step_of_the_grid_stays_on_it() -> None:
    listing = Listing("900001", "계단", InstrumentKind.KOSPI, 50_000, 0.02, 1_000_000)
    bar = DayBar(50_000, 49_900, 51_200, 49_000, 50_300, 1_000_000)
    made = Tape(bar, listing, SESSION, "step", ())
    prices = {p for minute in made.minutes for p in minute[:4]}
    assert min(prices) == 49_000 and max(prices) == 51_200
    assert all(is_on_tick(price, listing.kind) for price in prices)


def test_nothing_trades_in_a_pause_and_no_price_is_changed_by_one() -> None:
    free, _bar, _listing = tape("005930")
    held, bar, _listing = tape("005930", (600, 900), (1_000, 1_090))
    assert held.volume(599) == held.volume(899) < held.volume(900)
    assert held.volume(999) == held.volume(1_089) < held.volume(1_090)
    assert held.volume(SESSION - 1) == bar.volume
    assert [m[:4] for m in held.minutes] == [m[:4] for m in free.minutes]
    assert any(free.traded(second) for second in range(600, 900))


def test_the_first_touch_is_the_first_second_that_reaches_the_price() -> None:
    made, bar, _listing = tape("005930")
    prices = [made.price(second) for second in range(SESSION)]
    goal = (bar.high + max(prices[:300])) // 2
    slow = next(second for second, price in enumerate(prices) if second >= 300 and price >= goal)
    as_is = lambda price: price  # noqa: E731
    assert made.next_touch(300, SESSION - 1, -1, goal, as_is) == slow
    assert made.next_touch(300, slow - 1, -1, goal, as_is) is None
    assert made.next_touch(slow, slow, -1, goal, as_is) == slow
    assert made.next_touch(slow + 1, slow, -1, goal, as_is) is None


def test_the_high_and_the_low_were_made_in_the_second_that_first_traded_them() -> None:
    made, _bar, _listing = tape("247540")
    prices = [made.price(second) for second in range(SESSION)]
    for second in (30, 700, 9_000, SESSION - 1):
        assert prices.index(made.high(second)) == made.high_made(second)
        assert prices.index(made.low(second)) == made.low_made(second)


def test_numbers_of_a_tape_are_pythons_own() -> None:
    """A NumPy number in a reply would not become JSON."""
    made, _bar, _listing = tape("005930")
    asked = [made.price, made.high, made.low, made.volume, made.turnover, made.bought, made.traded]
    asked += [made.high_made, made.low_made]
    assert {type(question(second)) for question in asked for second in (5, 4_000)} == {int}
    assert {type(v) for v in made.minute(3)} == {int} == {type(made.turnover_after(3))}
    assert len(made) // MINUTE == 380
