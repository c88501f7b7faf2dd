"""Drift sums to nothing over the classes, triggers at the edge, and never guesses a price."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.domain.allocation import CurrentAllocation, current_allocation, groups_of
from portfolio.domain.cashflow import allocate_cash_flow
from portfolio.domain.drift import (
    calculate_drift,
    calculate_sub_mp_drift,
    check_threshold_exceeded,
    validate_thresholds,
)
from portfolio.domain.valuation import calculate_equity
from trading.domain.errors import InputError

D = Decimal
MP = {"STOCK": D(60), "BOND": D(30), "CASH": D(10)}
SUB = {"STOCK": {"A": D(50), "B": D(50)}, "BOND": {"C": D(100)}}
GROUPS = groups_of(MP, SUB)
PRICES = {"A": 10_000, "B": 7_130, "C": 33_350, "X": 501}


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from("ABCX"), st.integers(0, 10_000)),
    st.integers(1, 10**10),
)
def test_class_drifts_sum_to_zero_and_inner_drifts_too(holdings, cash):
    report = calculate_drift(cash, holdings, PRICES, GROUPS, MP, SUB)
    assert abs(sum(report.mp.values())) < D("1e-20")
    stock = [points for ticker, points in report.sub.items() if ticker in SUB["STOCK"]]
    assert abs(sum(stock)) < D("1e-20")
    assert report.equity == calculate_equity(cash, holdings, PRICES)
    assert set(report.sub) <= {"A", "B", "C"}


@pytest.mark.parametrize(
    ("points", "triggered"), [("2.99", []), ("3", ["A"]), ("-3", ["A"]), ("2.9999999995", ["A"])]
)
def test_the_threshold_is_inclusive_both_ways(points, triggered):
    assert check_threshold_exceeded({"A": D(points)}, D(3)) == triggered


def test_every_missing_price_is_named():
    with pytest.raises(InputError) as refused:
        calculate_drift(1, {"A": 1, "Y": 2, "X": 3, "Z": 0}, {"A": 5}, GROUPS, MP, SUB)
    assert [reason.facts["ticker"] for reason in refused.value.reasons] == ["X", "Y"]


def test_an_empty_account_has_no_drift_to_speak_of():
    with pytest.raises(InputError):
        calculate_drift(0, {}, {}, GROUPS, MP, SUB)


def test_a_ticker_of_two_classes_is_shared_between_them():
    mp = {"STOCK": D(60), "BOND": D(30), "CASH": D(10)}
    sub = {"STOCK": {"X": D(100)}, "BOND": {"X": D(100)}}
    report = calculate_drift(100, {"X": 90}, {"X": 10}, groups_of(mp, sub), mp, sub)
    assert not report.needed
    spread = current_allocation(0, {"X": 1}, {"X": 10}, groups_of(mp, sub))
    assert spread.classes == {"CASH": 0, "BOND": 3, "STOCK": 7}


@pytest.mark.parametrize(
    ("in_bonds", "shown"), [(10, D(-40)), (55, D(10)), (90, D(40))], ids=["less", "near", "more"]
)
def test_a_ticker_of_two_classes_shows_the_larger_drift_whatever_its_sign(in_bonds, shown):
    tickers = {"STOCK": {"X": 60, "Y": 40}, "BOND": {"X": in_bonds, "Z": 100 - in_bonds}}
    halves = {"STOCK": {"X": D(50), "Y": D(50)}, "BOND": {"X": D(50), "Z": D(50)}}
    current = CurrentAllocation(200, {"STOCK": 100, "BOND": 100}, tickers)
    assert calculate_sub_mp_drift(current, halves)["X"] == shown


@pytest.mark.parametrize(
    ("mp", "sub", "bad"),
    [("0.1", "50", 0), ("0.09", "5", 1), ("3", "50.1", 1), ("NaN", "Infinity", 2)],
)
def test_thresholds(mp, sub, bad):
    assert len(validate_thresholds(D(mp), D(sub))) == bad


@settings(max_examples=60, deadline=None)
@given(st.integers(-3_000_000, 5_000_000), st.integers(0, 300), st.integers(0, 300))
def test_cash_flow_trades_one_way_and_never_past_the_target(flow, a, b):
    holdings, prices = {"A": a, "B": b}, {"A": 10_000, "B": 10_000}
    weights = {"A": D("0.5"), "B": D("0.4")}
    equity = (a + b) * 10_000 + 3_000_000
    amounts = allocate_cash_flow(equity, flow, holdings, prices, weights)
    for ticker, won in amounts.items():
        gap = weights[ticker] * (equity + flow) - holdings[ticker] * prices[ticker]
        assert won * flow > 0
        assert abs(won) <= abs(gap) and won * gap > 0
    assert abs(sum(amounts.values())) <= abs(flow) + D("1e-9")


def test_a_withdrawal_beyond_the_account_is_refused():
    with pytest.raises(InputError):
        allocate_cash_flow(1_000, -1_001, {}, {}, {})
