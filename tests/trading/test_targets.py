"""Targets are checked before anybody trades on them, and every fault is named."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trading.domain.errors import InputError
from trading.domain.targets import (
    TargetWeights,
    combine_percentages,
    validate_percentages,
    validate_targets,
)

D = Decimal


def codes(reasons) -> list[str]:
    return [reason.code for reason in reasons]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"A": D("0.6"), "B": D("0.4")}, []),
        ({"A": D(1) / 3, "B": D(1) / 3, "C": D(1) / 3}, []),
        ({"A": D("0.6"), "B": D("0.4000000009")}, []),
        ({"A": D("0.6"), "B": D("0.400000002")}, ["weights_exceed_equity"]),
        ({"A": D("-0.1"), "B": D("Infinity"), "C": 0.5}, ["weight_not_a_fraction"] * 3),
    ],
)
def test_target_weights(weights, expected):
    if not expected:
        assert dict(TargetWeights(weights)) == weights
        return
    with pytest.raises(InputError) as refused:
        TargetWeights(weights)
    assert codes(refused.value.reasons) == expected


def test_combining_multiplies_and_sums_a_ticker_of_two_sub_portfolios():
    mp = {"STOCK": D(60), "BOND": D(30), "CASH": D(10)}
    sub = {"STOCK": {"A": D(50), "X": D(50)}, "BOND": {"B": D(80), "X": D(20)}}
    weights = combine_percentages(mp, sub)
    assert dict(weights) == {"A": D("0.30"), "B": D("0.24"), "X": D("0.36")}
    assert weights.cash == D("0.10")


def test_only_targets_that_hold_less_cash_than_the_buffer_are_scaled():
    full, loose = TargetWeights({"A": D(1)}), TargetWeights({"A": D("0.9")})
    assert full.effective(D("0.01")) == {"A": D("0.99")}
    assert loose.effective(D("0.01")) is loose


@pytest.mark.parametrize(
    ("percentages", "expected"),
    [
        ({"A": D(60), "B": D(40)}, []),
        ({"A": D("33.33"), "B": D("66.67")}, []),
        ({"A": D(0), "B": D("100.00")}, []),
        ({f"T{i}": D(1) for i in range(100)}, []),
        ({}, ["no_weights"]),
        ({"A": D("99.99")}, ["weights_not_100"]),
        ({"A": D(110), "B": D(-10)}, ["weight_above_100", "weight_negative"]),
        ({"A": D("99.999999999"), "B": D("1e-9")}, ["weight_too_fine"] * 2),
        ({"A": D("33.335"), "B": D("66.665")}, ["weight_too_fine"] * 2),
        ({"A": D("NaN"), "B": 50.0, "C": D("Infinity")}, ["weight_not_a_number"] * 3),
        ({f"T{i}": D(1) for i in range(101)}, ["too_many_names", "weights_not_100"]),
    ],
)
def test_percentages_as_typed(percentages, expected):
    assert codes(validate_percentages(percentages, scope="MP")) == expected


@pytest.mark.parametrize(
    ("mp", "sub", "expected"),
    [
        ({"STOCK": D(90), "CASH": D(10)}, {"STOCK": {"005930": D(100)}}, []),
        ({"STOCK": D(90), "CASH": D(10)}, {"STOCK": {"005930": D(100)}, "CASH": {}}, []),
        ({"STOCK": D(0), "CASH": D(100)}, {}, []),
        ({"STOCK": D(90), "CASH": D(10)}, {}, ["class_without_tickers"]),
        ({"CASH": D(100)}, {"CASH": {"005930": D(100)}}, ["cash_has_tickers"]),
        ({"CASH": D(100)}, {"STOCK": {"005930": D(100)}}, ["class_not_in_mp"]),
        ({"STOCK": D(100)}, {"STOCK": {"삼성": D(100)}}, ["bad_ticker"]),
        ({"STOCK": D(100)}, {"STOCK": {"005930": D(99)}}, ["weights_not_100"]),
        ({"OTHER": D(100)}, {"OTHER": {"005930": D(100)}}, ["class_reserved"]),
    ],
)
def test_targets_as_typed(mp, sub, expected):
    assert codes(validate_targets(mp, sub)) == expected
