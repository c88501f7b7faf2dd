"""The life of an intent and of an attempt, and what a broker's reply to a POST proves.

Two machines: an intent is a wish, an attempt is one POST. Their legal moves are tables here; the
database's triggers are generated from the same tables. A reply is classified by data: what is not
proven accepted, refused or unsent is UNKNOWN.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

__all__ = [
    "ATTEMPT_MOVES",
    "AttemptState",
    "Classification",
    "INTENT_MOVES",
    "INTENT_TERMINAL",
    "IntentState",
    "NEVER_WHITELISTED",
    "REJECT_CODES",
    "RejectCode",
    "Reply",
    "WHITELIST_VERSION",
    "classify_reply",
]


class IntentState(StrEnum):
    DRAFT = "DRAFT"
    CHECKED = "CHECKED"
    VETOED = "VETOED"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    DENIED = "DENIED"
    EXPIRED_APPROVAL = "EXPIRED_APPROVAL"
    AUTHORIZED = "AUTHORIZED"
    REVOKED = "REVOKED"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    ACKED = "ACKED"
    PARTIAL = "PARTIAL"
    FILLED = "FILLED"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    REJECTED_LATE = "REJECTED_LATE"
    ABANDONED = "ABANDONED"
    SUPERSEDED = "SUPERSEDED"


_S = IntentState

INTENT_MOVES: dict[IntentState, frozenset[IntentState]] = {
    _S.DRAFT: frozenset({_S.CHECKED, _S.VETOED, _S.REVOKED}),
    _S.CHECKED: frozenset({_S.AWAITING_APPROVAL, _S.AUTHORIZED, _S.VETOED, _S.REVOKED}),
    _S.AWAITING_APPROVAL: frozenset({_S.AUTHORIZED, _S.DENIED, _S.EXPIRED_APPROVAL, _S.REVOKED}),
    _S.AUTHORIZED: frozenset({_S.SENDING, _S.VETOED, _S.REVOKED, _S.SUPERSEDED}),
    _S.SENDING: frozenset({_S.AUTHORIZED, _S.REJECTED, _S.UNKNOWN, _S.ACKED, _S.REVOKED}),
    _S.UNKNOWN: frozenset({_S.ACKED, _S.ABANDONED, _S.SUPERSEDED}),
    _S.ACKED: frozenset(
        {
            _S.PARTIAL,
            _S.FILLED,
            _S.CANCELING,
            _S.CANCELED,
            _S.EXPIRED,
            _S.REJECTED_LATE,
            _S.UNKNOWN,
        }
    ),
    _S.PARTIAL: frozenset({_S.FILLED, _S.CANCELING, _S.CANCELED, _S.EXPIRED}),
    _S.CANCELING: frozenset({_S.CANCELED, _S.FILLED, _S.EXPIRED, _S.ACKED, _S.PARTIAL}),
    _S.REJECTED: frozenset({_S.AUTHORIZED}),
}
"""REJECTED → AUTHORIZED is the soft exit: the broker proved it took nothing and may be asked again.
ACKED → UNKNOWN takes back a number that the broker's list shows to be another order's."""

INTENT_TERMINAL = frozenset(
    {
        _S.VETOED,
        _S.DENIED,
        _S.EXPIRED_APPROVAL,
        _S.REVOKED,
        _S.FILLED,
        _S.CANCELED,
        _S.EXPIRED,
        _S.REJECTED,
        _S.REJECTED_LATE,
        _S.ABANDONED,
        _S.SUPERSEDED,
    }
)


class AttemptState(StrEnum):
    SENDING = "SENDING"
    ACKED = "ACKED"
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"
    ABSENT = "ABSENT"


_A = AttemptState

ATTEMPT_MOVES: dict[AttemptState, frozenset[AttemptState]] = {
    _A.SENDING: frozenset({_A.ACKED, _A.REJECTED, _A.NOT_SENT, _A.UNKNOWN}),
    _A.UNKNOWN: frozenset({_A.ACKED, _A.ABSENT}),
    _A.ACKED: frozenset({_A.UNKNOWN}),
}


@dataclass(frozen=True, slots=True)
class RejectCode:
    """A code that proves the order engine took nothing.

    `soft`: the same wish may be sent again in a new attempt. `token`: renew the token first.
    `enumerate_first`: one complete look at the order list before that. `provisional` until captured on
    an account of our own: each occurrence is verified by one enumeration.
    """

    soft: bool = False
    token: bool = False
    enumerate_first: bool = False
    provisional: bool = True


WHITELIST_VERSION = "2026-11-20"

_SOFT = RejectCode(soft=True)
_TOKEN = RejectCode(soft=True, token=True)
_FINAL = RejectCode()

REJECT_CODES: dict[str, RejectCode] = {
    # refused by the order engine
    "APBK0344": _FINAL,
    "APBK0400": _FINAL,
    "APBK0506": _FINAL,
    "APBK0634": _FINAL,
    "APBK0656": _FINAL,
    "APBK0918": _FINAL,
    "APBK0919": _FINAL,
    "APBK0952": _FINAL,
    "APBK1058": _FINAL,
    "APBK1234": _FINAL,
    "APBK1664": _FINAL,
    "KIER3672": _FINAL,
    # the mock environment's refusals
    "40100000": _FINAL,
    "40310000": _FINAL,
    "40330000": _FINAL,
    "40570000": _FINAL,
    "40580000": _FINAL,
    # refused by the gateway before it chose a route
    "EGW00101": _FINAL,
    "EGW00102": _FINAL,
    "EGW00103": _FINAL,
    "EGW00104": _FINAL,
    "EGW00105": _FINAL,
    "EGW00131": _FINAL,
    "EGW00132": _FINAL,
    "EGW00206": _FINAL,
    "EGW00207": _FINAL,
    "EGW00208": _FINAL,
    "EGW00213": _FINAL,
    "EGW02004": _FINAL,
    "EGW00121": _TOKEN,
    "EGW00122": _TOKEN,
    "EGW00123": _TOKEN,
    "EGW00201": _SOFT,
    "EGW00215": RejectCode(soft=True, enumerate_first=True),
}

NEVER_WHITELISTED = frozenset(
    {
        "EGW00001",
        "EGW00002",
        "EGW00003",
        "EGW00202",
        "EGW00203",
        "EGW00300",
        "EGW00301",
        "EGW00302",
    }
)
"""Codes under which an order has been seen accepted, or whose text orders the caller to look."""

HALTING_CODES = frozenset({"EGW00103", "EGW00105", "EGW00206", "EGW00207", "EGW00213", "EGW02004"})
"""Keys, address or environment are wrong: more orders would only repeat it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The neutral content of an answer. `parsed` is false unless it was the broker's envelope."""

    parsed: bool
    ok: bool | None = None
    msg_cd: str = ""
    message: str = ""
    order_no: str = ""
    org_no: str = ""
    order_time: str = ""


