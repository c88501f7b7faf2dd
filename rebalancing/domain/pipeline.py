"""From a snapshot and targets to a checked plan: drift, sizes, net trades, legs, verdicts.

Nothing is read and nothing is sent here; the same values give the same plan, to the byte of its
hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from portfolio.domain.allocation import groups_of
from portfolio.domain.drift import (
    DEFAULT_MP_THRESHOLD,
    DEFAULT_SUB_THRESHOLD,
    DriftReport,
    calculate_drift,
)
from portfolio.domain.valuation import calculate_equity
from rebalancing.domain.flows import flow_shares, weights_of
from rebalancing.domain.legs import targets_hash
from rebalancing.domain.netting import (
    DEFAULT_MIN_TRADE,
    FilteredTrades,
    Side,
    Trade,
    apply_minimum_trade_filter,
    calculate_net_trades,
)
from rebalancing.domain.planning import (
    ExecutionPlan,
    Market,
    Planner,
    PlanRules,
    adjust_buy_quantities,
    plan_trading_strategy,
)
from rebalancing.domain.validation import (
    CheckResult,
    PlanFacts,
    is_acceptable,
    needs_person,
    validate_plan,
)
from trading.domain.costs import DEFAULT_COMMISSION, CommissionRates
from trading.domain.errors import InputError, Reason
from trading.domain.instruments import InstrumentKind
from trading.domain.quotes import OrderBook
from trading.domain.sizing import DEFAULT_BUFFER, Allocation, calculate_target_quantities
from trading.domain.targets import TargetWeights, combine_percentages

__all__ = [
    "PlanConfig",
    "PlanOutcome",
    "Snapshot",
    "Targets",
    "make_plan",
    "markets_of",
    "tickers_to_trade",
]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One account at one moment: won, shares, prices in won, and what the market showed.

    `cash` is the orderable cash (D+2, pending sells included). Prices and kinds cover every held
    and every targeted ticker.
    """

    account_id: str
    cash: int
    holdings: Mapping[str, int]
    prices: Mapping[str, int]
    kinds: Mapping[str, InstrumentKind]
    books: Mapping[str, OrderBook] = field(default_factory=dict)
    daily_volumes: Mapping[str, int] = field(default_factory=dict)
    untradable: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Targets:
    """MP % by class and Sub-MP % by class and ticker, already accepted by `validate_targets`."""

    mp: Mapping[str, Decimal]
    sub: Mapping[str, Mapping[str, Decimal]]

    @cached_property
    def weights(self) -> TargetWeights:
        return combine_percentages(self.mp, self.sub)

    @cached_property
    def hash(self) -> str:
        return targets_hash(self.mp, self.sub)


@dataclass(frozen=True, slots=True)
class PlanConfig:
    """The settings of `docs/settings.md` that decide a plan; thresholds in percentage points.

    `inside_bands` trades to the targets although no threshold is reached. `flow` is the won that came
    (+) or went (−): the plan spreads them and trades in no other direction, bands or not.
    """

    mp_threshold: Decimal = DEFAULT_MP_THRESHOLD
    sub_threshold: Decimal = DEFAULT_SUB_THRESHOLD
    min_trade: int = DEFAULT_MIN_TRADE
    buffer: Decimal = DEFAULT_BUFFER
    rules: PlanRules = PlanRules()
    commission: CommissionRates = DEFAULT_COMMISSION
    inside_bands: bool = False
    flow: int = 0

    def calls_for(self, drift: DriftReport) -> bool:
        """Whether there is anything to plan at all."""
        return drift.needed or self.inside_bands or self.flow != 0


@dataclass(frozen=True, slots=True)
class PlanOutcome:
    """Everything a page needs to explain the decision.

    `plan` is None when there is nothing to trade. `ok` means no check failed; with `needs_person`
    it may go out only after a person agreed, whatever the approval policy. `discarded` says why
    advice was not followed.
    """

    drift: DriftReport
    allocation: Allocation | None = None
    trades: tuple[Trade, ...] = ()
    filtered: tuple[Trade, ...] = ()
    plan: ExecutionPlan | None = None
    checks: tuple[CheckResult, ...] = ()
    discarded: tuple[Reason, ...] = ()

    @property
    def ok(self) -> bool:
        return is_acceptable(self.checks)

    @property
    def needs_person(self) -> bool:
        return needs_person(self.checks)


