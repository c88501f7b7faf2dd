"""From snapshot to checked plan: the platform never refuses its own best plan, nor hides a
fault."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import pytest

from benchmarks.rebalance_plan import random_account
from rebalancing.domain.netting import Side
from rebalancing.domain.pipeline import PlanConfig, Snapshot, Targets, make_plan
from rebalancing.domain.validation import Verdict, check_trades, validate_plan
from rebalancing.planners.rules import plan_by_rules
from trading.domain.errors import InputError
from trading.domain.instruments import InstrumentKind

D = Decimal
TARGETS = Targets(
    {"STOCK": D(60), "BOND": D(30), "CASH": D(10)},
    {"STOCK": {"005930": D(50), "000660": D(50)}, "BOND": {"148070": D(100)}},
)
KINDS = {
    "005930": InstrumentKind.KOSPI,
    "000660": InstrumentKind.KOSPI,
    "148070": InstrumentKind.ETF,
    "035720": InstrumentKind.KOSPI,
}
PRICES = {"005930": 70_000, "000660": 180_000, "148070": 110_000, "035720": 40_000}


def account(cash: int = 100_000_000, **change) -> Snapshot:
    base = Snapshot("7", cash, {}, PRICES, KINDS)
    return replace(base, **change)


def run(snapshot: Snapshot, targets: Targets = TARGETS, **config):
    return make_plan(snapshot, targets, PlanConfig(**config), plan_by_rules)


def failed(outcome) -> list[tuple]:
    return [(c.rule, c.ticker) for c in outcome.checks if c.verdict is Verdict.FAIL]


def test_first_funding_reaches_the_targets():
    outcome = run(account())
    assert outcome.ok and not outcome.needs_person
    assert {t.ticker for t in outcome.trades} == {"005930", "000660", "148070"}
    assert {c.rule for c in outcome.checks} == {"V1", "V2", "V3", "V4"}
    assert outcome.plan.plan_hash == run(account()).plan.plan_hash


def test_inside_the_bands_nothing_happens():
    bought = {t.ticker: t.quantity for t in run(account()).trades}
    spent = sum(count * PRICES[ticker] for ticker, count in bought.items())
    outcome = run(account(cash=100_000_000 - spent, holdings=bought))
    assert not outcome.drift.needed
    assert (outcome.trades, outcome.plan, outcome.ok) == ((), None, True)


def test_an_unknown_holding_is_sold_and_sells_come_first():
    outcome = run(account(holdings={"035720": 1_000}))
    legs = outcome.plan.legs
    assert (legs[0].ticker, legs[0].side) == ("035720", Side.SELL)
    assert [leg.side for leg in legs[1:]] == [Side.BUY] * 3


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"prices": {"005930": 70_000}}, ["missing_price", "missing_price"]),
        ({"holdings": {"999999": 1}}, ["missing_price", "missing_kind"]),
        ({"kinds": {}}, ["missing_kind"] * 3),
    ],
)
def test_half_the_facts_are_no_basis_for_a_plan(change, codes):
    with pytest.raises(InputError) as refused:
        run(account(**change))
    assert [reason.code for reason in refused.value.reasons] == codes


ONE_NAME = Targets({"STOCK": D(100)}, {"STOCK": {"005930": D(100)}})


def test_a_large_first_purchase_asks_for_a_person():
    outcome = run(account(), ONE_NAME)
    assert outcome.ok and outcome.needs_person


@pytest.mark.parametrize(
    "holdings", [{"000660": 400}, {"000660": 1}], ids=["large sale and purchase", "not the first"]
)
def test_a_large_trade_of_a_running_account_is_blocked(holdings):
    outcome = run(account(holdings=holdings), ONE_NAME)
    assert ("V3", "005930") in failed(outcome) and not outcome.ok


def test_a_halted_name_blocks_the_plan():
    assert failed(run(account(untradable=frozenset({"000660"})))) == [("V4", "000660")]


def test_a_small_account_gets_the_best_reachable_plan_explained():
    outcome = run(account(cash=1_000_000))
    assert outcome.ok
    weights = {c.ticker: c for c in outcome.checks if c.rule == "V2"}
    assert {c.verdict for c in weights.values()} <= {Verdict.PASS, Verdict.PASS_GRANULAR}
    assert all(
        {"target", "after", "one_share", "reachable"} <= set(c.numbers) for c in weights.values()
    )


def test_a_name_held_back_by_the_filter_passes_with_its_reason():
    outcome = run(account(cash=400_000, holdings={"005930": 7}), min_trade=200_000)
    assert [trade.ticker for trade in outcome.filtered] == ["000660"]
    verdicts = {c.ticker: c.verdict for c in outcome.checks if c.rule == "V2"}
    assert verdicts["000660"] is Verdict.PASS_FILTERED
    assert outcome.ok


@pytest.mark.parametrize("seed", range(60))
def test_the_platform_never_refuses_its_own_best_plan(seed):
    rng = random.Random(seed)
    snapshot, targets, config = random_account(rng, rng.choice([2, 3, 5, 8, 13, 30]))
    shrink = 10 ** rng.uniform(0, 3)
    snapshot = replace(
        snapshot,
        cash=int(snapshot.cash / shrink) + 1,
        holdings={t: int(n / shrink) for t, n in snapshot.holdings.items()},
    )
    config = replace(config, min_trade=rng.choice([0, 10_000, 100_000]))
    outcome = make_plan(snapshot, targets, config, plan_by_rules)
    assert [row for row in failed(outcome) if row[0] != "V3"] == []
    spent = sum(t.signed * t.price for t in outcome.trades)
    assert spent <= snapshot.cash
    for trade in outcome.trades:
        assert snapshot.holdings.get(trade.ticker, 0) + trade.signed >= 0


# The order checks, one by one


def facts_of(outcome, snapshot, **change):
    from rebalancing.domain.validation import PlanFacts

    base = PlanFacts(
        cash=snapshot.cash,
        equity=outcome.drift.equity,
        holdings=snapshot.holdings,
        prices=snapshot.prices,
        weights=TARGETS.weights,
        best_shares=outcome.allocation.shares,
        kinds=snapshot.kinds,
        legs=outcome.plan.legs,
    )
    return replace(base, **change)


def test_a_sound_plan_passes_and_a_spoilt_leg_is_named():
    snapshot = account()
    outcome = run(snapshot)
    sound = facts_of(outcome, snapshot)
    assert all(c.verdict is not Verdict.FAIL for c in validate_plan(outcome.trades, sound))
    first, *rest = outcome.plan.legs
    for spoilt, problem in (
        (replace(first, limit_price=first.limit_price + 1), "limit_off_tick"),
        (replace(first, limit_price=first.limit_price * 2), "limit_outside_collar"),
        (replace(first, quantity=1, slices=(1,)), "legs_do_not_add_up"),
    ):
        checks = validate_plan(outcome.trades, replace(sound, legs=(spoilt, *rest)))
        (bad,) = [c for c in checks if c.verdict is Verdict.FAIL]
        assert (bad.rule, bad.ticker) == ("V4", first.ticker)
        assert problem in bad.numbers["problems"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kinds": {t: k for t, k in KINDS.items() if t != "000660"}}, "unknown_kind"),
        ({"prices": PRICES | {"000660": 0}}, "bad_price"),
        ({"untradable": {"000660"}}, "not_tradable"),
    ],
)
def test_a_name_that_cannot_be_sent_is_named_with_its_problem(change, problem):
    snapshot = account()
    outcome = run(snapshot)
    checks = validate_plan(outcome.trades, facts_of(outcome, snapshot, **change))
    orders = {c.ticker: c for c in checks if c.rule == "V4"}
    assert orders.pop("000660").numbers["problems"] == [problem]
    assert all(check.verdict is Verdict.PASS for check in orders.values())


@pytest.mark.parametrize(
    ("wanted", "verdict"),
    [("005930", Verdict.NEEDS_PERSON), ("148070", Verdict.FAIL)],
    ids=["a target", "no target"],
)
def test_only_a_target_may_be_a_large_first_purchase(wanted, verdict):
    snapshot = account()
    outcome = run(snapshot, ONE_NAME)
    weights = Targets({"STOCK": D(100)}, {"STOCK": {wanted: D(100)}}).weights
    checks = validate_plan(outcome.trades, facts_of(outcome, snapshot, weights=weights))
    assert [c.verdict for c in checks if c.rule == "V3"] == [verdict]


def test_more_than_held_cannot_be_sold():
    snapshot = account(holdings={"035720": 1_000})
    outcome = run(snapshot)
    short = facts_of(outcome, snapshot, holdings={"035720": 999})
    bad = [c for c in validate_plan(outcome.trades, short) if c.verdict is Verdict.FAIL]
    assert ("V4", "035720") in {(c.rule, c.ticker) for c in bad}


def test_cash_must_exceed_the_margin_strictly():
    short = check_trades({"A": 100}, {"A": 10_000}, 1_010_000, 2_010_000, {}, {})
    enough = check_trades({"A": 100}, {"A": 10_000}, 1_010_001, 2_010_001, {}, {})
    assert (short.cash_ok, enough.cash_ok) == (False, True)


def test_advice_for_a_plan_is_taken_or_explained():
    outcome = make_plan(account(), TARGETS, PlanConfig(), plan_by_rules, advice=[])
    assert outcome.plan.planner == "fallback"
    assert {reason.code for reason in outcome.discarded} == {"quantity_mismatch"}
