"""Cash: I10. Never below nothing, never promised twice, never spent before it is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rebalancing.domain.laws.case import NEW, Case, Finding, Row, moment

__all__ = ["i10"]

TERMINAL = frozenset(
    ("VETOED", "DENIED", "EXPIRED_APPROVAL", "REVOKED", "FILLED", "CANCELED", "EXPIRED", "REJECTED",
     "REJECTED_LATE", "ABANDONED", "SUPERSEDED")
)  # fmt: skip
GIVEN_BACK = TERMINAL | {"AUTHORIZED"}
"""A wish that was proven not sent has given its reservation back and may be sent again."""
ORDERABLE = "/inquire-psbl-order"


def i10(case: Case) -> Finding:
    """The account's money, at every event of the journal and for every buy that left."""
    found = Finding()
    for row in case.kind("cash"):
        found.examined += 1
        if row["cash"] < 0 or row["d2_cash"] < 0:
            found.broken("I10a", "cash below nothing", row["account"], row["seq"])
    _reservations(case, found)
    buys = [
        (post, case.intents[attempt["intent_id"]])
        for post in case.posts
        for attempt in [case.attempts.get(str(post.get("nonce")))]
        if attempt is not None
        and attempt["action"] == NEW
        and case.intents.get(attempt["intent_id"], {}).get("side") == "BUY"
    ]
    for post, intent in buys:
        _covered(case, post, intent, found)
        if intent["origin"] == "run":
            _after_the_sells(case, post, intent, found)
    return found


def _reservations(case: Case, found: Finding) -> None:
    sent = {a["intent_id"] for a in case.attempts.values() if a["action"] == NEW}
    for row in case.view("reservation"):
        intent = case.intents.get(row["intent_id"])
        if intent is None:
            continue
        found.examined += 1
        if row["intent_id"] not in sent:
            found.broken("I10c", "a reservation without a send record", row["intent_id"])
        if row["closed"] is not None and intent["state"] not in GIVEN_BACK:
            found.broken("I10c", "given back while its order lives", row["intent_id"])
        if row["closed"] is None and intent["state"] in TERMINAL:
            found.broken("I10c", "kept although its order is over", row["intent_id"])


def _covered(case: Case, post: Row, intent: Row, found: Finding) -> None:
    """I10b: what is promised together, this one included, was there when the broker was last asked."""
    at = moment(post["vt"])
    read = _last_read(case, intent["account"], post["seq"])
    if at is None:
        return
    found.examined += 1
    if read is None:
        found.broken("I10b", "a buy without a look at the cash", post["seq"])
        return
    asked_at, orderable = read
    promised = sum(
        row["krw"] for row in case.view("reservation") if _counts(case, row, at, asked_at, intent)
    )
    if promised > orderable:
        found.broken("I10b", "more promised than was orderable", post["seq"], promised, orderable)


def _counts(case: Case, row: Row, at: datetime, asked_at: datetime, intent: Row) -> bool:
    """Whether a reservation is open at a moment and not yet in what the broker said was left."""
    other = case.intents.get(row["intent_id"])
    if other is None or other["account"] != intent["account"]:
        return False
    opened, closed = moment(row["opened"]), moment(row["closed"])
    if opened is None or opened > at or (closed is not None and closed <= at):
        return False
    return not any(
        (moment(order["vt"]) or at) < asked_at
        for attempt in case.attempts.values()
        if attempt["intent_id"] == other["id"]
        for post in case.posts_of.get(attempt["id"], ())
        for order in case.accepted_by.get(post["seq"], ())
    )


def _last_read(case: Case, account: str, before: int) -> tuple[datetime, int] | None:
    """The orderable cash that was read last before a journal line: when it was asked, and won."""
    asked = {
        row["seq"]: row
        for row in case.kind("http_req")
        if str(row["path"]).endswith(ORDERABLE) and row["account"] == account
    }
    best: tuple[datetime, int] | None = None
    for row in case.kind("http_resp"):
        request = asked.get(row["req_seq"])
        if request is None or row["seq"] > before or row["status"] != 200:
            continue
        won, at = _orderable(row.get("body")), moment(request["vt"])
        if won is not None and at is not None:
            best = at, won
    return best


def _orderable(body: Any) -> int | None:
    """`nrcvb_buy_amt` of an answer; None where it cannot be read."""
    try:
        output: Mapping[str, Any] = json.loads(body)["output"]
        return int(str(output["nrcvb_buy_amt"]))
    except (TypeError, ValueError, KeyError):
        return None


def _after_the_sells(case: Case, post: Row, intent: Row, found: Finding) -> None:
    """I10d: a run buys when nothing of its sales is open any more, and with a look at the cash since."""
    sales = [
        order
        for attempt in case.attempts.values()
        if attempt["action"] == NEW
        for sale in [case.intents.get(attempt["intent_id"])]
        if sale is not None
        and (sale["origin"], sale["origin_id"], sale["side"])
        == ("run", intent["origin_id"], "SELL")
        for sent in case.posts_of.get(attempt["id"], ())
        for order in case.accepted_by.get(sent["seq"], ())
    ]
    last = None
    for order in sales:
        left, ended = order["qty"], None
        for kind in ("fill", "cancel", "expire"):
            for row in case.kind(kind):
                if case.order_of(row) == case.order_of(order) and row["seq"] < post["seq"]:
                    left, ended = left - row["qty"], moment(row["vt"])
                    if kind == "fill" and ended and (last is None or ended > last):
                        last = ended
        found.examined += 1
        if left > 0:
            found.broken("I10d", "bought while a sale was open", intent["id"], order["odno"])
    read = _last_read(case, intent["account"], post["seq"])
    if last is not None and (read is None or read[0] < last):
        found.broken("I10d", "bought on proceeds nobody had seen", intent["id"], post["seq"])
