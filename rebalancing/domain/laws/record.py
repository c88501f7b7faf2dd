"""The record: I22 (every order can be traced), I23 (chain), I24 (moves), and of two histories I25 and I26."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from rebalancing.domain.laws.case import ENDED_RUNS, NEW, Case, Finding, Row, Rows

__all__ = ["chain_hash", "i22", "i23", "i24", "i25", "i26", "journal_hash"]

SENT = "order_send"
TAMPERED = frozenset({"L01", "L02", "L03", "L07"})
INTENT_MOVES: Mapping[str, frozenset[str]] = {
    "": frozenset({"DRAFT", "CHECKED", "AWAITING_APPROVAL", "AUTHORIZED"}),
    "DRAFT": frozenset({"CHECKED", "VETOED", "REVOKED"}),
    "CHECKED": frozenset({"AWAITING_APPROVAL", "AUTHORIZED", "VETOED", "REVOKED"}),
    "AWAITING_APPROVAL": frozenset({"AUTHORIZED", "DENIED", "EXPIRED_APPROVAL", "REVOKED"}),
    "AUTHORIZED": frozenset({"SENDING", "REVOKED", "VETOED", "SUPERSEDED"}),
    "SENDING": frozenset({"ACKED", "REJECTED", "NOT_SENT", "UNKNOWN", "AUTHORIZED", "REVOKED"}),
    "NOT_SENT": frozenset({"AUTHORIZED", "REVOKED"}),
    "UNKNOWN": frozenset({"ACKED", "ABSENT", "ABANDONED", "SUPERSEDED"}),
    "ABSENT": frozenset({"ABANDONED", "SUPERSEDED"}),
    "ACKED": frozenset(
        {"PARTIAL", "FILLED", "CANCELING", "CANCELED", "EXPIRED", "REJECTED_LATE", "UNKNOWN"}
    ),
    "PARTIAL": frozenset({"PARTIAL", "FILLED", "CANCELING", "CANCELED", "EXPIRED"}),
    "CANCELING": frozenset({"CANCELED", "FILLED", "EXPIRED", "ACKED", "PARTIAL"}),
    "REJECTED": frozenset({"AUTHORIZED"}),
}
"""`order-protocol.md` §3, written down once more here: a checker that read the platform's own table would
share its mistakes. What is not named has no exit."""
ATTEMPT_MOVES: Mapping[str, frozenset[str]] = {
    "": frozenset({"SENDING"}),
    "SENDING": frozenset({"ACKED", "REJECTED", "NOT_SENT", "UNKNOWN"}),
    "UNKNOWN": frozenset({"ACKED", "ABSENT"}),
    "ACKED": frozenset({"UNKNOWN"}),
}
"""ACKED → UNKNOWN: the number in the answer was another order's, as a list has shown since."""
RUN_STEPS = (
    "CREATED", "SNAPSHOT", "TARGETS", "DRIFT", "NETTED", "PLANNED", "RULES", "AWAITING_APPROVAL",
    "APPROVED", "SELLING", "SELL_WAIT", "CASH_CONFIRM", "BUY_RESIZE", "BUY_RULES", "BUYING", "BUY_WAIT",
    "FINAL_RECON",
)  # fmt: skip
"""A run goes through these in order; only a new generation (STALE) begins again."""
FREE = frozenset({"HALTED", "PAUSED_UNKNOWN", "PAUSED_EXTERNAL", "STALE"})


def i22(case: Case) -> Finding:
    """Every order request leads back to a wish, a run, an approval, a check and the audit, and every record
    of a sent order to a request. Without a journal the records of sending stand for the requests."""
    found = Finding()
    audited = sum(1 for row in case.view("audit") if row["action"] == SENT)
    checked = {row["attempt_id"] for row in case.view("rulecheck")}
    approved = {row["plan_hash"] for row in case.view("approval") if row["verdict"] == "APPROVE"}
    for post in case.posts:
        found.examined += 1
        attempt = case.attempts.get(str(post.get("nonce")))
        if attempt is not None:
            _leads_back(case, attempt, checked, approved, found)
        elif not case.fired & {"G08", "G22"}:
            found.broken("I22", "a request that nothing leads to", post["seq"])
    for attempt in case.attempts.values() if case.journal is None else ():
        found.examined += 1
        _leads_back(case, attempt, checked, approved, found)
    if case.view("audit") and audited != len(case.attempts):
        found.broken("I22", "attempts and audit rows differ", audited, len(case.attempts))
    return found


