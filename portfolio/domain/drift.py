"""How far the account has moved from its targets, and whether that is far enough to act.

Drift is actual − target in percentage points: + means too much is held. An MP class is measured
against the whole account; a Sub-MP name against its own class, and not at all while the class is
empty, because then the class drift says everything (`docs/formulas.md` §3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from portfolio.domain.allocation import CurrentAllocation, Groups, current_allocation
from trading.domain.errors import InputError, Reason
from trading.domain.targets import CASH, OTHER

__all__ = [
    "DEFAULT_MP_THRESHOLD",
    "DEFAULT_SUB_THRESHOLD",
    "DriftReport",
    "Trigger",
    "calculate_drift",
    "calculate_mp_drift",
    "calculate_sub_mp_drift",
    "check_threshold_exceeded",
    "validate_thresholds",
]

DEFAULT_MP_THRESHOLD = Decimal("3.0")
DEFAULT_SUB_THRESHOLD = Decimal("5.0")
MIN_THRESHOLD, MAX_THRESHOLD = Decimal("0.1"), Decimal(50)
_SLACK = Decimal("1e-9")
"""Exactly 3 points trigger; what division leaves in the last digits must not hide them."""

Percentages = Mapping[str, Decimal]


class Trigger(NamedTuple):
    """A class (`MP`) or ticker (`SUB`) whose drift reached the threshold."""

    level: Literal["MP", "SUB"]
    name: str


@dataclass(frozen=True, slots=True)
class DriftReport:
    """Equity in won, drift in percentage points by class and by ticker, and what it calls for."""

    equity: int
    mp: dict[str, Decimal]
    sub: dict[str, Decimal]
    triggers: tuple[Trigger, ...]

    @property
    def needed(self) -> bool:
        return bool(self.triggers)


def calculate_mp_drift(current: CurrentAllocation, mp: Percentages) -> dict[str, Decimal]:
    """100·V/E − target for every class that is targeted or held. Raises InputError when E ≤ 0."""
    if current.equity <= 0:
        raise InputError(Reason("no_equity", {"equity": current.equity}))
    names = list(dict.fromkeys([*mp, CASH, *sorted(current.classes)]))
    return {
        name: Decimal(100 * current.classes.get(name, 0)) / current.equity
        - mp.get(name, Decimal(0))
        for name in names
    }


def calculate_sub_mp_drift(
    current: CurrentAllocation, sub: Mapping[str, Percentages]
) -> dict[str, Decimal]:
    """100·v/V_class − target for every ticker targeted or held in a class that holds something.

    OTHER has no inner targets: its class drift covers it. A ticker of several classes shows the
    larger of its drifts.
    """
    drift: dict[str, Decimal] = {}
    for asset_class, inside in current.tickers.items():
        total = sum(inside.values())
        if asset_class in (CASH, OTHER) or total <= 0:
            continue
        targets = sub.get(asset_class, {})
        for ticker in sorted({*targets, *inside}):
            actual = Decimal(100 * inside.get(ticker, 0)) / total
            points = actual - targets.get(ticker, Decimal(0))
            drift[ticker] = max(points, drift.get(ticker, points), key=abs)
    return drift


def check_threshold_exceeded(drift: Mapping[str, Decimal], threshold: Decimal) -> list[str]:
    """The names whose drift is at least `threshold` points either way, sorted."""
    return sorted(name for name, points in drift.items() if abs(points) >= threshold - _SLACK)


def calculate_drift(
    cash: int,
    holdings: Mapping[str, int],
    prices: Mapping[str, int],
    groups: Groups,
    mp: Percentages,
    sub: Mapping[str, Percentages],
    mp_threshold: Decimal = DEFAULT_MP_THRESHOLD,
    sub_threshold: Decimal = DEFAULT_SUB_THRESHOLD,
) -> DriftReport:
    """The whole comparison. `groups` gives each known ticker's class; the rest is OTHER, target 0.

    Raises InputError naming every held ticker without a price, or when the account is worth
    nothing.
    """
    current = current_allocation(cash, holdings, prices, groups, mp)
    mp_drift = calculate_mp_drift(current, mp)
    sub_drift = calculate_sub_mp_drift(current, sub)
    triggers = [Trigger("MP", name) for name in check_threshold_exceeded(mp_drift, mp_threshold)]
    triggers += [
        Trigger("SUB", name) for name in check_threshold_exceeded(sub_drift, sub_threshold)
    ]
    return DriftReport(current.equity, mp_drift, sub_drift, tuple(triggers))


def validate_thresholds(mp_threshold: Decimal, sub_threshold: Decimal) -> list[Reason]:
    """Every ground to refuse the two settings: each a finite Decimal from 0.1 to 50 points."""
    limits = {"min": MIN_THRESHOLD, "max": MAX_THRESHOLD}
    return [
        Reason("threshold_out_of_range", {"name": name, "value": value} | limits)
        for name, value in (("mp", mp_threshold), ("sub_mp", sub_threshold))
        if not (
            isinstance(value, Decimal)
            and value.is_finite()
            and MIN_THRESHOLD <= value <= MAX_THRESHOLD
        )
    ]
