"""Money from outside on values: what counts as a flow, and a plan that trades in its direction only."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import pytest

from benchmarks.rebalance_plan import random_account
from rebalancing.domain.flows import flow_shares, outside_flow
from rebalancing.domain.netting import Side
from rebalancing.domain.pipeline import PlanConfig, Snapshot, Targets, make_plan, tickers_to_trade
from rebalancing.planners.rules import plan_by_rules
from tests.rebalancing.test_pipeline import PRICES as SHARE_PRICES
from tests.rebalancing.test_pipeline import account, failed, run

PRICES = {"A": 10_000, "B": 10_000}
WEIGHTS = {"A": Decimal("0.6"), "B": Decimal("0.4")}
HELD = {"A": 70, "B": 30}


@pytest.mark.parametrize(
    ("cash", "shares", "flow"),
    [
        (2_000_000, {}, 2_000_000),
        (-2_000_000, {}, -2_000_000),
        (0, {}, 0),
        (-1_000_000, {"A": 100}, 0),  # bought elsewhere, not booked yet
        (-1_000_000, {"A": 98}, -20_000),  # the same at a price that has fallen since
        (1_000_000, {"A": -100}, 0),  # sold elsewhere
        (0, {"A": 100}, 0),  # shares that came without money
        (500_000, {"A": 100}, 500_000),  # and with some
        (2_000_000, {"A": -100}, 1_000_000),  # a deposit beside a sale
    ],
)
def test_what_a_trade_explains_is_no_flow(cash: int, shares: dict[str, int], flow: int) -> None:
    assert outside_flow(cash, shares, PRICES) == flow


@pytest.mark.parametrize(
    ("equity", "flow", "expected"),
    [
        (1_200_000, 200_000, {"A": 72, "B": 48}),  # 14.9 number 16
        (900_000, -100_000, {"A": 60, "B": 30}),  # 14.9 number 17
        (1_205_000, 205_000, {"A": 72, "B": 48}),  # whole shares never cost more than came
        (895_000, -105_000, {"A": 59, "B": 30}),  # and sales make good at least what went
    ],
)
def test_a_flow_is_spread_over_the_gaps(equity: int, flow: int, expected: dict[str, int]) -> None:
    assert flow_shares(equity, flow, HELD, PRICES, WEIGHTS) == expected


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_for_a_flow_trades_in_its_direction_and_its_own_checks_pass(seed: int) -> None:
    made = random_account(random.Random(seed), names=8)
    snapshot, targets = made[0], made[1]
    equity = snapshot.cash + sum(n * snapshot.prices[t] for t, n in snapshot.holdings.items())
    for flow, side in ((equity // 20, Side.BUY), (-equity // 20, Side.SELL)):
        seen = replace(snapshot, cash=max(0, snapshot.cash + flow))
        outcome = make_plan(seen, targets, PlanConfig(flow=flow), plan_by_rules)
        assert {trade.side for trade in outcome.trades} <= {side}
        assert [c for c in outcome.checks if c.verdict == "FAIL" and c.rule in ("V1", "V2")] == []
        if side is Side.BUY:
            assert sum(trade.amount for trade in outcome.trades) <= flow
        assert {trade.ticker for trade in outcome.trades} <= set(
            tickers_to_trade(seen, targets, PlanConfig(flow=flow))
        )


def _inside_its_bands() -> Snapshot:
    bought = {t.ticker: t.quantity for t in run(account()).trades}
    bought["005930"] -= 10
    spent = sum(count * SHARE_PRICES[ticker] for ticker, count in bought.items())
    return account(cash=100_000_000 - spent, holdings=bought)


def test_bands_hold_a_plan_back_unless_it_is_told_to_go_to_the_targets() -> None:
    seen = _inside_its_bands()
    assert run(seen).plan is None
    told = run(seen, inside_bands=True)
    assert not told.drift.needed and told.plan is not None and failed(told) == []
    assert [(t.ticker, t.side) for t in told.trades] == [("005930", Side.BUY)]


def test_a_deposit_is_invested_although_no_band_is_reached() -> None:
    seen = _inside_its_bands()
    more = replace(seen, cash=seen.cash + 2_000_000)
    assert run(more).plan is None
    told = run(more, flow=2_000_000)
    assert told.plan is not None and {t.side for t in told.trades} == {Side.BUY}


def test_targets_of_nothing_but_cash_leave_a_deposit_where_it_is() -> None:
    told = run(account(), Targets({"CASH": Decimal(100)}, {}), flow=1_000_000)
    assert (told.trades, told.plan) == ((), None)
