"""Only a reply that proves something is a fact; the rest is UNKNOWN."""

from __future__ import annotations

import pytest

from trading.domain.orders import (
    ATTEMPT_MOVES,
    HALTING_CODES,
    INTENT_MOVES,
    INTENT_TERMINAL,
    NEVER_WHITELISTED,
    REJECT_CODES,
    WHITELIST_VERSION,
    AttemptState,
    IntentState,
    Reply,
    classify_reply,
)

ACCEPTED = {"parsed": True, "ok": True, "order_no": "0000117057", "order_time": "091500"}

WHITELIST = [
    "APBK0400",
    "APBK0656",
    "APBK0918",
    "APBK0919",
    "APBK0952",
    "APBK1234",
    "APBK1664",
    "APBK0506",
    "APBK0344",
    "APBK1058",
    "APBK0634",
    "40100000",
    "40570000",
    "40580000",
    "40310000",
    "40330000",
    "KIER3672",
    "EGW00101",
    "EGW00102",
    "EGW00103",
    "EGW00104",
    "EGW00105",
    "EGW00121",
    "EGW00122",
    "EGW00123",
    "EGW00131",
    "EGW00132",
    "EGW00201",
    "EGW00206",
    "EGW00207",
    "EGW00208",
    "EGW00213",
    "EGW00215",
    "EGW02004",
]

UNKNOWN_ON_PURPOSE = [
    "EGW00001",
    "EGW00002",
    "EGW00003",
    "EGW00202",
    "EGW00203",
    "EGW00300",
    "EGW00301",
    "EGW00302",
    "EGW00316",
    "EGW00133",
    "EGW00205",
    "OPSQ0001",
    "OPSQ0002",
    "OPSQ2000",
    "OPSQ2001",
    "IGW00001",
    "APBK1663",
    "APBK1999",
    "APBK9999",
    "apbk0918",
] + [""]


def test_the_whitelist_is_exactly_the_reviewed_one():
    assert set(WHITELIST) == set(REJECT_CODES)
    assert not set(REJECT_CODES) & NEVER_WHITELISTED
    assert WHITELIST_VERSION == "2026-11-20"


def test_a_refusal_of_keys_address_or_environment_is_one_that_stops_the_account():
    assert (
        set(WHITELIST) & {"EGW00103", "EGW00105", "EGW00206", "EGW00207", "EGW00213", "EGW02004"}
        == HALTING_CODES
    )


@pytest.mark.parametrize("code", WHITELIST)
def test_a_listed_refusal_is_proof(code):
    found = classify_reply("answered", Reply(parsed=True, ok=False, msg_cd=code, message="no"))
    assert found.state is AttemptState.REJECTED
    assert found.code is not None
    assert found.code.token is (code in {"EGW00121", "EGW00122", "EGW00123"})
    assert found.code.soft is (found.code.token or code in {"EGW00201", "EGW00215"})


@pytest.mark.parametrize("code", UNKNOWN_ON_PURPOSE)
def test_any_other_refusal_proves_nothing(code):
    found = classify_reply("answered", Reply(parsed=True, ok=False, msg_cd=code))
    assert (found.state, found.code) == (AttemptState.UNKNOWN, None)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, AttemptState.ACKED),
        ({"msg_cd": "40600000"}, AttemptState.ACKED),
        ({"order_no": ""}, AttemptState.UNKNOWN),
        ({"order_no": "12A"}, AttemptState.UNKNOWN),
        ({"order_no": "１２"}, AttemptState.UNKNOWN),
        ({"order_no": "0000000000"}, AttemptState.UNKNOWN),
        ({"order_time": ""}, AttemptState.UNKNOWN),
        ({"order_time": "9:15"}, AttemptState.UNKNOWN),
        ({"order_time": "246000"}, AttemptState.UNKNOWN),
        ({"order_time": "235959"}, AttemptState.ACKED),
        ({"ok": None}, AttemptState.UNKNOWN),
        ({"ok": None, "msg_cd": "APBK0918"}, AttemptState.UNKNOWN),
        ({"ok": True, "msg_cd": "APBK0918", "order_no": ""}, AttemptState.UNKNOWN),
        ({"parsed": False, "ok": False, "msg_cd": "APBK0918"}, AttemptState.UNKNOWN),
    ],
)
def test_an_answer(change, kind):
    assert classify_reply("answered", Reply(**(ACCEPTED | change))).state is kind


def test_transport():
    assert classify_reply("not_sent", Reply(parsed=False)).state is AttemptState.NOT_SENT
    assert classify_reply("lost", Reply(parsed=False)).state is AttemptState.UNKNOWN
    assert classify_reply("lost", Reply(**ACCEPTED)).state is AttemptState.UNKNOWN
    assert classify_reply("answered", Reply(parsed=False)).state is AttemptState.UNKNOWN


N, A = IntentState, AttemptState


def test_terminal_states_have_no_exit_but_the_soft_one():
    exits = {state for state in INTENT_TERMINAL if INTENT_MOVES.get(state)}
    assert exits == {N.REJECTED}
    assert INTENT_MOVES[N.REJECTED] == {N.AUTHORIZED}
    assert {A.REJECTED, A.NOT_SENT, A.ABSENT} == set(A) - set(ATTEMPT_MOVES)


@pytest.mark.parametrize(
    ("a", "b", "legal"),
    [
        (N.DRAFT, N.CHECKED, True),
        (N.DRAFT, N.AUTHORIZED, False),
        (N.CHECKED, N.AUTHORIZED, True),
        (N.AWAITING_APPROVAL, N.ACKED, False),
        (N.AUTHORIZED, N.SENDING, True),
        (N.AUTHORIZED, N.ACKED, False),
        (N.SENDING, N.UNKNOWN, True),
        (N.UNKNOWN, N.AUTHORIZED, False),
        (N.UNKNOWN, N.SENDING, False),
        (N.ACKED, N.AUTHORIZED, False),
        (N.PARTIAL, N.ACKED, False),
        (N.CANCELING, N.FILLED, True),
        (N.FILLED, N.SENDING, False),
        (A.SENDING, A.UNKNOWN, True),
        (A.SENDING, A.ABSENT, False),
        (A.UNKNOWN, A.ACKED, True),
        (A.UNKNOWN, A.SENDING, False),
        (A.ACKED, A.UNKNOWN, True),
        (A.ACKED, A.ABSENT, False),
        (N.PARTIAL, N.UNKNOWN, False),
        (A.NOT_SENT, A.SENDING, False),
        (A.ABSENT, A.SENDING, False),
    ],
)
def test_moves(a, b, legal):
    table = INTENT_MOVES if isinstance(a, IntentState) else ATTEMPT_MOVES
    assert (b in table.get(a, ())) is legal