@dataclass(frozen=True, slots=True)
class Classification:
    """What an answer proves. `code` is None unless the verdict is REJECTED."""

    state: AttemptState
    code: RejectCode | None = None
    why: str = ""


def classify_reply(
    transport: Literal["answered", "not_sent", "lost"], reply: Reply
) -> Classification:
    """ACKED, REJECTED and NOT_SENT need proof; everything else is UNKNOWN. The HTTP status proves nothing."""
    if transport == "not_sent":
        return Classification(AttemptState.NOT_SENT, why="no byte left")
    if transport != "answered" or not reply.parsed:
        return Classification(AttemptState.UNKNOWN, why="no readable answer")
    if reply.ok is True:
        return _accepted(reply)
    if reply.ok is not False:
        return Classification(AttemptState.UNKNOWN, why="neither accepted nor refused")
    code = REJECT_CODES.get(reply.msg_cd)
    if code is None:
        return Classification(AttemptState.UNKNOWN, why=f"unlisted code {reply.msg_cd or '(none)'}")
    return Classification(AttemptState.REJECTED, code, why=reply.msg_cd)


def _accepted(reply: Reply) -> Classification:
    """Success counts only with an order number and a time: a success without a number owns nothing."""
    number_ok = reply.order_no.isascii() and reply.order_no.isdigit() and len(reply.order_no) <= 10
    if not number_ok or not reply.order_no.strip("0"):
        return Classification(AttemptState.UNKNOWN, why="accepted without an order number")
    if not _is_time(reply.order_time):
        return Classification(AttemptState.UNKNOWN, why="accepted without a sane time")
    return Classification(AttemptState.ACKED)


def _is_time(text: str) -> bool:
    if len(text) != 6 or not (text.isascii() and text.isdigit()):
        return False
    return int(text[:2]) < 24 and int(text[2:4]) < 60 and int(text[4:]) < 60