def make_plan(
    snapshot: Snapshot,
    targets: Targets,
    config: PlanConfig,
    planner: Planner,
    *,
    generation: int = 1,
    advice: object = None,
    no_advice: Sequence[Reason] = (),
) -> PlanOutcome:
    """The whole decision. Where `config` calls for nothing there is nothing to do and no plan.

    Raises InputError naming every held or targeted ticker without a price or kind: a plan on half
    the facts would sell what it cannot see.
    """
    _refuse_missing_facts(snapshot, targets.weights)
    drift = calculate_drift(
        snapshot.cash,
        snapshot.holdings,
        snapshot.prices,
        groups_of(targets.mp, targets.sub),
        targets.mp,
        targets.sub,
        config.mp_threshold,
        config.sub_threshold,
    )
    if not config.calls_for(drift):
        return PlanOutcome(drift)
    fees = {ticker: config.commission.of(kind) for ticker, kind in snapshot.kinds.items()}
    aim = _aim(snapshot, targets, config, drift.equity)
    changes = calculate_net_trades(snapshot.holdings, aim.shares)
    wanted = apply_minimum_trade_filter(changes, snapshot.prices, config.min_trade)
    settled = _affordable(wanted, snapshot.cash, fees, config.min_trade)
    planned = None
    if settled.kept:
        planned = plan_trading_strategy(
            settled.kept,
            markets_of(snapshot, settled.kept),
            planner,
            account_id=snapshot.account_id,
            generation=generation,
            targets_hash=targets.hash,
            rules=config.rules,
            advice=advice,
            no_advice=no_advice,
        )
    checks = validate_plan(
        settled.kept,
        PlanFacts(
            cash=snapshot.cash,
            equity=drift.equity,
            holdings=snapshot.holdings,
            prices=snapshot.prices,
            weights=aim.weights,
            best_shares=aim.shares,
            kinds=snapshot.kinds,
            held_back=_held_back(wanted, settled),
            untradable=snapshot.untradable,
            buffer=config.buffer,
            collar=config.rules.collar,
            legs=planned.plan.legs if planned else (),
        ),
    )
    return PlanOutcome(
        drift,
        aim.allocation,
        settled.kept,
        settled.dropped,
        planned.plan if planned else None,
        checks,
        planned.discarded if planned else (),
    )


def tickers_to_trade(snapshot: Snapshot, targets: Targets, config: PlanConfig) -> list[str]:
    """The names `make_plan` will trade, so that their books can be read before it is called."""
    _refuse_missing_facts(snapshot, targets.weights)
    equity = calculate_equity(snapshot.cash, snapshot.holdings, snapshot.prices)
    aim = _aim(snapshot, targets, config, equity)
    changes = calculate_net_trades(snapshot.holdings, aim.shares)
    kept = apply_minimum_trade_filter(changes, snapshot.prices, config.min_trade).kept
    return sorted(trade.ticker for trade in kept)


@dataclass(frozen=True, slots=True)
class _Aim:
    """The shares to hold, the weights they are judged by, and the allocator's account of them."""

    shares: Mapping[str, int]
    weights: TargetWeights
    allocation: Allocation | None = None


def _aim(snapshot: Snapshot, targets: Targets, config: PlanConfig, equity: int) -> _Aim:
    if config.flow:
        shares = flow_shares(
            equity, config.flow, snapshot.holdings, snapshot.prices, targets.weights
        )
        return _Aim(shares, weights_of(shares, snapshot.prices, equity))
    fees = {ticker: config.commission.of(kind) for ticker, kind in snapshot.kinds.items()}
    found = calculate_target_quantities(
        equity, targets.weights, snapshot.prices, buffer=config.buffer, fee=fees
    )
    return _Aim(found.shares, targets.weights, found)


def _affordable(
    wanted: FilteredTrades, cash: int, fees: Mapping[str, Decimal], min_trade: int
) -> FilteredTrades:
    """Shrink the buys where dropped sales bring less cash than the sizes were made for.

    Leaves them as they are in every other case: the allocator keeps the buffer, and 99 % of the
    cash always satisfies V1.
    """
    buys = {trade.ticker: trade.quantity for trade in wanted.kept if trade.side is Side.BUY}
    prices = {trade.ticker: trade.price for trade in wanted.kept}
    proceeds = sum(trade.amount for trade in wanted.kept if trade.side is Side.SELL)
    fitted = adjust_buy_quantities(buys, prices, cash + proceeds, fee=fees)
    if fitted == buys:
        return wanted
    kept, dropped = [], list(wanted.dropped)
    for trade in wanted.kept:
        count = fitted.get(trade.ticker, trade.quantity)
        if count * trade.price >= min_trade or trade.side is Side.SELL:
            smaller = Trade(trade.ticker, trade.side, count, trade.price, count * trade.price)
            kept.append(smaller)
        else:
            dropped.append(trade)
    return FilteredTrades(tuple(kept), tuple(sorted(dropped, key=lambda trade: trade.ticker)))


def _held_back(wanted: FilteredTrades, settled: FilteredTrades) -> frozenset[str]:
    shrunk = {trade.ticker for trade in set(wanted.kept) - set(settled.kept)}
    return frozenset({trade.ticker for trade in settled.dropped} | shrunk)


def markets_of(snapshot: Snapshot, trades: tuple[Trade, ...]) -> dict[str, Market]:
    """What a planner is told of each trade's name."""
    return {
        trade.ticker: Market(
            kind=snapshot.kinds[trade.ticker],
            reference=trade.price,
            book=snapshot.books.get(trade.ticker),
            daily_volume=snapshot.daily_volumes.get(trade.ticker),
        )
        for trade in trades
    }


def _refuse_missing_facts(snapshot: Snapshot, weights: TargetWeights) -> None:
    held = {ticker for ticker, count in snapshot.holdings.items() if count}
    needed = sorted(held | {ticker for ticker, weight in weights.items() if weight})
    reasons = [
        Reason("missing_price", {"ticker": t}) for t in needed if snapshot.prices.get(t, 0) <= 0
    ]
    reasons += [Reason("missing_kind", {"ticker": t}) for t in needed if t not in snapshot.kinds]
    if reasons:
        raise InputError(reasons)