def _leads_back(
    case: Case, attempt: Row, checked: set[Any], approved: set[Any], found: Finding
) -> None:
    intent = case.intents.get(attempt["intent_id"])
    if intent is None:
        found.broken("I22", "an attempt without a wish", attempt["id"])
        return
    if attempt["action"] == NEW and attempt["id"] not in checked:
        found.broken("I22", "an order without its check", attempt["id"])
    if intent["origin"] == "run":
        if case.runs_of(intent) is None:
            found.broken("I22", "a wish without its run", intent["id"])
        elif attempt["action"] == NEW and intent["plan_hash"] not in approved:
            found.broken("I22", "a wish without an approval", intent["id"])


def chain_hash(key: bytes, row: Row) -> str:
    """An audit row's link: HMAC-SHA256 over the link before it and the row, as `invariants.md` §0b says."""
    names = ("seq", "at", "actor", "action", "object", "payload_hash", "key_id")
    body = json.dumps(
        {name: row[name] for name in names},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hmac.new(key, (row["prev_hash"] + body).encode(), hashlib.sha256).hexdigest()


def i23(case: Case, key: bytes | None = None) -> Finding:
    """The audit has no gap and no fork; with the key, no link of it was made by anybody else."""
    found = Finding()
    if case.fired & TAMPERED:
        return found
    before = ""
    for number, row in enumerate(case.view("audit"), start=1):
        found.examined += 1
        if row["seq"] != number:
            found.broken("I23", "a gap in the audit", row["seq"], number)
            return found
        if row["prev_hash"] != before:
            found.broken("I23", "a link that does not hold", row["seq"])
        if key is not None and row["hash"] != chain_hash(key, row):
            found.broken("I23", "a row that was changed", row["seq"])
        before = row["hash"]
    return found


def i24(case: Case) -> Finding:
    """What was seen to happen is what may happen; what is over stays over."""
    found = Finding()
    last: dict[tuple[str, int], str] = {}
    for row in sorted(case.view("transition"), key=lambda one: one["seq"]):
        place = row["object_type"], row["object_id"]
        found.examined += 1
        if row["from"] != last.get(place, ""):
            found.broken("I24", "a move from where it was not", *place, row["from"], row["to"])
        last[place] = row["to"]
        if not _may(row["object_type"], row["from"], row["to"]):
            found.broken("I24", "a move that may not be", *place, row["from"], row["to"])
    rows = (
        *(("run", row) for row in case.view("run")),
        *(("intent", row) for row in case.view("intent")),
        *(("attempt", row) for row in case.view("attempt")),
    )
    for kind, row in rows:
        if (kind, row["id"]) in last and last[kind, row["id"]] != row["state"]:
            found.broken("I24", "a state that no move led to", kind, row["id"], row["state"])
    return found


def _may(kind: str, before: str, after: str) -> bool:
    if kind == "intent":
        return after in INTENT_MOVES.get(before, frozenset())
    if kind == "attempt":
        return after in ATTEMPT_MOVES.get(before, frozenset())
    if before in ENDED_RUNS:
        return False
    if before in FREE or after in FREE or after in ENDED_RUNS or before == "":
        return True
    first, second = RUN_STEPS.index(before), RUN_STEPS.index(after)
    return second == first + 1 or after == "FINAL_RECON"


def i25(case: Case, twin: Case) -> Finding:
    """Killed and not killed end alike: the same positions, or a run that waits for a person."""
    found = Finding(examined=1)
    parked = any(
        run["state"] in ("PAUSED_UNKNOWN", "PAUSED_EXTERNAL") for run in case.runs.values()
    )
    mine, other = _positions(case), _positions(twin)
    if mine != other and not parked:
        found.broken("I25", "another end than without the crash", mine, other)
    return found


def _positions(case: Case) -> dict[str, Any]:
    held = (case.truth or {}).get("positions", {})
    return {a: {t: q for t, q in rows.items() if q} for a, rows in held.items()}


def journal_hash(journal: Rows) -> str:
    """Of everything the exchange wrote down."""
    text = "\n".join(json.dumps(row, sort_keys=True, ensure_ascii=False) for row in journal)
    return hashlib.sha256(text.encode()).hexdigest()


def i26(case: Case, again: Case) -> Finding:
    """The same seed twice is the same journal; else the bed is broken and nothing it says counts."""
    found = Finding(examined=1)
    if journal_hash(case.journal or ()) != journal_hash(again.journal or ()):
        found.broken("I26", "one seed, two journals")
    return found
