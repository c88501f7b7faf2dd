"""Sending: I1, I2, I4, I5, I7.

At most one send per intent, nothing certain that is not, and every order somebody's own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

from rebalancing.domain.laws.case import CANCEL, NEW, Case, Finding, Row, moment

__all__ = ["i1", "i2", "i4", "i5", "i7"]

OPEN = ("SENDING", "UNKNOWN", "ACKED")
SURE_OF_NOTHING = ("REJECTED", "NOT_SENT", "ABSENT")
LOOKS = 3
"""Complete enumerations that an absence needs."""
LOST_RECORD = ("G08", "G22")
"""Faults after which a request may lack its record: the database is older than what was sent."""


def i1(case: Case) -> Finding:
    """At most one send per intent."""
    found = Finding()
    for intent in case.intents.values():
        _accepted_once(case, intent, found)
    for attempt in case.attempts.values():
        posts = case.posts_of.get(attempt["id"], ())
        found.examined += 1
        if len(posts) > 1:
            found.broken("I1b", "an attempt was sent more than once", attempt["id"], *_seqs(posts))
    for post in case.posts:
        _promised(case, post, found)
    _one_open(case, found)
    _conserved(case, found)
    return found


def _seqs(rows: object) -> list[object]:
    return [row["seq"] for row in rows]  # type: ignore[attr-defined]


def _accepted_once(case: Case, intent: Row, found: Finding) -> None:
    mine = [a for a in case.attempts.values() if a["intent_id"] == intent["id"]]
    causes = [
        post["seq"]
        for attempt in mine
        if attempt["action"] == NEW
        for post in case.posts_of.get(attempt["id"], ())
        if post["seq"] in case.accepted_by
    ]
    found.examined += 1
    if len(causes) > 1 and "absent" not in case.decided.get(intent["id"], ()):
        found.broken("I1a", "an intent was accepted more than once", intent["id"], *causes)


def _promised(case: Case, post: Row, found: Finding) -> None:
    """A request has the record that was committed before it left."""
    found.examined += 1
    attempt = case.attempts.get(str(post.get("nonce")))
    if attempt is None:
        if not case.fired & set(LOST_RECORD):
            found.broken("I1c", "a request without an attempt", post["seq"])
        return
    if attempt["req_hash"] != post["body_hash"]:
        found.broken("I1c", "a request with another body", attempt["id"], post["seq"])
    committed, came = moment(attempt["committed_at"]), moment(post["vt"])
    if committed is None or came is None or committed > came:
        found.broken("I1c", "a request before its record", attempt["id"], post["seq"])


def _one_open(case: Case, found: Finding) -> None:
    """At every moment an intent has one attempt whose fate is open or good."""
    states: dict[int, str] = {}
    owner = {a["id"]: (a["intent_id"], a["action"]) for a in case.attempts.values()}
    for row in sorted(case.view("transition"), key=lambda one: one["seq"]):
        if row["object_type"] != "attempt" or row["object_id"] not in owner:
            continue
        states[row["object_id"]] = row["to"]
        mine = owner[row["object_id"]]
        if mine[1] != NEW:
            continue
        found.examined += 1
        alive = [n for n, state in states.items() if owner[n] == mine and state in OPEN]
        if len(alive) > 1:
            found.broken("I1d", "two attempts of an intent at once", mine[0], *alive)


def _conserved(case: Case, found: Finding) -> None:
    """What was accepted for a leg and not given back is no more than the leg."""
    given_back = Counter[str]()
    for kind in ("cancel", "expire"):
        for row in case.kind(kind):
            given_back[case.order_of(row)] += row["qty"]
    sums: Counter[tuple[int, str, str]] = Counter()
    for attempt in case.attempts.values():
        intent = case.intents.get(attempt["intent_id"])
        if intent is None or attempt["action"] != NEW or intent["origin"] != "run":
            continue
        for post in case.posts_of.get(attempt["id"], ()):
            for order in case.accepted_by.get(post["seq"], ())[:1]:
                place = (intent["origin_id"], intent["ticker"], intent["side"])
                sums[place] += order["qty"] - given_back[case.order_of(order)]
    for (run_id, ticker, side), shares in sums.items():
        run = case.runs.get(run_id)
        if run is None:
            continue
        planned = sum(
            leg["qty"] for leg in run["legs"] if (leg["ticker"], leg["side"]) == (ticker, side)
        )
        found.examined += 1
        if shares > planned:
            found.broken("I1e", "more was accepted than planned", run_id, ticker, side, shares)


def i2(case: Case) -> Finding:
    """No false certainty: what is said not to exist does not."""
    found = Finding()
    whitelist = set(case.env.get("reject_whitelist", ()))
    for attempt in case.attempts.values():
        if attempt["state"] not in SURE_OF_NOTHING:
            continue
        found.examined += 1
        decided = "absent" in case.decided.get(attempt["intent_id"], ())
        for post in case.posts_of.get(attempt["id"], ()):
            if post["seq"] in case.accepted_by and attempt["action"] == NEW:
                if attempt["state"] == "ABSENT" and decided and _paged(case, attempt):
                    continue
                found.broken("I2", f"{attempt['state']} but accepted", attempt["id"], post["seq"])
        if attempt["state"] == "REJECTED" and attempt["msg_cd"] not in whitelist:
            found.broken("I2", f"refused by {attempt['msg_cd']}: no proof", attempt["id"])
        if attempt["state"] == "ABSENT":
            _absence(case, attempt, decided, found)
    return found


def _paged(case: Case, attempt: Row) -> bool:
    return any(
        row.get("intent_id") == attempt["intent_id"] or f"intent {attempt['intent_id']}" in row["subject"]
        for row in case.view("alert")
    )  # fmt: skip


def _absence(case: Case, attempt: Row, decided: bool, found: Finding) -> None:
    intent = case.intents.get(attempt["intent_id"])
    deadline = moment(attempt["deadline_at"])
    if intent is None or deadline is None:
        return
    begins = deadline + timedelta(seconds=float(case.env.get("w_absent_s", 180)))
    rows = [row for row in case.view("enumeration") if row["account"] == intent["account"]]
    # a broker that offers KRX alone is asked for KRX alone: that is all there is
    whole = "ALL" if any(row["scope"] == "ALL" for row in rows) else "KRX"
    looks = [
        row
        for row in rows
        if row["complete"]
        and row["scope"] == whole
        and (moment(row["started"]) or deadline) >= begins
    ]
    if len(looks) < LOOKS:
        found.broken("I2", f"absent after {len(looks)} complete looks", attempt["id"])
    if not decided:
        found.broken("I2", "absent without a person's decision", attempt["id"])


def i4(case: Case) -> Finding:
    """UNKNOWN is sticky: nothing is sent for the intent until it is known."""
    found = Finding()
    rows = sorted(case.view("transition"), key=lambda one: one["seq"])
    by_id = {a["id"]: a for a in case.attempts.values()}
    for number, row in enumerate(rows):
        if row["object_type"] != "attempt" or row["to"] != "UNKNOWN":
            continue
        attempt = by_id.get(row["object_id"])
        if attempt is None:
            continue
        found.examined += 1
        left = next(
            (
                later
                for later in rows[number + 1 :]
                if later["object_type"] == "attempt" and later["object_id"] == attempt["id"]
            ),
            None,
        )
        _silent(case, attempt, row, left, found)
        if left is not None:
            _left_by_proof(case, attempt, found)
    return found


def _silent(case: Case, attempt: Row, since: Row, left: Row | None, found: Finding) -> None:
    begin, end = moment(since["at"]), moment(left["at"]) if left else None
    for other in case.attempts.values():
        if other["intent_id"] != attempt["intent_id"] or other["action"] != attempt["action"]:
            continue
        for post in case.posts_of.get(other["id"], ()):
            came = moment(post["vt"])
            if begin and came and came > begin and (end is None or came < end):
                found.broken("I4", "sent while its fate was unknown", attempt["id"], post["seq"])


def _left_by_proof(case: Case, attempt: Row, found: Finding) -> None:
    if attempt["action"] != NEW or case.decided.get(attempt["intent_id"]):
        return
    adopted = any(
        row["owner_intent"] == attempt["intent_id"] and row["odno_key"] == attempt["odno_key"]
        for row in case.view("border")
    )
    if not adopted:
        found.broken("I4", "known again without an order or a decision", attempt["id"])


def i5(case: Case) -> Finding:
    """Ownership is injective and true."""
    found = Finding()
    owners: dict[str, set[int]] = defaultdict(set)
    orders: dict[int, set[str]] = defaultdict(set)
    for attempt in case.attempts.values():
        if attempt["action"] == NEW and attempt["odno_key"]:
            owners[attempt["odno_key"]].add(attempt["intent_id"])
            orders[attempt["intent_id"]].add(attempt["odno_key"])
    for border in case.view("border"):
        if border["owner_intent"] is not None and not border["orgn_odno"]:
            owners[border["odno_key"]].add(border["owner_intent"])
            orders[border["owner_intent"]].add(border["odno_key"])
    for key, intents in owners.items():
        found.examined += 1
        if len(intents) > 1:
            found.broken("I5", "an order of two intents", key, *sorted(intents))
    for intent_id, keys in orders.items():
        if len(keys) > 1 and "absent" not in case.decided.get(intent_id, ()):
            found.broken("I5", "an intent with two orders", intent_id, *sorted(keys))
    if case.journal is not None:
        _truly_ours(case, owners, found)
    return found


def _truly_ours(case: Case, owners: dict[str, set[int]], found: Finding) -> None:
    """No order is ours that another request, or nobody's, caused."""
    caused = {case.key_of(row): row for row in case.accepted}
    nonces = {post["seq"]: str(post.get("nonce")) for post in case.posts}
    for key, intents in owners.items():
        order = caused.get(key)
        for intent_id in intents:
            if "adopt" in case.decided.get(intent_id, ()):
                continue
            attempt = case.attempts.get(nonces.get((order or {}).get("req_seq") or -1, ""))
            found.examined += 1
            if attempt is None or attempt["intent_id"] != intent_id:
                found.broken("I5", "an order that another caused is ours", key, intent_id)


