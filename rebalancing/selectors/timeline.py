"""Where a run is, as eight steps that a person recognises, with the time each was reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from rebalancing.domain.states import TERMINAL, RunState
from rebalancing.models import Run
from trading.models import Transition

__all__ = ["Step", "steps_of", "stopped_by", "transitions_of"]

_S = RunState
_STEPS: tuple[tuple[str, object, frozenset[RunState]], ...] = (
    ("look", _("조회"), frozenset({_S.CREATED, _S.SNAPSHOT})),
    ("compare", _("비교"), frozenset({_S.TARGETS, _S.DRIFT})),
    ("plan", _("계획·점검"), frozenset({_S.NETTED, _S.PLANNED, _S.RULES, _S.STALE})),
    ("approve", _("승인"), frozenset({_S.AWAITING_APPROVAL, _S.APPROVED})),
    ("sell", _("매도"), frozenset({_S.SELLING, _S.SELL_WAIT})),
    ("cash", _("현금 확인"), frozenset({_S.CASH_CONFIRM, _S.BUY_RESIZE, _S.BUY_RULES})),
    ("buy", _("매수"), frozenset({_S.BUYING, _S.BUY_WAIT})),
    ("close", _("마감"), frozenset({_S.FINAL_RECON})),
)
_FINISHED = frozenset({_S.COMPLETED, _S.COMPLETED_WITH_SHORTFALL})
_HELD = frozenset({_S.PAUSED_UNKNOWN, _S.PAUSED_EXTERNAL, _S.HALTED})


@dataclass(frozen=True, slots=True)
class Step:
    """`status` is done, now, held, stopped or ahead."""

    code: str
    name: object
    status: str
    at: datetime | None


def transitions_of(run: Run) -> list[Transition]:
    return list(Transition.objects.filter(object_type="run", object_id=run.pk).order_by("id"))


def stopped_by(run: Run, transitions: Sequence[Transition]) -> str:
    """Who ended a run before its plan was done: `switch`, `person`, or nobody ("")."""
    if run.state not in TERMINAL or run.state == _S.COMPLETED:
        return ""
    if run.end_reason == "trading_stopped" or any(t.to_state == _S.HALTED for t in transitions):
        return "switch"
    if run.stop_requested == "person" or run.end_reason == "canceled_by_person":
        return "person"
    return ""


def steps_of(run: Run, transitions: Sequence[Transition]) -> list[Step]:
    """The eight steps of the newest generation. A run that ended early is `stopped` where it ended,
    and what it never did stays empty although its books were closed."""
    place, status = _place(run, transitions)
    times: dict[int, datetime] = {}
    for row in transitions:
        index = _index(row.to_state)
        if index is not None:
            if row.to_state == _S.SNAPSHOT:
                times = {}  # a new generation starts over
            times.setdefault(index, row.at)
            if row.to_state == _S.APPROVED:
                times[index] = row.at  # the decision, not the beginning of the wait for it
    steps = [
        Step(
            code, name, _status(index, place, status), times.get(index) if index <= place else None
        )
        for index, (code, name, _states) in enumerate(_STEPS)
    ]
    if run.state in _FINISHED and stopped_by(run, transitions):
        return _cut(steps)
    return steps


def _cut(steps: list[Step]) -> list[Step]:
    """A stopped run closes its books without having done every step before that."""
    last = max((i for i, step in enumerate(steps[:-1]) if step.at is not None), default=0)
    stopped = [
        replace(step, status="stopped" if i == last else step.status if step.at else "ahead")
        for i, step in enumerate(steps[:-1])
    ]
    return [*stopped, steps[-1]]


def _index(state: str) -> int | None:
    return next((i for i, (_c, _n, states) in enumerate(_STEPS) if state in states), None)


def _place(run: Run, transitions: Sequence[Transition]) -> tuple[int, str]:
    if run.state in _FINISHED:
        return len(_STEPS), "done"
    here = _index(run.state)
    if here is not None:
        return here, "now"
    passed = [_index(row.from_state) for row in transitions]
    last = next((i for i in reversed(passed) if i is not None), 0)
    if run.state == _S.NO_ACTION:
        return last, "done"
    if run.state in TERMINAL:
        return last, "stopped"
    return last, "held" if run.state in _HELD else "now"


def _status(index: int, place: int, status: str) -> str:
    if index < place:
        return "done"
    return status if index == place else "ahead"
