"""Judge a plan that somebody else wrote: it may say how, never what.

Whatever the adviser returns, its quantities per ticker and side must equal the trades exactly; any
violation discards the whole plan (`docs/formulas.md` §9).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol, TypeGuard

from rebalancing.domain.netting import Side
from rebalancing.domain.pricing import DEFAULT_COLLAR, PRICE_STRATEGIES, is_inside_collar
from rebalancing.domain.slicing import MAX_SLICES
from trading.domain.errors import Reason
from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import is_on_tick

__all__ = ["Wanted", "validate_execution_plan"]

_FIELDS = ("ticker", "action", "quantity", "order_type")


class Wanted(Protocol):
    """A trade that the plan must carry out in full and without additions."""

    @property
    def ticker(self) -> str: ...
    @property
    def side(self) -> Side: ...
    @property
    def quantity(self) -> int: ...


def validate_execution_plan(
    trades: Iterable[Wanted],
    plan: object,
    ref_price: Mapping[str, int],
    tick: int | Mapping[str, InstrumentKind],
    collar: Decimal = DEFAULT_COLLAR,
) -> list[Reason]:
    """Every ground to discard `plan` (decoded JSON); empty when it may be used.

    `tick` is one tick for all, or the kind of each ticker. Codes: not_a_list, schema, quantity,
    order_type, unknown_trade, price_strategy, tick, collar, slices, and, where every item is sound,
    quantity_mismatch.
    """
    if not isinstance(plan, list):
        return [Reason("not_a_list", {"type": type(plan).__name__})]
    wanted: dict[tuple[str, str], int] = {}
    for trade in trades:
        key = trade.ticker, str(trade.side)
        wanted[key] = wanted.get(key, 0) + trade.quantity
    reasons = []
    for index, item in enumerate(plan):
        reasons += _item_problems(index, item, wanted, ref_price, tick, collar)
    if reasons:
        return reasons
    return _slice_problems(plan) + _quantity_problems(plan, wanted)


def _item_problems(
    index: int,
    item: object,
    wanted: Mapping[tuple[str, str], int],
    ref_price: Mapping[str, int],
    tick: int | Mapping[str, InstrumentKind],
    collar: Decimal,
) -> list[Reason]:
    if not isinstance(item, dict) or not all(name in item for name in _FIELDS):
        return [Reason("schema", {"item": index})]
    if not isinstance(item["ticker"], str) or not isinstance(item["action"], str):
        return [Reason("schema", {"item": index})]
    facts: dict[str, object] = {"item": index, "ticker": item["ticker"]}
    reasons = []
    if (item["ticker"], item["action"]) not in wanted:
        reasons.append(Reason("unknown_trade", facts | {"action": item["action"]}))
    if not _is_whole(item["quantity"]) or item["quantity"] <= 0:
        reasons.append(Reason("quantity", facts | {"quantity": item["quantity"]}))
    if item["order_type"] not in ("MARKET", "LIMIT"):
        reasons.append(Reason("order_type", facts | {"order_type": item["order_type"]}))
    elif item["order_type"] == "LIMIT":
        reasons += _price_problems(item, facts, ref_price, tick, collar)
    return reasons


def _price_problems(
    item: Mapping[str, object],
    facts: dict[str, object],
    ref_price: Mapping[str, int],
    tick: int | Mapping[str, InstrumentKind],
    collar: Decimal,
) -> list[Reason]:
    strategy, price = item.get("price_strategy"), item.get("limit_price")
    reasons = []
    known = isinstance(strategy, str) and strategy in PRICE_STRATEGIES
    if not known and (strategy is not None or price is None):
        reasons.append(Reason("price_strategy", facts | {"price_strategy": strategy}))
    if price is None:
        return reasons
    ticker = str(item["ticker"])
    facts = facts | {"limit_price": price}
    if not _is_whole(price) or not _is_on_grid(price, ticker, tick):
        reasons.append(Reason("tick", facts))
    reference = ref_price.get(ticker, 0)
    if _is_whole(price) and not is_inside_collar(price, reference, collar):
        reasons.append(Reason("collar", facts | {"reference": reference, "collar": collar}))
    return reasons


def _slice_problems(plan: list[dict]) -> list[Reason]:
    counts: dict[tuple[str, str], int] = {}
    for item in plan:
        key = item["ticker"], item["action"]
        counts[key] = counts.get(key, 0) + 1
    return [
        Reason("slices", {"ticker": ticker, "slices": count, "max": MAX_SLICES})
        for (ticker, _), count in sorted(counts.items())
        if count > MAX_SLICES
    ]


def _quantity_problems(plan: list[dict], wanted: Mapping[tuple[str, str], int]) -> list[Reason]:
    planned: dict[tuple[str, str], int] = {}
    for item in plan:
        key = item["ticker"], item["action"]
        planned[key] = planned.get(key, 0) + item["quantity"]
    return [
        Reason(
            "quantity_mismatch",
            {"ticker": key[0], "wanted": count, "planned": planned.get(key, 0)},
        )
        for key, count in sorted(wanted.items())
        if planned.get(key, 0) != count
    ]


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_on_grid(price: int, ticker: str, tick: int | Mapping[str, InstrumentKind]) -> bool:
    if isinstance(tick, int):
        return price > 0 and price % tick == 0
    return ticker in tick and is_on_tick(price, tick[ticker])
