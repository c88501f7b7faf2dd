"""The life of a rebalancing run: which step may follow which, and where it ends.

Source: journey 1 of `docs/architecture.md`. One function per question; the database decides which move wins.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["BEFORE_SELLING", "TERMINAL", "TRANSITIONS", "RunState", "can_move", "can_resume"]


class RunState(StrEnum):
    CREATED = "CREATED"
    SNAPSHOT = "SNAPSHOT"
    TARGETS = "TARGETS"
    DRIFT = "DRIFT"
    NO_ACTION = "NO_ACTION"
    NETTED = "NETTED"
    PLANNED = "PLANNED"
    RULES = "RULES"
    VETOED = "VETOED"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    DENIED = "DENIED"
    APPROVAL_EXPIRED = "APPROVAL_EXPIRED"
    STALE = "STALE"
    APPROVED = "APPROVED"
    SELLING = "SELLING"
    SELL_WAIT = "SELL_WAIT"
    CASH_CONFIRM = "CASH_CONFIRM"
    BUY_RESIZE = "BUY_RESIZE"
    BUY_RULES = "BUY_RULES"
    BUYING = "BUYING"
    BUY_WAIT = "BUY_WAIT"
    FINAL_RECON = "FINAL_RECON"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_SHORTFALL = "COMPLETED_WITH_SHORTFALL"
    HALTED = "HALTED"
    PAUSED_UNKNOWN = "PAUSED_UNKNOWN"
    PAUSED_EXTERNAL = "PAUSED_EXTERNAL"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


_S = RunState

TERMINAL = frozenset(
    {
        _S.NO_ACTION,
        _S.VETOED,
        _S.DENIED,
        _S.APPROVAL_EXPIRED,
        _S.COMPLETED,
        _S.COMPLETED_WITH_SHORTFALL,
        _S.FAILED,
        _S.CANCELED,
    }
)

BEFORE_SELLING = frozenset(
    {
        _S.CREATED,
        _S.SNAPSHOT,
        _S.TARGETS,
        _S.DRIFT,
        _S.NETTED,
        _S.PLANNED,
        _S.RULES,
        _S.AWAITING_APPROVAL,
        _S.STALE,
        _S.APPROVED,
    }
)
"""Nothing has been sent: the run may still be canceled, or fail without consequences."""

_SENDING = (
    _S.SELLING,
    _S.SELL_WAIT,
    _S.CASH_CONFIRM,
    _S.BUY_RESIZE,
    _S.BUY_RULES,
    _S.BUYING,
    _S.BUY_WAIT,
)
_PAUSES = frozenset({_S.PAUSED_UNKNOWN, _S.PAUSED_EXTERNAL})

_STEPS: dict[RunState, frozenset[RunState]] = {
    _S.CREATED: frozenset({_S.SNAPSHOT}),
    _S.SNAPSHOT: frozenset({_S.TARGETS}),
    _S.TARGETS: frozenset({_S.DRIFT}),
    _S.DRIFT: frozenset({_S.NO_ACTION, _S.NETTED}),
    # Every trade may turn out too small to be worth its cost.
    _S.NETTED: frozenset({_S.PLANNED, _S.NO_ACTION}),
    _S.PLANNED: frozenset({_S.RULES}),
    _S.RULES: frozenset({_S.VETOED, _S.AWAITING_APPROVAL}),
    _S.AWAITING_APPROVAL: frozenset({_S.APPROVED, _S.DENIED, _S.APPROVAL_EXPIRED, _S.STALE}),
    _S.STALE: frozenset({_S.SNAPSHOT}),
    _S.APPROVED: frozenset({_S.SELLING, _S.STALE}),
    _S.SELLING: frozenset({_S.SELL_WAIT}),
    _S.SELL_WAIT: frozenset({_S.CASH_CONFIRM}),
    _S.CASH_CONFIRM: frozenset({_S.BUY_RESIZE}),
    _S.BUY_RESIZE: frozenset({_S.BUY_RULES}),
    _S.BUY_RULES: frozenset({_S.BUYING}),
    _S.BUYING: frozenset({_S.BUY_WAIT}),
    _S.BUY_WAIT: frozenset({_S.FINAL_RECON}),
    _S.HALTED: frozenset({_S.FINAL_RECON}),
    _S.FINAL_RECON: frozenset({_S.COMPLETED, _S.COMPLETED_WITH_SHORTFALL}),
    # A person resumes or closes; `can_resume` says which of these fits the step it was paused in.
    _S.PAUSED_UNKNOWN: frozenset({*_SENDING, _S.FINAL_RECON}),
    _S.PAUSED_EXTERNAL: frozenset({*_SENDING, _S.STALE, _S.FINAL_RECON}),
}


def _moves(state: RunState) -> frozenset[RunState]:
    moves = set(_STEPS.get(state, frozenset()))
    if state in TERMINAL:
        return frozenset()
    if state not in (_S.HALTED, _S.FINAL_RECON):
        moves.add(_S.HALTED)
    if state in BEFORE_SELLING:
        moves |= {_S.CANCELED, _S.FAILED, _S.PAUSED_EXTERNAL}
    if state in _SENDING:
        # The day can end in any of these: what was done is counted and reported.
        moves |= {_S.FINAL_RECON, *_PAUSES}
    if state is _S.FINAL_RECON:
        moves |= _PAUSES
    if state in _PAUSES:
        moves |= _PAUSES - {state}
    return frozenset(moves)


TRANSITIONS: dict[RunState, frozenset[RunState]] = {state: _moves(state) for state in RunState}


def can_move(a: RunState, b: RunState) -> bool:
    """True when a run in `a` may be moved to `b`. Staying is not a move."""
    return b in TRANSITIONS[a]


def can_resume(paused_in: RunState, b: RunState) -> bool:
    """True when a run that was paused while in `paused_in` may go on with `b`.

    Once orders may be out: the same step, or closing. Before: only a new generation (STALE), so
    that a pause is never a way around the approval.
    """
    if paused_in in BEFORE_SELLING:
        return b is RunState.STALE
    return b in (paused_in, RunState.FINAL_RECON) and paused_in in (*_SENDING, RunState.FINAL_RECON)
