"""Sizing stays inside the budget, close to the optimum, and does not care about the order of
names."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.rebalance_plan import exact_objective
from trading.domain.errors import InputError
from trading.domain.instruments import InstrumentKind
from trading.domain.lots import Lots, fill_lots
from trading.domain.price_grid import round_to_tick
from trading.domain.sizing import MAX_EQUITY, calculate_target_quantities

BUFFER = Decimal("0.01")


@st.composite
def portfolios(draw):
    names = draw(st.integers(1, 12))
    raw = draw(st.lists(st.integers(0, 1000), min_size=names, max_size=names))
    total = max(sum(raw), 1)
    weights = {f"T{i:02}": Decimal(value * 9999 // total) / 10_000 for i, value in enumerate(raw)}
    prices = {ticker: draw(st.integers(1, 900_000)) for ticker in weights}
    equity = draw(st.integers(1, 2_000_000_000))
    fee = draw(st.sampled_from([Decimal(0), Decimal("0.000140527"), Decimal("0.003")]))
    return equity, weights, prices, fee


@settings(max_examples=150, deadline=None)
@given(portfolios())
def test_never_spends_more_than_the_budget_and_buys_nothing_unwanted(portfolio):
    equity, weights, prices, fee = portfolio
    allocation = calculate_target_quantities(equity, weights, prices, buffer=BUFFER, fee=fee)
    spent = sum(n * prices[t] * (1 + Fraction(fee)) for t, n in allocation.shares.items())
    assert spent <= equity * (1 - Fraction(BUFFER))
    assert allocation.shares.keys() == weights.keys()
    for ticker, count in allocation.shares.items():
        wanted = Fraction(weights[ticker]) * equity
        assert 0 <= count * prices[ticker] < wanted + prices[ticker] or count == 0
        assert weights[ticker] > 0 or count == 0
    miss = sum(
        abs(n * prices[t] - Fraction(weights[t]) * equity) for t, n in allocation.shares.items()
    )
    assert abs(Fraction(allocation.objective) - miss / equity) < Fraction(1, 10**20)


@settings(max_examples=30, deadline=None)
@given(portfolios(), st.randoms())
def test_the_order_of_the_names_changes_nothing(portfolio, rng):
    equity, weights, prices, fee = portfolio
    names = list(weights)
    rng.shuffle(names)
    shuffled = {t: weights[t] for t in names}, {t: prices[t] for t in reversed(names)}
    assert calculate_target_quantities(
        equity, weights, prices, fee=fee
    ) == calculate_target_quantities(equity, *shuffled, fee=fee)


def random_portfolio(rng: random.Random, names: int):
    equity = int(10 ** rng.uniform(6, 9.3))
    raw = [rng.random() ** rng.choice([1, 3]) for _ in range(names)]
    invested = rng.choice([1, 1, 1, 0.95, 0.9, rng.random()])
    weights = {
        f"T{i:03}": Decimal(int(value / sum(raw) * invested * 10_000)) / 10_000
        for i, value in enumerate(raw)
    }
    prices = {
        ticker: round_to_tick(int(10 ** rng.uniform(3, 6)), "down", InstrumentKind.KOSPI)
        for ticker in weights
    }
    return equity, weights, prices


@pytest.mark.parametrize("names", [2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 75, 100])
def test_comes_as_close_as_promised_to_the_exact_optimum(names):
    pytest.importorskip("scipy")
    rng = random.Random(names)
    for _ in range(5):
        equity, weights, prices = random_portfolio(rng, names)
        allocation = calculate_target_quantities(equity, weights, prices, buffer=BUFFER)
        best = exact_objective(equity, weights, prices, BUFFER)
        assert float(allocation.objective) <= best + max(5e-4, 0.05 * best)


@pytest.mark.parametrize("names", [150, 500])
def test_many_names_come_close_to_the_bound_of_the_relaxed_problem(names):
    equity, weights, prices = random_portfolio(random.Random(names), names)
    lots = Lots(
        prices=list(prices.values()),
        costs=list(prices.values()),
        targets=[int(weight * equity) for weight in weights.values()],
        budget=equity * 99 // 100,
        scale=equity,
    )
    assert lots.gap(fill_lots(lots)) <= lots.promise


def test_a_shortage_is_shared_in_proportion_and_empties_nobody():
    weights = {f"T{i:03}": Decimal("0.01") for i in range(100)}
    prices = dict.fromkeys(weights, 1_000)
    shares = calculate_target_quantities(100_000_000, weights, prices, buffer=BUFFER).shares
    assert set(shares.values()) == {990}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"equity": 0}, "equity_out_of_range"),
        ({"equity": MAX_EQUITY + 1}, "equity_out_of_range"),
        ({"buffer": Decimal(1)}, "buffer_out_of_range"),
        ({"weights": {"A": Decimal("-0.1")}}, "weight_out_of_range"),
        ({"weights": {"A": Decimal("NaN")}}, "weight_out_of_range"),
        ({"prices": {}}, "missing_price"),
        ({"prices": {"A": 0}}, "bad_price"),
        ({"prices": {"A": 10.5}}, "bad_price"),
        ({"fee": Decimal("-0.01")}, "fee_out_of_range"),
    ],
)
def test_refuses_bad_input_by_name(change, code):
    sound = {"equity": 1_000_000, "weights": {"A": Decimal("0.5")}, "prices": {"A": 10_000}}
    assert calculate_target_quantities(**sound).shares == {"A": 50}
    with pytest.raises(InputError) as refused:
        calculate_target_quantities(**(sound | change))
    assert [reason.code for reason in refused.value.reasons] == [code]


def test_lists_every_missing_price_at_once():
    weights = {"A": Decimal("0.5"), "B": Decimal("0.2"), "C": Decimal("0.1"), "D": Decimal(0)}
    with pytest.raises(InputError) as refused:
        calculate_target_quantities(1_000_000, weights, {"A": 10_000})
    assert [reason.facts["ticker"] for reason in refused.value.reasons] == ["B", "C"]