def i7(case: Case) -> Finding:
    """Cancel safety: nothing new on a lane while a cancel's outcome is unknown; no quantity counted twice."""
    found = Finding()
    taken: Counter[str] = Counter()
    for kind in ("fill", "cancel", "expire"):
        for row in case.kind(kind):
            taken[case.order_of(row)] += row["qty"]
    for row in case.accepted:
        found.examined += 1
        if taken[case.order_of(row)] > row["qty"]:
            found.broken("I7", "more filled and cancelled than ordered", row["odno"])
    by_id = {a["id"]: a for a in case.attempts.values()}
    for row in case.view("transition"):
        attempt = by_id.get(row["object_id"]) if row["object_type"] == "attempt" else None
        if attempt is None or attempt["action"] != CANCEL or row["to"] != "UNKNOWN":
            continue
        found.examined += 1
        _lane_frozen(case, attempt, row, found)
    return found


def _lane_frozen(case: Case, attempt: Row, since: Row, found: Finding) -> None:
    mine = case.intents.get(attempt["intent_id"])
    begin = moment(since["at"])
    if mine is None or begin is None:
        return
    over = [
        moment(row["at"])
        for row in case.view("transition")
        if row["object_type"] == "attempt"
        and row["object_id"] == attempt["id"]
        and row["seq"] > since["seq"]
    ]
    end = min((one for one in over if one), default=None)
    for other in case.attempts.values():
        intent = case.intents.get(other["intent_id"])
        same = intent is not None and all(
            intent[name] == mine[name] for name in ("account", "ticker", "side")
        )
        if other["action"] != NEW or not same:
            continue
        for post in case.posts_of.get(other["id"], ()):
            came = moment(post["vt"])
            if came and came > begin and (end is None or came < end):
                found.broken("I7", "a new order beside a cancel of unknown fate", post["seq"])
