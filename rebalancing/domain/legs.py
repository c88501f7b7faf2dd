"""The plan that gets approved: legs with their prices and slices, and the hash that names it.

An approval holds for exactly one hash, so everything that decides what is sent stands in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from rebalancing.domain.netting import Side
from trading.domain.errors import InputError, Reason

__all__ = ["ExecutionPlan", "Leg", "OrderType", "canonical_json", "targets_hash"]


class OrderType(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"


@dataclass(frozen=True, slots=True)
class Leg:
    """How one trade, or a part of it, is sent.

    `price_strategy` is resolved again from a fresh book before each slice; None on a LIMIT leg
    means `limit_price` itself is the wish. `limit_price` is the price at planning time, None for
    MARKET. `reason` is a code the page explains. Raises InputError when slices do not add up to the
    quantity.
    """

    ticker: str
    side: Side
    quantity: int
    order_type: OrderType
    price_strategy: str | None
    limit_price: int | None
    slices: tuple[int, ...]
    reason: str

    def __post_init__(self) -> None:
        if sum(self.slices) != self.quantity or min(self.slices, default=0) <= 0:
            facts = {"ticker": self.ticker, "quantity": self.quantity, "slices": self.slices}
            raise InputError(Reason("slices_do_not_add_up", facts))
        if (self.order_type is OrderType.LIMIT) != (self.limit_price is not None):
            raise InputError(Reason("limit_price_does_not_fit_type", {"ticker": self.ticker}))

    def as_json(self) -> dict[str, object]:
        row = {
            "ticker": self.ticker,
            "side": str(self.side),
            "quantity": self.quantity,
            "order_type": str(self.order_type),
            "price_strategy": self.price_strategy,
            "limit_price": self.limit_price,
            "slices": list(self.slices),
            "reason": self.reason,
        }
        return {name: value for name, value in row.items() if value is not None}


@dataclass(frozen=True)
class ExecutionPlan:
    """Sells first, then by ticker. `references` are the prices in won that the plan was made at.

    `planner` is `rules`, `gemini` or `fallback`; `generation` grows when a stale plan is made anew.
    """

    account_id: str
    generation: int
    planner: str
    targets_hash: str
    references: Mapping[str, int]
    legs: tuple[Leg, ...]

    @cached_property
    def canonical(self) -> str:
        return canonical_json(
            {
                "account": self.account_id,
                "generation": self.generation,
                "planner": self.planner,
                "targets": self.targets_hash,
                "references": dict(self.references),
                "legs": [leg.as_json() for leg in self.legs],
            }
        )

    @cached_property
    def plan_hash(self) -> str:
        """Hex SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()


def canonical_json(value: object) -> str:
    """One text for one value: sorted keys, no spaces, whole numbers and strings only.

    Raises TypeError for anything else, so that no float can make two hashes out of one plan.
    """
    _refuse_inexact(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def targets_hash(mp: Mapping[str, Decimal], sub: Mapping[str, Mapping[str, Decimal]]) -> str:
    """Hex SHA-256 of the targets; 60 and 60.00 are the same target."""
    texts = {
        "mp": {name: _plain(share) for name, share in mp.items()},
        "sub": {
            name: {ticker: _plain(share) for ticker, share in tickers.items()}
            for name, tickers in sub.items()
        },
    }
    return hashlib.sha256(canonical_json(texts).encode()).hexdigest()


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _refuse_inexact(value: object) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _refuse_inexact(name)
            _refuse_inexact(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_inexact(inner)
    elif isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"a plan holds whole numbers and strings only, got {value!r}")
