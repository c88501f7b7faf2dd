"""Only a reply that proves something is a fact; the rest is UNKNOWN."""

from __future__ import annotations

import pytest

from trading.domain.orders import (
    ATTEMPT_TERMINAL,
    INTENT_TERMINAL,
    NEVER_REFUSALS,
    REFUSALS,
    WHITELIST_VERSION,
    AttemptState,
    IntentState,
    Outcome,
    Reply,
    attempt_can_move,
    classify_reply,
    intent_can_move,
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
    assert set(WHITELIST) == REFUSALS
    assert not REFUSALS & NEVER_REFUSALS
    assert WHITELIST_VERSION == "2026-11-1"


@pytest.mark.parametrize("code", WHITELIST)
def test_a_listed_refusal_is_proof(code):
    found = classify_reply("answered", Reply(parsed=True, ok=False, msg_cd=code, message="no"))
    assert (found.kind, found.msg_cd, found.message) == (Outcome.REJECTED, code, "no")
    assert found.provisional
    assert found.token is (code in {"EGW00121", "EGW00122", "EGW00123"})
    assert found.soft is (found.token or code in {"EGW00201", "EGW00215"})


@pytest.mark.parametrize("code", UNKNOWN_ON_PURPOSE)
def test_any_other_refusal_proves_nothing(code):
    found = classify_reply("answered", Reply(parsed=True, ok=False, msg_cd=code))
    assert (found.kind, found.soft, found.token) == (Outcome.UNKNOWN, False, False)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, Outcome.ACKED),
        ({"msg_cd": "40600000"}, Outcome.ACKED),
        ({"order_no": ""}, Outcome.UNKNOWN),
        ({"order_no": "12A"}, Outcome.UNKNOWN),
        ({"order_no": "１２"}, Outcome.UNKNOWN),
        ({"order_no": "0000000000"}, Outcome.UNKNOWN),
        ({"order_time": ""}, Outcome.UNKNOWN),
        ({"order_time": "9:15"}, Outcome.UNKNOWN),
        ({"order_time": "246000"}, Outcome.UNKNOWN),
        ({"order_time": "235959"}, Outcome.ACKED),
        ({"ok": None}, Outcome.UNKNOWN),
        ({"ok": None, "msg_cd": "APBK0918"}, Outcome.UNKNOWN),
        ({"ok": True, "msg_cd": "APBK0918", "order_no": ""}, Outcome.UNKNOWN),
        ({"parsed": False, "ok": False, "msg_cd": "APBK0918"}, Outcome.UNKNOWN),
    ],
)
def test_an_answer(change, kind):
    assert classify_reply("answered", Reply(**(ACCEPTED | change))).kind is kind


def test_transport():
    assert classify_reply("not_sent").kind is Outcome.NOT_SENT
    assert classify_reply("lost").kind is Outcome.UNKNOWN
    assert classify_reply("lost", Reply(**ACCEPTED)).kind is Outcome.UNKNOWN
    assert classify_reply("answered").kind is Outcome.UNKNOWN


N, A = IntentState, AttemptState


def test_terminal_states():
    assert {
        N.VETOED, N.DENIED, N.EXPIRED_APPROVAL, N.REVOKED, N.FILLED, N.CANCELED, N.EXPIRED,
        N.REJECTED, N.REJECTED_LATE, N.ABANDONED, N.SUPERSEDED,
    } == INTENT_TERMINAL  # fmt: skip
    assert {A.ACKED, A.REJECTED, A.NOT_SENT, A.ABSENT} == ATTEMPT_TERMINAL


@pytest.mark.parametrize(
    ("a", "b", "legal"),
    [
        (N.DRAFT, N.CHECKED, True),
        (N.DRAFT, N.AUTHORIZED, False),
        (N.CHECKED, N.AUTHORIZED, True),
        (N.CHECKED, N.ACKED, False),
        (N.AWAITING_APPROVAL, N.AUTHORIZED, True),
        (N.AWAITING_APPROVAL, N.ACKED, False),
        (N.AUTHORIZED, N.ACKED, True),
        (N.AUTHORIZED, N.FILLED, False),
        (N.ACKED, N.AUTHORIZED, False),
        (N.PARTIAL, N.PARTIAL, True),
        (N.PARTIAL, N.ACKED, False),
        (N.CANCELING, N.FILLED, True),
        (N.FILLED, N.CANCELED, False),
        (N.REJECTED, N.AUTHORIZED, False),
    ],
)
def test_intent_moves(a, b, legal):
    assert intent_can_move(a, b) is legal


@pytest.mark.parametrize(
    ("a", "b", "legal"),
    [
        (A.SENDING, A.UNKNOWN, True),
        (A.SENDING, A.ABSENT, False),
        (A.UNKNOWN, A.ACKED, True),
        (A.UNKNOWN, A.ABSENT, True),
        (A.UNKNOWN, A.SENDING, False),
        (A.NOT_SENT, A.SENDING, False),
        (A.ABSENT, A.SENDING, False),
    ],
)
def test_attempt_moves(a, b, legal):
    assert attempt_can_move(a, b) is legal
