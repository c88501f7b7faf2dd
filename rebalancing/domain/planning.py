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
from rebalancing.domain.netting import Side, Trade
from rebalancing.domain.pricing import (
    DEFAULT_COLLAR,
    PRICE_STRATEGIES,
    is_inside_collar,
    resolve_price,
)
from rebalancing.domain.slicing import MAX_SLICES, SLICE_SHARE
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
    """Limits that every planner works in: collar around the reference, slices, market orders."""

    collar: Decimal = DEFAULT_COLLAR
    slice_share: Decimal = SLICE_SHARE
    max_slices: int = MAX_SLICES
    allow_market: bool = False


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
) -> PlannedStrategy:
    """The plan for `trades`: from `advice` (decoded JSON) where it is sound, else from `planner`.

    Raises RuleViolation when the legs do not add up to the trades, naming each difference: a
    planner that changes quantities is a defect and must not reach the broker.
    """
    discarded: list[Reason] = []
    name, legs = "rules", None
    if advice is not None:
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
    reasons = validate_execution_plan(trades, advice, references, kinds, rules.collar)
    if reasons or not isinstance(advice, list):
        return None, reasons
    parts: dict[tuple, list[int]] = {}
    for item in advice:
        limit = _advised_price(item, markets[item["ticker"]], rules)
        if isinstance(limit, Reason):
            reasons.append(Reason(limit.code, limit.facts | {"ticker": item["ticker"]}))
            continue
        strategy = None if limit is None else item.get("price_strategy")
        key = item["ticker"], Side(item["action"]), OrderType(item["order_type"]), strategy, limit
        parts.setdefault(key, []).append(item["quantity"])
    if reasons:
        return None, reasons
    return tuple(
        Leg(ticker, side, sum(slices), order_type, strategy, limit, tuple(slices), "ADVISED")
        for (ticker, side, order_type, strategy, limit), slices in parts.items()
    ), []


def _advised_price(
    item: Mapping[str, object], market: Market, rules: PlanRules
) -> int | None | Reason:
    """The limit price now, None for a market order, or why the wish cannot be granted."""
    if item["order_type"] == "MARKET":
        return None if rules.allow_market else Reason("market_not_allowed")
    strategy, price = item.get("price_strategy"), item.get("limit_price")
    if isinstance(price, int):
        return price
    side = Side(str(item["action"]))
    resolved = resolve_price(str(strategy), side, market.book, market.reference, market.kind)
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
