"""Price-time priority as tables: what fills, at what price, what rests, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.instruments import InstrumentKind
from trading.domain.matching import MatchingBook, OrderType, Refusal, Side, TimeInForce
from trading.domain.quotes import BookLevel

ASKS = ((10_010, 50), (10_020, 100), (10_030, 200))
BIDS = ((10_000, 40), (9_990, 100), (9_980, 200))


def levels(pairs: tuple[tuple[int, int], ...]) -> tuple[BookLevel, ...]:
    return tuple(BookLevel(price, quantity) for price, quantity in pairs)


def book() -> MatchingBook:
    fresh = MatchingBook(InstrumentKind.KOSPI, lower=7_000, upper=13_000)
    fresh.refresh(levels(ASKS), levels(BIDS))
    return fresh


BUY, SELL = Side.BUY, Side.SELL
DAY, IOC, FOK = TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET


@pytest.mark.parametrize(
    ("side", "qty", "kind", "price", "tif", "fills", "resting", "cancelled"),
    [
        (BUY, 30, LIMIT, 10_010, DAY, [(10_010, 30)], 0, 0),
        (BUY, 80, LIMIT, 10_010, DAY, [(10_010, 50)], 30, 0),
        (BUY, 80, LIMIT, 10_020, DAY, [(10_010, 50), (10_020, 30)], 0, 0),
        (BUY, 80, LIMIT, 10_000, DAY, [], 80, 0),
        (BUY, 80, MARKET, None, DAY, [(10_010, 50), (10_020, 30)], 0, 0),
        (BUY, 500, MARKET, None, DAY, [(10_010, 50), (10_020, 100), (10_030, 200)], 150, 0),
        (SELL, 60, LIMIT, 9_990, DAY, [(10_000, 40), (9_990, 20)], 0, 0),
        (SELL, 60, LIMIT, 10_010, DAY, [], 60, 0),
        (BUY, 80, LIMIT, 10_010, IOC, [(10_010, 50)], 0, 30),
        (BUY, 80, LIMIT, 10_010, FOK, [], 0, 80),
        (BUY, 80, LIMIT, 10_020, FOK, [(10_010, 50), (10_020, 30)], 0, 0),
        (BUY, 500, MARKET, None, IOC, [(10_010, 50), (10_020, 100), (10_030, 200)], 0, 150),
        (BUY, 500, MARKET, None, FOK, [], 0, 500),
        (BUY, 60, OrderType.BEST, None, DAY, [(10_010, 50)], 10, 0),
        (BUY, 60, OrderType.TOP, None, DAY, [], 60, 0),
        (SELL, 60, OrderType.BEST, None, IOC, [(10_000, 40)], 0, 20),
    ],
)
def test_an_arriving_order(
    side: Side,
    qty: int,
    kind: OrderType,
    price: int | None,
    tif: TimeInForce,
    fills: list[tuple[int, int]],
    resting: int,
    cancelled: int,
) -> None:
    outcome = book().submit("a", side, qty, kind, price, tif)
    assert [(f.price, f.quantity) for f in outcome.executions] == fills
    assert (outcome.resting, outcome.cancelled) == (resting, cancelled)
    assert sum(q for _, q in fills) + resting + cancelled == qty


@pytest.mark.parametrize(
    ("qty", "kind", "price", "halted", "refusal"),
    [
        (0, LIMIT, 10_000, False, Refusal.QUANTITY),
        (-5, LIMIT, 10_000, False, Refusal.QUANTITY),
        (1, LIMIT, 10_005, False, Refusal.OFF_TICK),
        (1, LIMIT, None, False, Refusal.OFF_TICK),
        (1, LIMIT, 13_010, False, Refusal.OUTSIDE_LIMITS),
        (1, LIMIT, 6_990, False, Refusal.OUTSIDE_LIMITS),
        (1, LIMIT, 10_000, True, Refusal.HALTED),
        (1, MARKET, None, True, Refusal.HALTED),
        (1, LIMIT, 13_000, False, None),
        (1, LIMIT, 7_000, False, None),
    ],
)
def test_what_the_exchange_refuses(
    qty: int, kind: OrderType, price: int | None, halted: bool, refusal: Refusal | None
) -> None:
    there = book()
    there.halted = halted
    assert there.submit("a", BUY, qty, kind, price).refusal is refusal


def test_an_empty_side_has_no_best_price() -> None:
    empty = MatchingBook(InstrumentKind.KOSPI, 7_000, 13_000)
    assert empty.submit("a", BUY, 1, OrderType.BEST).refusal is Refusal.NO_PRICE


def test_the_queue_ahead_is_eaten_before_our_order_fills() -> None:
    there = book()
    there.submit("a", BUY, 10, LIMIT, 10_000)
    assert there.refresh(levels(ASKS), levels(BIDS), last=10_000, volume=30) == ()
    first = there.refresh(levels(ASKS), levels(BIDS), last=10_000, volume=14)
    assert [(f.price, f.quantity) for f in first] == [(10_000, 4)]
    second = there.refresh(levels(ASKS), levels(BIDS), last=10_000, volume=100)
    assert [f.quantity for f in second] == [6]
    assert not there.has_resting


def test_a_price_that_trades_through_fills_at_our_own_limit() -> None:
    there = book()
    there.submit("a", BUY, 10, LIMIT, 10_000)
    fills = there.refresh(levels(((9_960, 6), (9_970, 100))), levels(((9_950, 5),)))
    assert [(f.price, f.quantity) for f in fills] == [(10_000, 6), (10_000, 4)]


def test_two_of_ours_meet_in_time_order_behind_the_anonymous_queue() -> None:
    there = book()
    there.submit("early", SELL, 10, LIMIT, 10_010)
    there.submit("late", SELL, 10, LIMIT, 10_010)
    outcome = there.submit("taker", BUY, 65, LIMIT, 10_010)
    makers = [(f.order_id, f.quantity) for f in outcome.executions if f.order_id != "taker"]
    assert makers == [("early", 10), ("late", 5)]
    assert sum(f.quantity for f in outcome.executions if f.order_id == "taker") == 65
    assert there.resting("late") == 5


def test_quicker_rivals_are_served_before_the_rest_of_ours() -> None:
    there = book()
    outcome = there.submit("a", BUY, 40, LIMIT, 10_010, reach=10, rivals=70)
    assert (sum(f.quantity for f in outcome.executions), outcome.resting) == (10, 30)
    assert there.refresh(levels(ASKS), levels(BIDS)) == ()
    second = there.refresh(levels(ASKS), levels(BIDS))
    assert sum(f.quantity for f in second) == 30


def test_cancelling_part_and_all() -> None:
    there = book()
    there.submit("a", BUY, 10, LIMIT, 10_000)
    assert there.cancel("a", 4) == 4
    assert there.resting("a") == 6
    assert there.cancel("a") == 6
    assert there.cancel("a") == 0


def test_a_halt_stops_fills_but_not_cancels() -> None:
    there = book()
    there.submit("a", BUY, 10, LIMIT, 10_000)
    there.halted = True
    assert there.refresh(levels(((9_900, 500),)), levels(((9_890, 5),)), 9_900, 999) == ()
    assert there.cancel("a") == 10


def test_an_auction_fills_better_prices_first_and_shares_its_own() -> None:
    there = MatchingBook(InstrumentKind.KOSPI, 7_000, 13_000)
    there.submit("at", BUY, 10, LIMIT, 10_000, auction=True)
    there.submit("better", BUY, 10, LIMIT, 10_500, auction=True)
    there.submit("market", SELL, 7, MARKET, auction=True)
    there.submit("worse", BUY, 10, LIMIT, 9_990, auction=True)
    fills = there.uncross(10_000, volume=12)
    assert {(f.order_id, f.price, f.quantity) for f in fills} == {
        ("better", 10_000, 10),
        ("market", 10_000, 7),
        ("at", 10_000, 2),
    }
    assert there.drain() == {"at": 8, "worse": 10}


def test_an_auction_has_no_more_shares_than_it_has() -> None:
    there = MatchingBook(InstrumentKind.KOSPI, 7_000, 13_000)
    there.submit("older", BUY, 200, MARKET, auction=True)
    there.submit("newer", BUY, 200, MARKET, auction=True)
    fills = there.uncross(10_000, volume=250)
    assert [(f.order_id, f.quantity) for f in fills] == [("older", 200), ("newer", 50)]
    assert there.drain() == {"newer": 150}


@pytest.mark.parametrize(
    ("side", "worse", "better", "asks", "bids"),
    [
        (BUY, 10_000, 10_010, ((9_990, 15),), ((9_980, 5),)),
        (SELL, 10_010, 10_000, ((10_030, 5),), ((10_020, 15),)),
    ],
)
def test_the_better_price_is_served_before_the_older_order(
    side: Side, worse: int, better: int, asks: tuple, bids: tuple
) -> None:
    there = MatchingBook(InstrumentKind.KOSPI, 7_000, 13_000)
    there.submit("older", side, 10, LIMIT, worse)
    there.submit("better", side, 10, LIMIT, better)
    fills = there.refresh(levels(asks), levels(bids))
    assert [(f.order_id, f.price, f.quantity) for f in fills] == [
        ("better", better, 10),
        ("older", worse, 5),
    ]


def test_nobody_trades_past_our_better_price() -> None:
    there = book()
    there.submit("ours", BUY, 10, LIMIT, 10_000)
    fills = there.refresh(levels(ASKS), levels(((9_980, 50),)), last=9_980, volume=43)
    assert [(f.price, f.quantity) for f in fills] == [(10_000, 3)], "40 stood ahead of it"


def test_what_the_queue_of_a_better_price_took_is_not_given_out_again() -> None:
    there = MatchingBook(InstrumentKind.KOSPI, 7_000, 13_000)
    there.refresh(levels(ASKS), levels(((10_000, 40),)))
    there.submit("better", BUY, 10, LIMIT, 10_000)
    there.submit("worse", BUY, 100, LIMIT, 9_990)
    fills = there.refresh(levels(ASKS), levels(()), last=9_990, volume=45)
    assert [(f.order_id, f.quantity) for f in fills] == [("better", 5)], "40 of 45 stood ahead"


def test_a_trade_at_a_worse_price_for_them_leaves_ours_alone() -> None:
    there = book()
    there.submit("ours", BUY, 10, LIMIT, 10_000)
    assert there.refresh(levels(ASKS), levels(BIDS), last=10_010, volume=10_000) == ()
    there.submit("theirs", SELL, 10, LIMIT, 10_020)
    assert there.refresh(levels(ASKS), levels(BIDS), last=10_010, volume=10_000) == ()


def test_a_conditional_order_goes_to_market_at_the_close_only() -> None:
    there = book()
    there.submit("c", BUY, 10, OrderType.CONDITIONAL, 9_500)
    assert there.uncross(10_000, 100) == ()
    assert [f.quantity for f in there.uncross(10_000, 100, closing=True)] == [10]


orders = st.tuples(
    st.sampled_from([BUY, SELL]),
    st.integers(1, 300),
    st.sampled_from([9_970, 9_990, 10_000, 10_010, 10_030]),
    st.sampled_from([DAY, IOC, FOK]),
)


@given(st.lists(orders, max_size=25), st.lists(st.integers(0, 200), max_size=10))
def test_no_share_is_made_or_lost(placed: list, volumes: list[int]) -> None:
    there, left = book(), {}
    filled: dict[str, int] = {}

    def count(fills: tuple) -> None:
        for fill in fills:
            filled[fill.order_id] = filled.get(fill.order_id, 0) + fill.quantity

    for n, (side, qty, price, tif) in enumerate(placed):
        outcome = there.submit(str(n), side, qty, LIMIT, price, tif)
        count(outcome.executions)
        left[str(n)] = (qty, outcome.cancelled)
    for volume in volumes:
        count(there.refresh(levels(ASKS), levels(BIDS), 10_000, volume))
    rest = there.drain()
    for name, (qty, cancelled) in left.items():
        assert filled.get(name, 0) + cancelled + rest.get(name, 0) == qty


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("order", "order", "order", "cancel", "refresh")),
        st.sampled_from(tuple(Side)),
        st.sampled_from((LIMIT, LIMIT, OrderType.BEST, OrderType.TOP, MARKET)),
        st.integers(1, 120),
        st.integers(-4, 4),
        st.sampled_from((None, 0, 0, 7)),
        st.integers(0, 80),
    ),
    max_size=30,
)


@given(STEPS)
def test_outside_auctions_the_best_bid_that_is_shown_is_below_the_best_ask(
    steps: list[tuple[str, Side, OrderType, int, int, int | None, int]],
) -> None:
    one = book()
    for number, (what, side, kind, quantity, step, reach, rivals) in enumerate(steps):
        if what == "refresh":
            asks, bids = (
                tuple((price + 10 * step, size) for price, size in levels_of)
                for levels_of in (ASKS, BIDS)
            )
            one.refresh(levels(asks), levels(bids), 10_000 + 10 * step, quantity)
        elif what == "cancel":
            one.cancel(str(number // 2))
        else:
            price = 10_000 + 10 * step if kind is LIMIT else None
            one.submit(str(number), side, quantity, kind, price, reach=reach, rivals=rivals)
        bid, ask = one.best(BUY), one.best(SELL)
        assert bid is None or ask is None or bid < ask, (number, what)


def test_what_quicker_ones_took_is_not_shown_beside_the_rest_and_an_auction_shows_all() -> None:
    one = book()
    one.submit("a", BUY, 80, LIMIT, 10_020, reach=20, rivals=500)
    assert (one.levels(BUY, 1), one.best(SELL)) == ((BookLevel(10_020, 60),), 10_030)
    one.refresh(levels(ASKS), levels(BIDS))
    assert one.best(SELL) == 10_030 > 10_020 == one.best(BUY)
    queue = book()
    queue.submit("b", BUY, 80, LIMIT, 10_020, auction=True)
    assert (queue.best(BUY), queue.best(SELL)) == (10_020, 10_010)
