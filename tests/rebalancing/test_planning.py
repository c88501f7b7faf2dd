"""Plans carry out the trades exactly, name every price on the tick, and hash to one value."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebalancing.domain.legs import ExecutionPlan, Leg, OrderType, canonical_json, targets_hash
from rebalancing.domain.netting import Side, Trade
from rebalancing.domain.planning import (
    PRICE_STRATEGIES,
    Market,
    PlanRules,
    adjust_buy_quantities,
    plan_trading_strategy,
    resolve_price,
    validate_execution_plan,
)
from rebalancing.domain.slicing import split_quantity
from rebalancing.planners.rules import plan_by_rules
from trading.domain.errors import InputError, Reason, RuleViolation
from trading.domain.instruments import InstrumentKind
from trading.domain.quotes import BookLevel, OrderBook

D = Decimal
AT = datetime(2026, 11, 2, 1, tzinfo=UTC)
KOSPI = InstrumentKind.KOSPI


def book(bid: int = 70_000, ask: int = 70_100, depth: int = 1_000, levels: int = 5) -> OrderBook:
    asks = tuple(BookLevel(ask + 100 * n, depth) for n in range(levels))
    bids = tuple(BookLevel(bid - 100 * n, depth) for n in range(levels))
    return OrderBook("005930", asks, bids, AT)


def trade(
    side: Side = Side.SELL, quantity: int = 50, price: int = 70_000, ticker="005930"
) -> Trade:
    return Trade(ticker, side, quantity, price, quantity * price)


def market(**facts) -> dict[str, Market]:
    return {"005930": Market(**({"kind": KOSPI, "reference": 70_000, "book": book()} | facts))}


# Price rules


@pytest.mark.parametrize(
    ("strategy", "side", "price"),
    [
        ("CURRENT_PRICE", Side.BUY, 70_000),
        ("CURRENT_BID_1", Side.BUY, 70_000),
        ("CURRENT_BID_5", Side.SELL, 69_600),
        ("CURRENT_ASK_1", Side.SELL, 70_100),
        ("CURRENT_ASK_5", Side.BUY, 70_500),
        ("OPPOSITE_BEST", Side.SELL, 70_000),
        ("OPPOSITE_BEST", Side.BUY, 70_100),
        ("PLUS_TICKS_1", Side.BUY, 70_200),
        ("PLUS_TICKS_5", Side.SELL, 70_500),
        ("MINUS_TICKS_1", Side.SELL, 69_900),
        ("MINUS_TICKS_5", Side.BUY, 69_600),
    ],
)
def test_a_price_rule_finds_its_price(strategy, side, price):
    assert resolve_price(strategy, side, book(), 70_000, KOSPI) == price


@pytest.mark.parametrize(
    ("strategy", "the_book", "last", "code"),
    [
        ("BEST", book(), 70_000, "price_strategy"),
        ("CURRENT_BID_6", book(), 70_000, "price_strategy"),
        ("PLUS_TICKS_0", book(), 70_000, "price_strategy"),
        ("CURRENT_PRICE", book(), 0, "no_last_price"),
        ("CURRENT_BID_3", book(levels=2), 70_000, "book_level_missing"),
        ("OPPOSITE_BEST", None, 70_000, "book_level_missing"),
        ("OPPOSITE_BEST", book(bid=70_050), 70_000, "book_off_tick"),
    ],
)
def test_a_price_rule_says_why_it_finds_none(strategy, the_book, last, code):
    found = resolve_price(strategy, Side.SELL, the_book, last, KOSPI)
    assert isinstance(found, Reason) and found.code == code


def test_an_off_grid_last_price_is_never_worse_than_asked():
    assert resolve_price("CURRENT_PRICE", Side.BUY, None, 70_050, KOSPI) == 70_000
    assert resolve_price("CURRENT_PRICE", Side.SELL, None, 70_050, KOSPI) == 70_100


def test_the_price_rules_are_those_of_the_interface():
    assert len(PRICE_STRATEGIES) == 2 + 4 * 5


# Slices


@pytest.mark.parametrize(
    ("quantity", "volume", "slices"),
    [
        (50, None, (50,)),
        (50, 1_000, (50,)),
        (51, 1_000, (26, 25)),
        (101, 1_000, (35, 33, 33)),
        (10_000, 1_000, (2_000,) * 5),
        (3, 0, (1, 1, 1)),
    ],
)
def test_slices(quantity, volume, slices):
    assert split_quantity(quantity, volume) == slices


def test_nothing_cannot_be_sliced():
    with pytest.raises(ValueError):
        split_quantity(0, 100)


# The planner of rules


@pytest.mark.parametrize(
    ("side", "facts", "expected"),
    [
        (Side.SELL, {}, ("MINUS_TICKS_1", 69_900, "BID_MINUS_TICK")),
        (Side.BUY, {}, ("PLUS_TICKS_1", 70_200, "ASK_PLUS_TICK")),
        (Side.BUY, {"book": book(ask=71_400)}, (None, 71_400, "COLLAR_EDGE")),
        (Side.SELL, {"book": book(bid=68_600)}, (None, 68_600, "COLLAR_EDGE")),
        (Side.SELL, {"book": None}, ("CURRENT_PRICE", 70_000, "NO_BOOK")),
        (Side.BUY, {"book": book(levels=0)}, ("CURRENT_PRICE", 70_000, "NO_BOOK")),
    ],
)
def test_rules_choose_a_limit(side, facts, expected):
    (leg,) = plan_by_rules([trade(side)], market(**facts), PlanRules())
    assert (leg.price_strategy, leg.limit_price, leg.reason) == expected
    assert leg.order_type is OrderType.LIMIT


@pytest.mark.parametrize(
    ("side", "the_book", "allowed", "order_type"),
    [
        (Side.SELL, book(), True, "MARKET"),
        (Side.SELL, book(ask=70_200), True, "MARKET"),
        (Side.SELL, book(ask=70_300), True, "LIMIT"),
        (Side.SELL, book(depth=50), True, "MARKET"),
        (Side.SELL, book(depth=49), True, "LIMIT"),
        (Side.SELL, book(), False, "LIMIT"),
        (Side.BUY, book(), True, "LIMIT"),
    ],
)
def test_rules_sell_at_market_only_where_it_makes_no_difference(
    side, the_book, allowed, order_type
):
    rules = PlanRules(allow_market=allowed)
    (leg,) = plan_by_rules([trade(side)], market(book=the_book), rules)
    assert leg.order_type == order_type


def test_rules_name_every_trade_they_cannot_price():
    with pytest.raises(RuleViolation) as refused:
        plan_by_rules(
            [trade(), trade(ticker="000660")], market(reference=0, book=None), PlanRules()
        )
    assert [str(r.facts["ticker"]) for r in refused.value.reasons] == ["005930", "000660"]


# Advice


def plan(trades, advice=None, markets=None, rules=PlanRules(allow_market=True)):  # noqa: B008
    return plan_trading_strategy(
        trades,
        markets or market(),
        plan_by_rules,
        account_id="7",
        generation=1,
        targets_hash="t",
        rules=rules,
        advice=advice,
    )


def item(**change) -> dict:
    base = {"ticker": "005930", "action": "SELL", "quantity": 50, "order_type": "LIMIT"}
    return base | {"price_strategy": "CURRENT_BID_1"} | change


@pytest.mark.parametrize(
    ("advice", "code"),
    [
        ([item()], None),
        ([item(quantity=20), item(quantity=30)], None),
        ([item(order_type="MARKET")], None),
        ([item(price_strategy=None, limit_price=68_600)], None),
        ([item(quantity=10)] * 5, None),
        ({}, "not_a_list"),
        ([7], "schema"),
        ([item(ticker=5)], "schema"),
        ([item(quantity=True)], "quantity"),
        ([item(quantity=0)], "quantity"),
        ([item(action="HOLD")], "unknown_trade"),
        ([item(order_type="STOP")], "order_type"),
        ([item(price_strategy="BEST")], "price_strategy"),
        ([item(price_strategy=["CURRENT_BID_1"])], "price_strategy"),
        ([item(price_strategy=None)], "price_strategy"),
        ([item(price_strategy=None, limit_price=69_950)], "tick"),
        ([item(price_strategy=None, limit_price=70_000.0)], "tick"),
        ([item(price_strategy=None, limit_price=68_500)], "collar"),
        ([item(quantity=5)] * 10, "slices"),
        ([item(quantity=49)], "quantity_mismatch"),
        ([], "quantity_mismatch"),
    ],
)
def test_advice_is_used_whole_or_not_at_all(advice, code):
    found = validate_execution_plan([trade()], advice, {"005930": 70_000}, {"005930": KOSPI})
    assert {reason.code for reason in found} == ({code} if code else set())
    made = plan([trade()], advice)
    assert made.plan.planner == ("fallback" if code else "gemini")
    assert made.discarded == tuple(found)
    assert sum(leg.quantity for leg in made.plan.legs) == 50


def test_every_ground_is_listed():
    bad = [item(quantity=-1, order_type="STOP", ticker="000660")]
    found = validate_execution_plan([trade()], bad, {"005930": 70_000}, 100)
    assert [reason.code for reason in found] == ["unknown_trade", "quantity", "order_type"]


@pytest.mark.parametrize(
    ("markets", "rules", "advice", "code"),
    [
        (market(book=None), PlanRules(), [item()], "book_level_missing"),
        (market(book=book(bid=68_500)), PlanRules(), [item()], "collar"),
        (market(), PlanRules(), [item(order_type="MARKET")], "market_not_allowed"),
    ],
)
def test_advice_that_the_market_cannot_grant_is_discarded(markets, rules, advice, code):
    made = plan([trade()], advice, markets, rules)
    assert [reason.code for reason in made.discarded] == [code]
    assert made.plan.planner == "fallback"


def test_parts_advised_alike_become_slices_of_one_leg():
    (leg,) = plan([trade()], [item(quantity=20), item(quantity=30)]).plan.legs
    assert (leg.slices, leg.limit_price, leg.reason) == ((20, 30), 70_000, "ADVISED")


def test_a_planner_that_changes_a_quantity_is_stopped():
    def greedy(trades, markets, rules):
        return plan_by_rules([replace(trades[0], quantity=51)], markets, rules)

    with pytest.raises(RuleViolation) as refused:
        plan_trading_strategy(
            [trade()], market(), greedy, account_id="7", generation=1, targets_hash="t"
        )
    assert refused.value.reasons[0].facts["planned"] == 51


# The hash

LEG = Leg("005930", Side.SELL, 50, OrderType.LIMIT, "CURRENT_BID_1", 70_000, (25, 25), "ADVISED")
PLAN = ExecutionPlan("7", 1, "rules", "t", {"005930": 70_000, "000660": 5}, (LEG,))


@pytest.mark.parametrize(
    "change",
    [
        {"account_id": "8"},
        {"generation": 2},
        {"planner": "gemini"},
        {"targets_hash": "u"},
        {"references": {"005930": 70_100}},
        {"legs": (replace(LEG, slices=(50,)),)},
        {"legs": (replace(LEG, limit_price=70_100),)},
        {"legs": (replace(LEG, price_strategy=None),)},
        {"legs": (replace(LEG, order_type=OrderType.MARKET, limit_price=None),)},
        {"legs": ()},
    ],
)
def test_whatever_decides_what_is_sent_changes_the_hash(change):
    assert replace(PLAN, **change).plan_hash != PLAN.plan_hash


def test_the_hash_does_not_depend_on_how_the_plan_was_put_together():
    again = replace(PLAN, references={"000660": 5, "005930": 70_000})
    assert again.plan_hash == PLAN.plan_hash
    assert len(PLAN.plan_hash) == 64
    assert targets_hash({"A": D("60")}, {}) == targets_hash({"A": D("60.00")}, {})
    assert targets_hash({"A": D("60")}, {}) != targets_hash({"A": D("60.01")}, {})


@pytest.mark.parametrize("value", [1.0, True, None, D(1), [1.5], {"a": {"b": 0.1}}])
def test_canonical_json_takes_whole_numbers_and_strings_only(value):
    with pytest.raises(TypeError):
        canonical_json(value)


@pytest.mark.parametrize(
    "change", [{"slices": (25, 24)}, {"slices": (51, -1)}, {"slices": ()}, {"limit_price": None}]
)
def test_a_leg_that_contradicts_itself_cannot_exist(change):
    with pytest.raises(InputError):
        replace(LEG, **change)


# Shrinking


@pytest.mark.parametrize(
    ("buys", "cash", "expected"),
    [
        ({"A": 10, "B": 3}, 1_000, {"A": 8, "B": 2}),
        ({"A": 3, "B": 10}, 1_000, {"A": 2, "B": 8}),
        ({"A": 10, "B": 10}, 1_500, {"A": 8, "B": 7}),
        ({"A": 10, "B": 10}, 2_000, {"A": 10, "B": 10}),
        ({"A": 10, "B": 10}, 99, {"A": 0, "B": 0}),
    ],
    ids=["A lost most", "B lost most", "equal: the first name", "all of it", "nothing"],
)
def test_the_share_that_rounding_cut_most_is_given_back_first(buys, cash, expected):
    assert adjust_buy_quantities(buys, dict.fromkeys(buys, 100), cash, use=D(1)) == expected


@settings(max_examples=120, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from("ABCDE"), st.tuples(st.integers(0, 100), st.integers(1, 200_000))
    ),
    st.integers(-1_000, 20_000_000),
    st.sampled_from([D(0), D("0.000146527"), D("0.01")]),
)
def test_shrunk_buys_are_never_above_plan_nor_over_cash(buys, cash, fee):
    wanted = {ticker: quantity for ticker, (quantity, _) in buys.items()}
    prices = {ticker: price for ticker, (_, price) in buys.items()}
    adjusted = adjust_buy_quantities(wanted, prices, cash, fee=fee)
    assert adjusted.keys() == wanted.keys()
    assert all(0 <= adjusted[ticker] <= wanted[ticker] for ticker in wanted)
    cost = sum(adjusted[ticker] * prices[ticker] * (1 + fee) for ticker in wanted)
    assert cost <= D("0.99") * max(cash, 0)
    assert adjust_buy_quantities(adjusted, prices, cash, fee=fee) == adjusted
