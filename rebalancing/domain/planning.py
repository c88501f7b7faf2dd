"""Turn fixed trades into a plan of how to send them, and shrink buys to the cash that really came.

Advice may choose order types, price rules and slices. Advice that breaks a rule is dropped whole
and the deterministic planner is used; the plan says which of the two made it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from rebalancing.domain.advice import validate_execution_plan
from rebalancing.domain.legs import ExecutionPlan, Leg, OrderType, canonical_json, targets_hash
from rebalancing.domain.liquidity import is_liquid
from rebalancing.domain.manners import Manner, read_manners
from rebalancing.domain.netting import Side, Trade
from rebalancing.domain.pricing import (
    DEFAULT_COLLAR,
    PRICE_STRATEGIES,
    is_inside_collar,
    resolve_price,
)
from rebalancing.domain.slicing import MAX_SLICES, SLICE_SHARE, split_by
from trading.domain.errors import Reason, RuleViolation
from trading.domain.instruments import InstrumentKind
from trading.domain.quotes import OrderBook

__all__ = [
    "PRICE_STRATEGIES",
    "ExecutionPlan",
    "Leg",
    "Market",
    "OrderType",
    "PlanRules",
    "PlannedStrategy",
    "Planner",
    "adjust_buy_quantities",
    "canonical_json",
    "plan_trading_strategy",
    "resolve_price",
    "targets_hash",
    "validate_execution_plan",
]

DEFAULT_CASH_USE = Decimal("0.99")


@dataclass(frozen=True, slots=True)
class Market:
    """What a planner knows of one name: price in won, book, average daily volume in shares.

    `daily_volume` None means unknown, and the order is not sliced.
    """

    kind: InstrumentKind
    reference: int
    book: OrderBook | None = None
    daily_volume: int | None = None


@dataclass(frozen=True, slots=True)
class PlanRules:
    """Limits that every planner works in: collar around the reference, slices, market orders.

    With `advised_market` a sale may go to market because an adviser says so, where the book is tight and
    deep; `allow_market` is for every planner and, for an adviser, without that condition.
    """

    collar: Decimal = DEFAULT_COLLAR
    slice_share: Decimal = SLICE_SHARE
    max_slices: int = MAX_SLICES
    allow_market: bool = False
    advised_market: bool = False


DEFAULT_RULES = PlanRules()


class Planner(Protocol):
    """Decides how trades are sent; must carry out each of them in full."""

    def __call__(
        self, trades: Sequence[Trade], markets: Mapping[str, Market], rules: PlanRules
    ) -> tuple[Leg, ...]: ...


@dataclass(frozen=True, slots=True)
class PlannedStrategy:
    """The plan, and why advice was not followed (empty when it was, or none was given)."""

    plan: ExecutionPlan
    discarded: tuple[Reason, ...] = ()


def plan_trading_strategy(
    trades: Sequence[Trade],
    markets: Mapping[str, Market],
    planner: Planner,
    *,
    account_id: str,
    generation: int,
    targets_hash: str,
    rules: PlanRules = DEFAULT_RULES,
    advice: object = None,
    adviser: str = "gemini",
    no_advice: Sequence[Reason] = (),
) -> PlannedStrategy:
    """The plan for `trades`: from `advice` (decoded JSON) where it is sound, else from `planner`.

    `no_advice` says why an adviser that was wanted gave none: the plan is then a fallback too. Raises
    RuleViolation when the legs do not add up to the trades, naming each difference: a planner that
    changes quantities is a defect and must not reach the broker.
    """
    discarded = list(no_advice)
    name, legs = "fallback" if discarded else "rules", None
    if advice is not None and not discarded:
        legs, discarded = _legs_from_advice(trades, advice, markets, rules)
        name = "fallback" if discarded else adviser
    if legs is None:
        legs = planner(trades, markets, rules)
    _refuse_changed_quantities(trades, legs)
    plan = ExecutionPlan(
        account_id=account_id,
        generation=generation,
        planner=name,
        targets_hash=targets_hash,
        references={trade.ticker: trade.price for trade in trades},
        legs=tuple(sorted(legs, key=lambda leg: (leg.side is Side.BUY, leg.ticker))),
    )
    return PlannedStrategy(plan, tuple(discarded))


def adjust_buy_quantities(
    buys: Mapping[str, int],
    prices: Mapping[str, int],
    cash: int,
    *,
    use: Decimal = DEFAULT_CASH_USE,
    fee: Decimal | Mapping[str, Decimal] = Decimal(0),
) -> dict[str, int]:
    """Shares to buy now that `cash` won is what there is; never more than planned, never over cash.

    f = use·cash / Σ q·p·(1+fee). From 1 on the buys stay; below it each becomes floor(q·f), and one
    more share goes to the names with the largest fraction cut off (ties: ticker), once each, while
    it fits into use·cash (`docs/formulas.md` §8). Zero quantities stay listed.
    """
    cost = {t: prices[t] * (1 + Fraction(_fee_of(fee, t))) for t in sorted(buys)}
    usable = Fraction(use) * max(cash, 0)
    total = sum((buys[t] * won for t, won in cost.items()), Fraction(0))
    if total <= usable:
        return {t: buys[t] for t in cost}
    wished = {t: buys[t] * usable / total for t in cost}
    adjusted = {t: wish.__floor__() for t, wish in wished.items()}
    left = usable - sum((adjusted[t] * won for t, won in cost.items()), Fraction(0))
    for ticker in sorted(cost, key=lambda t: (adjusted[t] - wished[t], t)):
        if adjusted[ticker] < buys[ticker] and cost[ticker] <= left:
            adjusted[ticker] += 1
            left -= cost[ticker]
    return adjusted


def _fee_of(fee: Decimal | Mapping[str, Decimal], ticker: str) -> Decimal:
    return fee.get(ticker, Decimal(0)) if isinstance(fee, Mapping) else fee


def _legs_from_advice(
    trades: Sequence[Trade], advice: object, markets: Mapping[str, Market], rules: PlanRules
) -> tuple[tuple[Leg, ...] | None, list[Reason]]:
    references = {trade.ticker: trade.price for trade in trades}
    kinds = {ticker: market.kind for ticker, market in markets.items()}
    manners = read_manners(trades, advice, references, kinds, rules.collar)
    if isinstance(manners, list):
        return None, manners
    legs, reasons = [], []
    for trade, manner in zip(trades, manners, strict=True):
        made = _carry_out(trade, manner, markets[trade.ticker], rules)
        if isinstance(made, Leg):
            legs.append(made)
        else:
            reasons.append(Reason(made.code, made.facts | {"ticker": trade.ticker}))
    return (None, reasons) if reasons else (tuple(legs), [])


def _carry_out(trade: Trade, manner: Manner, market: Market, rules: PlanRules) -> Leg | Reason:
    """The whole of `trade`, sent as `manner` says, or why that cannot be granted."""
    limit = _advised_price(trade, manner, market, rules)
    if isinstance(limit, Reason):
        return limit
    return Leg(
        trade.ticker,
        trade.side,
        trade.quantity,
        manner.order_type,
        manner.price_strategy,
        limit,
        split_by(trade.quantity, manner.proportions),
        "ADVISED",
    )


def _advised_price(
    trade: Trade, manner: Manner, market: Market, rules: PlanRules
) -> int | None | Reason:
    """The limit price now, None for a market order, or why the wish cannot be granted."""
    if manner.order_type is OrderType.MARKET:
        tight = is_liquid(trade.quantity, market.book, market.kind)
        granted = rules.advised_market and trade.side is Side.SELL and tight
        return None if rules.allow_market or granted else Reason("market_not_allowed")
    if manner.limit_price is not None:
        return manner.limit_price
    resolved = resolve_price(
        str(manner.price_strategy), trade.side, market.book, market.reference, market.kind
    )
    if isinstance(resolved, Reason) or is_inside_collar(resolved, market.reference, rules.collar):
        return resolved
    return Reason("collar", {"price": resolved, "reference": market.reference})


def _refuse_changed_quantities(trades: Sequence[Trade], legs: Sequence[Leg]) -> None:
    planned: dict[tuple[str, Side], int] = {}
    for leg in legs:
        planned[leg.ticker, leg.side] = planned.get((leg.ticker, leg.side), 0) + leg.quantity
    wanted = {(trade.ticker, trade.side): trade.quantity for trade in trades}
    if planned != wanted:
        raise RuleViolation(
            [
                Reason(
                    "planner_changed_quantity",
                    {
                        "ticker": key[0],
                        "side": str(key[1]),
                        "wanted": wanted.get(key, 0),
                        "planned": planned.get(key, 0),
                    },
                )
                for key in sorted({*planned, *wanted})
                if planned.get(key, 0) != wanted.get(key, 0)
            ]
        )
