"""The rebalancing goldens: each case goes through the functions that pages and commands use."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portfolio.domain.cashflow import allocate_cash_flow
from portfolio.domain.drift import calculate_drift
from rebalancing.domain.netting import apply_minimum_trade_filter, calculate_net_trades
from rebalancing.domain.planning import adjust_buy_quantities
from rebalancing.domain.validation import check_trades
from tests.golden.cases import decimals, exact, golden_cases
from trading.domain.sizing import calculate_target_quantities

OBJECTIVE = 1e-9


def nonzero(values: dict) -> dict:
    return {name: float(value) for name, value in values.items() if value}


@pytest.mark.parametrize("case", golden_cases("rebalance", "allocate:"))
def test_allocation_is_as_good_as_the_optimum(case):
    given, expected = case["input"], case["expect"]
    allocation = calculate_target_quantities(
        exact(given["equity"]),
        decimals(given["weights"]),
        exact(given["prices"]),
        buffer=Decimal(str(given["buffer"])),
        fee=Decimal(str(given["fee"])),
    )
    best = expected["milp_objective"]
    assert float(allocation.objective) <= best + max(5e-4, 0.05 * best)
    assert given["equity"] - allocation.cash_left <= allocation.budget
    assert allocation.shares.keys() == expected["shares"].keys()
    if allocation.shares == expected["shares"]:
        assert float(allocation.objective) == pytest.approx(expected["objective"], abs=OBJECTIVE)
        if "cash_left" in expected:
            assert allocation.cash_left == expected["cash_left"]


@pytest.mark.parametrize("case", golden_cases("rebalance", "drift:"))
def test_drift(case):
    given, expected = case["input"], case["expect"]
    report = calculate_drift(
        exact(given["cash"]),
        given["holdings"],
        exact(given["prices"]),
        given["groups"],
        decimals(given["mp"]),
        {name: decimals(tickers) for name, tickers in given["sub"].items()},
        Decimal(str(given["mp_threshold"])),
        Decimal(str(given["sub_threshold"])),
    )
    assert report.equity == expected["equity"]
    assert nonzero(report.mp) == pytest.approx(nonzero(expected["mp"]), abs=1e-9)
    assert nonzero(report.sub) == pytest.approx(nonzero(expected["sub"]), abs=1e-9)
    assert report.needed is expected["needed"]
    assert [list(trigger) for trigger in report.triggers] == expected["triggers"]


@pytest.mark.parametrize("case", golden_cases("rebalance", "net:"))
def test_netting(case):
    given = case["input"]
    changes = calculate_net_trades(given["current"], given.get("sub_targets", given["target"]))
    kept = apply_minimum_trade_filter(changes, exact(given["prices"]), given["min_amount"]).kept
    assert {trade.ticker: trade.signed for trade in kept} == case["expect"]


@pytest.mark.parametrize("case", golden_cases("rebalance", "validate:"))
def test_validation(case):
    given, expected = case["input"], case["expect"]
    checks = check_trades(
        given["trades"],
        exact(given["prices"]),
        exact(given["cash"]),
        exact(given["equity"]),
        given["holdings"],
        decimals(given["target_weights"]),
    )
    assert checks.cash_ok is expected["cash_ok"]
    assert checks.cash_available == expected["cash_available"]
    assert float(checks.cash_required) == expected["cash_required"]
    assert checks.weights == expected["weights"]
    assert list(checks.anomalies) == sorted(expected["anomalies"])
    assert checks.ok is expected["ok"]


@pytest.mark.parametrize("case", golden_cases("rebalance", "scale_buys:"))
def test_buys_shrink_to_the_cash(case):
    given = case["input"]
    adjusted = adjust_buy_quantities(
        given["buys"],
        exact(given["prices"]),
        exact(given["cash"]),
        use=Decimal(str(given["use"])),
        fee=Decimal(str(given["fee"])),
    )
    assert adjusted == case["expect"]


@pytest.mark.parametrize("case", golden_cases("rebalance", "cash_flow:"))
def test_cash_flow(case):
    given = case["input"]
    amounts = allocate_cash_flow(
        exact(given["equity"]),
        exact(given["flow"]),
        given["holdings"],
        exact(given["prices"]),
        decimals(given["weights"]),
    )
    assert nonzero(amounts) == pytest.approx(case["expect"], abs=1e-6)
