"""The life of an order wish and of each attempt to send it, and what a broker's reply proves.

Only a reply that proves an order was accepted, refused, or never left us is a fact. Everything else
is UNKNOWN and is settled by asking the broker, never by sending again (`design/order-protocol` §3,
§4).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

__all__ = [
    "ATTEMPT_TERMINAL",
    "ATTEMPT_TRANSITIONS",
    "INTENT_TERMINAL",
    "INTENT_TRANSITIONS",
    "NEVER_REFUSALS",
    "REFUSALS",
    "SOFT_REFUSALS",
    "TOKEN_REFUSALS",
    "WHITELIST_VERSION",
    "AttemptState",
    "Classification",
    "IntentState",
    "Outcome",
    "Reply",
    "attempt_can_move",
    "classify_reply",
    "intent_can_move",
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


class AttemptState(StrEnum):
    SENDING = "SENDING"
    ACKED = "ACKED"
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"
    ABSENT = "ABSENT"


_I = IntentState
_A = AttemptState

INTENT_TRANSITIONS: dict[IntentState, frozenset[IntentState]] = {
    state: frozenset() for state in IntentState
} | {
    _I.DRAFT: frozenset({_I.CHECKED, _I.VETOED, _I.REVOKED}),
    _I.CHECKED: frozenset({_I.VETOED, _I.AWAITING_APPROVAL, _I.AUTHORIZED, _I.REVOKED}),
    _I.AWAITING_APPROVAL: frozenset(
        {_I.AUTHORIZED, _I.DENIED, _I.EXPIRED_APPROVAL, _I.REVOKED, _I.SUPERSEDED}
    ),
    # The intent stays AUTHORIZED while an attempt is SENDING or UNKNOWN: that row has the doubt.
    _I.AUTHORIZED: frozenset(
        {_I.ACKED, _I.REJECTED, _I.VETOED, _I.REVOKED, _I.ABANDONED, _I.SUPERSEDED}
    ),
    # CANCELED without CANCELING: somebody cancelled at the broker and the inquiry says so.
    _I.ACKED: frozenset(
        {_I.PARTIAL, _I.FILLED, _I.CANCELING, _I.CANCELED, _I.EXPIRED, _I.REJECTED_LATE}
    ),
    _I.PARTIAL: frozenset({_I.PARTIAL, _I.FILLED, _I.CANCELING, _I.CANCELED, _I.EXPIRED}),
    # Back to ACKED or PARTIAL when the broker refuses the cancel and the order still works.
    _I.CANCELING: frozenset({_I.CANCELED, _I.FILLED, _I.EXPIRED, _I.ACKED, _I.PARTIAL}),
}
INTENT_TERMINAL = frozenset(state for state, moves in INTENT_TRANSITIONS.items() if not moves)

ATTEMPT_TRANSITIONS: dict[AttemptState, frozenset[AttemptState]] = {
    state: frozenset() for state in AttemptState
} | {
    _A.SENDING: frozenset({_A.ACKED, _A.REJECTED, _A.NOT_SENT, _A.UNKNOWN}),
    _A.UNKNOWN: frozenset({_A.ACKED, _A.ABSENT}),
}
ATTEMPT_TERMINAL = frozenset(state for state, moves in ATTEMPT_TRANSITIONS.items() if not moves)


def intent_can_move(a: IntentState, b: IntentState) -> bool:
    return b in INTENT_TRANSITIONS[a]


def attempt_can_move(a: AttemptState, b: AttemptState) -> bool:
    return b in ATTEMPT_TRANSITIONS[a]


WHITELIST_VERSION = "2026-11-1"

TOKEN_REFUSALS = frozenset({"EGW00121", "EGW00122", "EGW00123"})
"""The access token is dead: renew once, then a new attempt."""
SOFT_REFUSALS = frozenset({"EGW00201", "EGW00215"})
"""Too fast: a new attempt after a pause; EGW00215 only after one clean enumeration."""

REFUSALS: frozenset[str] = (
    TOKEN_REFUSALS
    | SOFT_REFUSALS
    | frozenset(
        {"APBK0400", "APBK0656", "APBK0918", "APBK0919", "APBK0952", "APBK1234", "APBK1664"}
    )
    | frozenset({"APBK0344", "APBK0506", "APBK0634", "APBK1058"})
    | frozenset({"40100000", "40310000", "40330000", "40570000", "40580000", "KIER3672"})
    | frozenset({"EGW00101", "EGW00102", "EGW00103", "EGW00104", "EGW00105"})
    | frozenset(
        {"EGW00131", "EGW00132", "EGW00206", "EGW00207", "EGW00208", "EGW00213", "EGW02004"}
    )
)
"""Codes that prove the order was not accepted. Each is provisional until captured on an own
account: verify it by one enumeration after each occurrence. A new code needs a captured body, the
proof by enumeration, two reviewers, a row in the simulator, and a new WHITELIST_VERSION."""

NEVER_REFUSALS = frozenset(
    {"EGW00001", "EGW00002", "EGW00003", "EGW00202", "EGW00203", "EGW00300", "EGW00301", "EGW00302"}
)
"""They come after the order may have been routed. So do all that start with OPSQ or IGW."""
_NEVER_PREFIXES = ("OPSQ", "IGW")


class Outcome(StrEnum):
    ACKED = "ACKED"
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Reply:
    """A broker's answer to an order, in neutral words.

    `parsed`: the body was readable. `ok`: the broker's own flag, None when it is missing.
    `order_time` is HHMMSS.
    """

    parsed: bool
    ok: bool | None = None
    msg_cd: str = ""
    message: str = ""
    order_no: str = ""
    org_no: str = ""
    order_time: str = ""


@dataclass(frozen=True, slots=True)
class Classification:
    """What is proven. `soft`: a new attempt may follow; `token`: after renewing the token.

    `provisional`: refused by a code that is not yet captured on an own account, so enumerate once.
    """

    kind: Outcome
    soft: bool = False
    token: bool = False
    provisional: bool = False
    msg_cd: str = ""
    message: str = ""
    order_no: str = ""
    org_no: str = ""
    order_time: str = ""
    whitelist: str = WHITELIST_VERSION


def classify_reply(
    transport: Literal["answered", "not_sent", "lost"], reply: Reply | None = None
) -> Classification:
    """What the outcome of one POST proves.

    `not_sent`: name, connect or TLS failed, or we stopped before the first byte. `lost`: no answer,
    or half of one. The HTTP status is not asked for because it proves nothing by itself.
    """
    if transport == "not_sent":
        return Classification(Outcome.NOT_SENT, soft=True)
    if transport != "answered" or reply is None or not reply.parsed:
        return Classification(Outcome.UNKNOWN)
    if reply.ok is True and _is_number(reply.order_no) and _is_time(reply.order_time):
        return _classified(Outcome.ACKED, reply)
    if reply.ok is False and reply.msg_cd in REFUSALS and not _is_never(reply.msg_cd):
        return _classified(Outcome.REJECTED, reply)
    return _classified(Outcome.UNKNOWN, reply)


def _classified(kind: Outcome, reply: Reply) -> Classification:
    refused = kind is Outcome.REJECTED
    token = refused and reply.msg_cd in TOKEN_REFUSALS
    return Classification(
        kind=kind,
        soft=token or (refused and reply.msg_cd in SOFT_REFUSALS),
        token=token,
        provisional=refused,
        msg_cd=reply.msg_cd,
        message=reply.message,
        order_no=reply.order_no,
        org_no=reply.org_no,
        order_time=reply.order_time,
    )


def _is_never(msg_cd: str) -> bool:
    return msg_cd in NEVER_REFUSALS or msg_cd.startswith(_NEVER_PREFIXES)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) > 0


def _is_time(text: str) -> bool:
    """HHMMSS of a day."""
    if len(text) != 6 or not (text.isascii() and text.isdigit()):
        return False
    return int(text[:2]) < 24 and int(text[2:4]) < 60 and int(text[4:]) < 60
