"""Target beside actual for the MP and each Sub-MP, shaped for bars: percent, band, drift, exceeded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portfolio.domain.allocation import current_allocation, groups_of
from portfolio.domain.drift import calculate_drift
from portfolio.models import TargetDecision
from portfolio.selectors.targets import class_label
from rebalancing.models import RebalancingConfig
from rebalancing.selectors.standing import Standing
from trading.domain.errors import InputError
from trading.domain.targets import CASH, OTHER
from trading.models import Account, Instrument

__all__ = [
    "Gaps",
    "Group",
    "Row",
    "class_name",
    "drift_lines",
    "gaps_of",
    "newest_config",
    "newest_target",
]

_ZERO = Decimal(0)


def newest_target(account: Account) -> TargetDecision | None:
    return (
        TargetDecision.objects.filter(account=account)
        .select_related("model_version__portfolio")
        .first()
    )


def newest_config() -> RebalancingConfig:
    """The newest row, or the defaults without writing them: looking changes nothing."""
    return RebalancingConfig.objects.first() or RebalancingConfig()


def class_name(code: str) -> str:
    return str(_("목표 밖")) if code == OTHER else class_label(code)


def drift_lines(drift: Mapping[str, Any]) -> list[str]:
    """A record of drift, in points: a line of classes, a line of tickers, what was beyond its threshold."""
    classes = [
        f"{class_name(code)} {float(off):+.2f}\N{NO-BREAK SPACE}%p"
        for code, off in drift.get("mp", {}).items()
    ]
    tickers = [
        f"{code} {float(off):+.2f}\N{NO-BREAK SPACE}%p"
        for code, off in drift.get("sub", {}).items()
    ]
    over = [class_name(name) for _level, name in drift.get("triggers", [])]
    lines = [" · ".join(classes), " · ".join(tickers)]
    if over:
        lines.append(gettext("임계값 넘음: %(names)s") % {"names": ", ".join(over)})
    return [line for line in lines if line]


@dataclass(frozen=True, slots=True)
class Row:
    """One class or name. Percents of the account (MP) or of the class (Sub-MP); drift in points."""

    code: str
    name: str
    target: Decimal
    actual: Decimal
    drift: Decimal
    threshold: Decimal
    won: int
    scale: Decimal

    @property
    def exceeded(self) -> bool:
        return abs(self.drift) >= self.threshold - Decimal("1e-9")

    def _x(self, value: Decimal) -> str:
        part = max(_ZERO, min(Decimal(100), 100 * value / self.scale))
        return f"{part:.2f}%"

    @property
    def target_width(self) -> str:
        return self._x(self.target)

    @property
    def actual_width(self) -> str:
        return self._x(self.actual)

    @property
    def band_low(self) -> str:
        return self._x(self.target - self.threshold)

    @property
    def band_high(self) -> str:
        return self._x(self.target + self.threshold)

    @property
    def band_width(self) -> str:
        low = max(_ZERO, self.target - self.threshold)
        return self._x(min(self.scale, self.target + self.threshold) - low)


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one level on one scale: the MP, or one class with its names."""

    code: str
    name: str
    threshold: Decimal
    won: int
    rows: tuple[Row, ...]

    @property
    def scale(self) -> Decimal:
        """Where every bar of the group ends, in percent; the page writes it under the bars."""
        return self.rows[0].scale if self.rows else Decimal(100)

    @property
    def exceeded(self) -> int:
        return sum(row.exceeded for row in self.rows)


@dataclass(frozen=True, slots=True)
class Gaps:
    mp: Group
    subs: tuple[Group, ...]

    @property
    def exceeded(self) -> int:
        return self.mp.exceeded + sum(group.exceeded for group in self.subs)

    @property
    def widest(self) -> Row:
        """The row that is nearest to, or farthest beyond, its threshold."""
        rows = [*self.mp.rows, *(row for group in self.subs for row in group.rows)]
        return max(rows, key=lambda row: abs(row.drift) / row.threshold)


def gaps_of(
    standing: Standing,
    target: TargetDecision,
    config: RebalancingConfig,
    names: Mapping[str, str] | None = None,
) -> Gaps | None:
    """The comparison that a run started now would make; None for an account worth nothing."""
    mp = {name: Decimal(text) for name, text in target.snapshot["mp"].items()}
    sub = {
        name: {ticker: Decimal(text) for ticker, text in tickers.items()}
        for name, tickers in target.snapshot["sub"].items()
    }
    groups = groups_of(mp, sub)
    thresholds = config.mp_threshold_percent, config.sub_mp_threshold_percent
    try:
        report = calculate_drift(
            standing.cash, standing.holdings, standing.prices, groups, mp, sub, *thresholds
        )
        current = current_allocation(standing.cash, standing.holdings, standing.prices, groups, mp)
    except InputError:
        return None
    if names is None:
        names = dict(
            Instrument.objects.filter(ticker__in=[*standing.holdings, *groups]).values_list(
                "ticker", "name"
            )
        )
    mp_rows = [
        (code, class_name(code), mp.get(code, _ZERO), drift, current.classes.get(code, 0))
        for code, drift in report.mp.items()
        if code in mp or current.classes.get(code, 0)
    ]
    order = [code for code in mp if code != CASH] + sorted(set(current.tickers) - set(mp))
    return Gaps(
        mp=_group("MP", "MP", thresholds[0], report.equity, mp_rows),
        subs=tuple(
            _sub_group(code, sub.get(code, {}), current.tickers.get(code, {}), names, thresholds[1])
            for code in order
            if code in sub or current.tickers.get(code)
        ),
    )


def _sub_group(
    code: str,
    targets: Mapping[str, Decimal],
    held: Mapping[str, int],
    names: Mapping[str, str],
    threshold: Decimal,
) -> Group:
    total = sum(held.values())
    rows = []
    for ticker in sorted({*targets, *held}, key=lambda t: (-targets.get(t, _ZERO), t)):
        wish, won = targets.get(ticker, _ZERO), held.get(ticker, 0)
        # an empty class is measured by its class drift alone; a class without targets as well
        drift = Decimal(100 * won) / total - wish if total and code != OTHER else _ZERO
        rows.append((ticker, names.get(ticker, ticker), wish, drift, won))
    return _group(code, class_name(code), threshold, total, rows)


def _group(
    code: str,
    name: str,
    threshold: Decimal,
    won: int,
    rows: list[tuple[str, str, Decimal, Decimal, int]],
) -> Group:
    longest = max((max(t + threshold, t + drift) for _c, _n, t, drift, _w in rows), default=_ZERO)
    tens = (longest / 10).to_integral_value(ROUND_CEILING) * 10
    scale = max(Decimal(10), min(Decimal(100), tens))
    return Group(
        code,
        name,
        threshold,
        won,
        tuple(Row(c, n, t, t + d, d, threshold, w, scale) for c, n, t, d, w in rows),
    )
