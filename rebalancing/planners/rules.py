"""The planner that needs nobody: sell one tick under the best bid, buy one tick over the best ask.

Both are limits, so a thin book costs one tick and not the bottom of the day. A sale goes to market
only where that is allowed and the book is tight and deep enough that it makes no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rebalancing.domain.legs import Leg, OrderType
from rebalancing.domain.liquidity import is_liquid
from rebalancing.domain.netting import Side, Trade
from rebalancing.domain.planning import Market, PlanRules
from rebalancing.domain.pricing import collar_prices, resolve_price
from rebalancing.domain.slicing import split_quantity
from trading.domain.errors import Reason, RuleViolation

__all__ = ["plan_by_rules"]

_STYLE = {Side.SELL: "MINUS_TICKS_1", Side.BUY: "PLUS_TICKS_1"}


def plan_by_rules(
    trades: Sequence[Trade], markets: Mapping[str, Market], rules: PlanRules
) -> tuple[Leg, ...]:
    """One leg per trade, every limit on the tick and inside the collar of the reference price.

    Reason codes: LIQUID_MARKET, BID_MINUS_TICK, ASK_PLUS_TICK, COLLAR_EDGE (the book is outside the
    collar, the limit stands at its edge), NO_BOOK (the limit stands at the reference price). Raises
    RuleViolation naming every trade that has no market data or no usable price.
    """
    legs: list[Leg] = []
    problems: list[Reason] = []
    for trade in trades:
        market = markets.get(trade.ticker)
        made = _leg(trade, market, rules) if market else Reason("no_market_data")
        if isinstance(made, Leg):
            legs.append(made)
        else:
            problems.append(Reason(made.code, made.facts | {"ticker": trade.ticker}))
    if problems:
        raise RuleViolation(problems)
    return tuple(legs)


def _leg(trade: Trade, market: Market, rules: PlanRules) -> Leg | Reason:
    slices = split_quantity(
        trade.quantity, market.daily_volume, share=rules.slice_share, most=rules.max_slices
    )
    order_type, strategy, price, reason = OrderType.LIMIT, None, None, "LIQUID_MARKET"
    tight = is_liquid(trade.quantity, market.book, market.kind)
    if rules.allow_market and trade.side is Side.SELL and tight:
        order_type = OrderType.MARKET
    else:
        limit = _limit(trade.side, market, rules)
        if isinstance(limit, Reason):
            return limit
        strategy, price, reason = limit
    return Leg(
        trade.ticker, trade.side, trade.quantity, order_type, strategy, price, slices, reason
    )


def _limit(side: Side, market: Market, rules: PlanRules) -> tuple[str | None, int, str] | Reason:
    """Price rule, price and reason; the rule is None where the price itself is the wish."""
    strategy, reason = _STYLE[side], "BID_MINUS_TICK" if side is Side.SELL else "ASK_PLUS_TICK"
    price = resolve_price(strategy, side, market.book, market.reference, market.kind)
    if isinstance(price, Reason):
        strategy, reason = "CURRENT_PRICE", "NO_BOOK"
        price = resolve_price(strategy, side, None, market.reference, market.kind)
    if isinstance(price, Reason):
        return price
    low, high = collar_prices(market.reference, rules.collar, market.kind)
    if low > high:
        return Reason("no_price_inside_collar", {"reference": market.reference})
    if not low <= price <= high:
        return None, min(max(price, low), high), "COLLAR_EDGE"
    return strategy, price, reason
