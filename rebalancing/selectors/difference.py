"""A plan beside the plan that the rules made of the same trades: what advice changed, leg by leg."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rebalancing.domain.advice_states import AdviceState
from rebalancing.models import Advice, Leg, Run
from rebalancing.selectors.advice_view import ADVICE_NAMES, Way, way_of

__all__ = ["Difference", "LegDifference", "advice_by_run", "difference_of"]


@dataclass(frozen=True, slots=True)
class LegDifference:
    """One leg: how the rules would send it and how this plan does. `ruled` is None where the rules'
    plan was not kept."""

    side: str
    ticker: str
    name: str
    quantity: int
    ruled: Way | None
    planned: Way
    note: str

    @property
    def differs(self) -> bool:
        return self.ruled is not None and self.ruled != self.planned


@dataclass(frozen=True, slots=True)
class Difference:
    """All legs of a plan that advice was wanted for. `reasons` say why the advice was not followed."""

    pairs: tuple[LegDifference, ...]
    state: object
    followed: bool
    reasons: tuple[dict[str, Any], ...] = ()

    @property
    def differing(self) -> int:
        return sum(pair.differs for pair in self.pairs)


def advice_by_run(runs: Iterable[Run]) -> dict[int, Advice]:
    """The advice of each run's newest plan, in one question."""
    wanted = {run.pk: run.generation for run in runs if run.wants_advice}
    if not wanted:
        return {}
    rows = Advice.objects.filter(run__in=wanted).defer("request", "response")
    return {row.run_id: row for row in rows if row.generation == wanted[row.run_id]}


def difference_of(run: Run, legs: Sequence[Leg], advice: Advice | None) -> Difference | None:
    """None where the rules alone made the plan: there is nothing to tell apart."""
    if not run.wants_advice or advice is None:
        return None
    ruled = {(row["ticker"], row["side"]): row for row in advice.rules}
    notes = {(i.get("ticker"), i.get("action")): str(i.get("note", "")) for i in advice.items}
    return Difference(
        tuple(_pair(leg, ruled, notes) for leg in legs),
        ADVICE_NAMES[AdviceState(advice.state)],
        run.planner == Run.Planner.GEMINI,
        tuple(advice.reasons),
    )


def _pair(leg: Leg, ruled: dict[Any, Any], notes: dict[Any, str]) -> LegDifference:
    key = (leg.instrument_id, leg.side)
    row = ruled.get(key)
    return LegDifference(
        leg.side,
        leg.instrument_id,
        leg.instrument.name,
        leg.quantity,
        _way(row) if row else None,
        way_of(leg.order_type, leg.price_strategy, leg.limit_price, leg.slices),
        notes.get(key, ""),
    )


def _way(row: dict[str, Any]) -> Way:
    return way_of(
        row["order_type"], row.get("price_strategy"), row.get("limit_price"), row["slices"]
    )
