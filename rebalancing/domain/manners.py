"""How a trade is sent, in a type that cannot say what is traded.

A `Manner` has no ticker, no side and no number of shares: those are the trade's own, whoever wrote the
advice. Advice that is not for exactly these trades never becomes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rebalancing.domain.advice import validate_execution_plan
from rebalancing.domain.legs import OrderType
from rebalancing.domain.netting import Trade
from rebalancing.domain.pricing import DEFAULT_COLLAR
from trading.domain.errors import Reason
from trading.domain.instruments import InstrumentKind

__all__ = ["Manner", "read_manners"]


@dataclass(frozen=True, slots=True)
class Manner:
    """Order type, price rule or price, and the proportions of one to five parts in their order."""

    order_type: OrderType
    price_strategy: str | None
    limit_price: int | None
    proportions: tuple[int, ...]


def read_manners(
    trades: Sequence[Trade],
    advice: object,
    references: Mapping[str, int],
    kinds: Mapping[str, InstrumentKind],
    collar: Decimal = DEFAULT_COLLAR,
) -> tuple[Manner, ...] | list[Reason]:
    """One manner per trade, in the order of `trades`, or every ground to discard `advice` whole.

    Items of one trade are its parts. They must be alike in type and price (mixed_manner otherwise): two
    prices for one name are two wishes, and only one of them can have the cash.
    """
    reasons = validate_execution_plan(trades, advice, references, kinds, collar)
    if reasons or not isinstance(advice, list):
        return reasons
    manners = []
    for trade in trades:
        items = [i for i in advice if (i["ticker"], i["action"]) == (trade.ticker, trade.side)]
        wishes = {_wish(item) for item in items}
        if len(wishes) > 1:
            reasons.append(Reason("mixed_manner", {"ticker": trade.ticker}))
            continue
        proportions = tuple(item["quantity"] for item in items)
        manners.append(Manner(*wishes.pop(), proportions))
    return reasons or tuple(manners)


def _wish(item: Mapping[str, object]) -> tuple[OrderType, str | None, int | None]:
    kind = OrderType(str(item["order_type"]))
    if kind is OrderType.MARKET:
        return kind, None, None
    strategy, price = item.get("price_strategy"), item.get("limit_price")
    return (
        kind,
        strategy if isinstance(strategy, str) else None,
        price if isinstance(price, int) else None,
    )
