"""A run moves only forward, stops where it must, and never around its approval."""

from __future__ import annotations

import pytest

from rebalancing.domain.states import (
    BEFORE_SELLING,
    TERMINAL,
    TRANSITIONS,
    RunState,
    can_move,
    can_resume,
)

S = RunState
HAPPY = [
    "CREATED",
    "SNAPSHOT",
    "TARGETS",
    "DRIFT",
    "NETTED",
    "PLANNED",
    "RULES",
    "AWAITING_APPROVAL",
    "APPROVED",
    "SELLING",
    "SELL_WAIT",
    "CASH_CONFIRM",
    "BUY_RESIZE",
    "BUY_RULES",
    "BUYING",
    "BUY_WAIT",
    "FINAL_RECON",
    "COMPLETED",
]


def test_the_happy_path():
    assert all(can_move(S(a), S(b)) for a, b in zip(HAPPY, HAPPY[1:], strict=False))


def test_terminal_states_are_final_and_every_other_state_can_reach_one():
    assert {state for state, moves in TRANSITIONS.items() if not moves} == TERMINAL
    for state in RunState:
        seen, frontier = {state}, {state}
        while frontier:
            frontier = {b for a in frontier for b in TRANSITIONS[a]} - seen
            seen |= frontier
        assert seen & TERMINAL


@pytest.mark.parametrize("state", sorted(set(RunState) - TERMINAL - {S.HALTED, S.FINAL_RECON}))
def test_the_kill_switch_reaches_every_running_state(state):
    assert can_move(state, S.HALTED)


@pytest.mark.parametrize(
    ("a", "b", "legal"),
    [
        (S.AWAITING_APPROVAL, S.STALE, True),
        (S.APPROVED, S.STALE, True),
        (S.STALE, S.SNAPSHOT, True),
        (S.SELLING, S.STALE, False),
        (S.SELLING, S.SNAPSHOT, False),
        (S.AWAITING_APPROVAL, S.SELLING, False),
        (S.RULES, S.APPROVED, False),
        (S.PLANNED, S.CANCELED, True),
        (S.SELLING, S.CANCELED, False),
        (S.RULES, S.FAILED, True),
        (S.SELL_WAIT, S.FAILED, False),
        (S.SELL_WAIT, S.PAUSED_UNKNOWN, True),
        (S.CASH_CONFIRM, S.FINAL_RECON, True),
        (S.HALTED, S.FINAL_RECON, True),
        (S.HALTED, S.SELLING, False),
        (S.PAUSED_EXTERNAL, S.APPROVED, False),
        (S.FINAL_RECON, S.COMPLETED_WITH_SHORTFALL, True),
        (S.DRIFT, S.NO_ACTION, True),
    ],
)
def test_moves(a, b, legal):
    assert can_move(a, b) is legal


def test_a_pause_before_selling_resumes_with_a_new_generation_only():
    for state in BEFORE_SELLING:
        assert [b for b in RunState if can_resume(state, b)] == [S.STALE]
    assert {b for b in RunState if can_resume(S.BUYING, b)} == {S.BUYING, S.FINAL_RECON}
    assert not can_resume(S.COMPLETED, S.SELLING)
