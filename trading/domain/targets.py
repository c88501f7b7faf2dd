"""What a portfolio should consist of: a fraction of equity for each ticker, checked once.

Intent, strategies and the strategist all speak in `TargetWeights`; one piece of code (`sizing`)
turns them into shares. What is not in the weights is cash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from trading.domain.errors import InputError, Reason
from trading.domain.instruments import is_ticker

__all__ = [
    "CASH",
    "MAX_NAMES",
    "OTHER",
    "TargetWeights",
    "combine_percentages",
    "validate_percentages",
    "validate_targets",
]

CASH = "CASH"
"""The asset class that has no instruments: it is the orderable cash."""
OTHER = "OTHER"
"""The asset class of whatever is held and belongs to no class; its target is 0."""
MAX_NAMES = 100
_SLACK = Decimal("1e-9")
_HUNDRED = Decimal(100)
_STEP = Decimal("0.01")

Percentages = Mapping[str, Decimal]


class TargetWeights(Mapping[str, Decimal]):
    """Ticker → fraction of equity; what is missing to 1 is cash. Cannot change once made.

    Raises InputError listing every weight that is not a finite Decimal ≥ 0, and a sum above 1 (with
    1e-9 of slack for fractions that come from division).
    """

    __slots__ = ("_weights",)

    def __init__(self, weights: Mapping[str, Decimal]) -> None:
        reasons = [
            Reason("weight_not_a_fraction", {"ticker": ticker, "weight": weight})
            for ticker, weight in sorted(weights.items())
            if not _is_amount(weight)
        ]
        total = Decimal(0) if reasons else sum(weights.values(), Decimal(0))
        if total > 1 + _SLACK:
            reasons.append(Reason("weights_exceed_equity", {"total": total}))
        if reasons:
            raise InputError(reasons)
        self._weights = dict(sorted(weights.items()))

    def __getitem__(self, ticker: str) -> Decimal:
        return self._weights[ticker]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)

    def __hash__(self) -> int:
        return hash(tuple(self._weights.items()))

    def __repr__(self) -> str:
        return f"TargetWeights({self._weights})"

    @property
    def cash(self) -> Decimal:
        """The fraction that stays in cash; never below zero."""
        return max(Decimal(0), 1 - sum(self._weights.values(), Decimal(0)))

    def effective(self, buffer: Decimal) -> TargetWeights:
        """The weights within reach: scaled by (1 − buffer) where less cash than that is left.

        A plan never spends the last `buffer` of the account, so a fully invested target is out of
        reach by exactly that much (`docs/formulas.md` §7).
        """
        if self.cash >= buffer:
            return self
        return TargetWeights({t: weight * (1 - buffer) for t, weight in self._weights.items()})


def combine_percentages(mp: Percentages, sub: Mapping[str, Percentages]) -> TargetWeights:
    """MP % of each class times Sub-MP % inside it, as fractions of equity.

    A ticker that stands in two Sub-MPs gets the sum. CASH has no tickers and becomes what is left.
    Says nothing about input that a person typed: that is `validate_targets`. Raises InputError as
    `TargetWeights` does.
    """
    fractions: dict[str, Decimal] = {}
    for asset_class, share in mp.items():
        for ticker, inner in sub.get(asset_class, {}).items():
            if asset_class != CASH:
                part = share * inner / (_HUNDRED * _HUNDRED)
                fractions[ticker] = fractions.get(ticker, Decimal(0)) + part
    return TargetWeights(fractions)


def validate_percentages(percentages: Percentages, *, scope: str) -> list[Reason]:
    """Every ground to refuse one list of percentages as typed; `scope` names the list in each.

    A list has 1 to 100 names, each a Decimal from 0 to 100 in steps of 0.01, summing to exactly
    100.
    """
    if not percentages:
        return [Reason("no_weights", {"scope": scope})]
    reasons = []
    if len(percentages) > MAX_NAMES:
        facts: dict[str, object] = {"scope": scope, "names": len(percentages), "max": MAX_NAMES}
        reasons.append(Reason("too_many_names", facts))
    unreadable = False
    for name, value in sorted(percentages.items()):
        facts = {"scope": scope, "name": name, "value": value}
        if not isinstance(value, Decimal) or not value.is_finite():
            unreadable = True
            reasons.append(Reason("weight_not_a_number", facts))
        elif value < 0:
            reasons.append(Reason("weight_negative", facts))
        elif value > _HUNDRED:
            reasons.append(Reason("weight_above_100", facts))
        elif value % _STEP:
            reasons.append(Reason("weight_too_fine", facts | {"step": _STEP}))
    total = None if unreadable else sum(percentages.values(), Decimal(0))
    if total is not None and total != _HUNDRED:
        reasons.append(Reason("weights_not_100", {"scope": scope, "total": total}))
    return reasons


def validate_targets(mp: Percentages, sub: Mapping[str, Percentages]) -> list[Reason]:
    """Every ground to refuse an MP with its Sub-MPs as typed: the lists, their names, their fit."""
    reasons = validate_percentages(mp, scope="MP")
    if OTHER in mp:
        reasons.append(Reason("class_reserved", {"class": OTHER}))
    for asset_class in sorted(sub):
        if asset_class == CASH:
            if sub[CASH]:
                reasons.append(Reason("cash_has_tickers", {"tickers": sorted(sub[CASH])}))
            continue
        if asset_class not in mp:
            reasons.append(Reason("class_not_in_mp", {"class": asset_class}))
        reasons += validate_percentages(sub[asset_class], scope=asset_class)
        reasons += [
            Reason("bad_ticker", {"class": asset_class, "ticker": ticker})
            for ticker in sorted(sub[asset_class])
            if not is_ticker(ticker)
        ]
    reasons += [
        Reason("class_without_tickers", {"class": asset_class, "share": share})
        for asset_class, share in sorted(mp.items())
        if asset_class not in sub and asset_class != CASH and _is_amount(share) and share > 0
    ]
    names = {ticker for tickers in sub.values() for ticker in tickers}
    if len(names) > MAX_NAMES:
        reasons.append(
            Reason("too_many_names", {"scope": "all", "names": len(names), "max": MAX_NAMES})
        )
    return reasons


def _is_amount(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_finite() and value >= 0
