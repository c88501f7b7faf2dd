"""Why a name was traded: its share before and as targeted, and which band had been left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rebalancing.models import Run
from rebalancing.selectors.gaps import class_name
from trading.domain.targets import CASH, OTHER

__all__ = ["Why", "why_of", "whys"]

_ZERO = Decimal(0)
Percentages = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Why:
    """Percents of the whole account; drifts in points. `class_drift` and `name_drift` are None where
    the band held, and when both are, the name only moved along with the others."""

    asset_class: str
    now: Decimal
    target: Decimal
    class_now: Decimal
    class_target: Decimal
    class_drift: Decimal | None
    name_drift: Decimal | None

    @property
    def class_name(self) -> str:
        return class_name(self.asset_class)


def whys(
    worth: Mapping[str, int],
    equity: int,
    mp: Percentages,
    sub: Mapping[str, Percentages],
    drift: Mapping[str, Any],
) -> dict[str, Why]:
    """Ticker → why. `worth` is won by ticker; `drift` is the run's own record of drift and triggers."""
    if equity <= 0:
        return {}
    broken = {tuple(trigger) for trigger in drift.get("triggers", [])}
    classes = {ticker: code for code, inside in sub.items() for ticker in inside}
    found = {}
    for ticker in {*worth, *classes}:
        code = classes.get(ticker, OTHER)
        target = mp.get(code, _ZERO) * sub.get(code, {}).get(ticker, _ZERO) / 100
        goal = mp.get(code, _ZERO)
        off = Decimal(str(drift.get("mp", {}).get(code, 0)))
        inside = drift.get("sub", {}).get(ticker)
        found[ticker] = Why(
            code,
            Decimal(100 * worth.get(ticker, 0)) / equity,
            target,
            goal + off,
            goal,
            off if ("MP", code) in broken else None,
            Decimal(str(inside)) if ("SUB", ticker) in broken and inside is not None else None,
        )
    return found


def why_of(run: Run) -> dict[str, Why]:
    """Of a run that looked at the account and knew its target; empty before that."""
    snapshot, target = run.snapshot, run.target
    if snapshot is None or target is None or not run.outcome.get("drift"):
        return {}
    worth = {
        ticker: row["quantity"] * snapshot.quotes[ticker]["last"]
        for ticker, row in snapshot.holdings.items()
        if ticker in snapshot.quotes
    }
    mp = {code: Decimal(text) for code, text in target.snapshot["mp"].items()}
    sub = {
        code: {ticker: Decimal(text) for ticker, text in inside.items()}
        for code, inside in target.snapshot["sub"].items()
        if code != CASH
    }
    return whys(worth, snapshot.cash + sum(worth.values()), mp, sub, run.outcome["drift"])
