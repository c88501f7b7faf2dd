"""The platform keeps going, politely and truthfully: I14, I15, I16, I18, I19."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from rebalancing.domain.laws.case import ENDED_RUNS, Case, Finding, Row, moment

__all__ = ["i14", "i15", "i16", "i18", "i19"]

WAITS_FOR_A_PERSON = frozenset({"PAUSED_UNKNOWN", "PAUSED_EXTERNAL"})
UNKNOWN_MINUTES = 2
A_MINUTE, A_SECOND = timedelta(minutes=1), timedelta(seconds=1)
LIMITS = {"real": 18, "mock": 1}
TOKENS_A_DAY = 2


def i14(case: Case) -> Finding:
    """Ends or shouts: what is not over, and what was unknown for long, has an alert that names it."""
    found = Finding()
    for run in case.runs.values():
        found.examined += 1
        if run["state"] in ENDED_RUNS:
            continue
        alerts = [row for row in case.view("alert") if row["run_id"] == run["id"]]
        loud = any(not row["acked_by"] and row["delivered_at"] for row in alerts)
        if run["state"] not in WAITS_FOR_A_PERSON:
            found.broken("I14", f"a run that stands still in {run['state']}", run["id"])
        elif not loud:
            found.broken("I14", "a run that waits for a person nobody called", run["id"])
    for attempt in case.attempts.values():
        _unknown_was_told(case, attempt, found)
    return found


def _unknown_was_told(case: Case, attempt: Row, found: Finding) -> None:
    rows = [
        row
        for row in case.view("transition")
        if row["object_type"] == "attempt" and row["object_id"] == attempt["id"]
    ]
    since = next((moment(row["at"]) for row in rows if row["to"] == "UNKNOWN"), None)
    if since is None:
        return
    left = next((moment(row["at"]) for row in rows if row["from"] == "UNKNOWN"), None)
    found.examined += 1
    if left is not None and left - since <= timedelta(minutes=UNKNOWN_MINUTES):
        return
    names = f"intent {attempt['intent_id']}"
    if not any(
        row["intent_id"] == attempt["intent_id"] or names in row["subject"]
        for row in case.view("alert")
    ):
        found.broken("I14", "an unknown order that nobody was told of", attempt["id"])


def i15(case: Case) -> Finding:
    """Polite: no second has more requests of an account than the broker takes."""
    found = Finding()
    profile = next((row["profile"] for row in case.kind("clock") if row.get("profile")), "real")
    times: dict[str, list[datetime]] = defaultdict(list)
    for row in case.kind("http_req"):
        at = moment(row["vt"])
        if row["account"] and at is not None and row.get("replay_of") is None:
            times[row["account"]].append(at)
    for account, moments in times.items():
        first = 0
        for last, at in enumerate(moments):
            found.examined += 1
            while at - moments[first] >= A_SECOND:
                first += 1
            if last - first + 1 > LIMITS[profile]:
                found.broken("I15", "more requests in a second than allowed", account, at)
                break
    return found


def i16(case: Case) -> Finding:
    """Tokens: one asking a minute, and two a day while none was revoked."""
    found = Finding()
    asked: dict[str, list[datetime]] = defaultdict(list)
    issued: Counter[tuple[str, str]] = Counter()
    rows = sorted((*case.kind("token_issue"), *case.kind("token_refuse")), key=lambda r: r["seq"])
    for row in rows:
        at = moment(row["vt"])
        if at is None:
            continue
        asked[row["appkey"]].append(at)
        issued[row["appkey"], row["vt"][:10]] += row["kind"] == "token_issue"
    for appkey, moments in asked.items():
        for earlier, later in zip(moments, moments[1:], strict=False):
            found.examined += 1
            if later - earlier < A_MINUTE:
                found.broken("I16", "a token asked for twice in a minute", appkey[:4], later)
        found.examined += 1
    revoked = case.fired & {"D02", "D04", "D05", "A11"}
    for (appkey, day), count in issued.items():
        if count > TOKENS_A_DAY and not revoked:
            found.broken("I16", "more than two tokens in a day", appkey[:4], day, count)
    return found


def i18(case: Case) -> Finding:
    """Truthful reports: complete means every share, a claim is never more than was booked."""
    found = Finding()
    for run in case.runs.values():
        if run["state"] not in ("COMPLETED", "COMPLETED_WITH_SHORTFALL"):
            continue
        found.examined += 1
        missing = [leg for leg in run["legs"] if leg["filled"] < leg["qty"]]
        shrunk = [leg for leg in missing if leg.get("resized") not in (None, leg["qty"])]
        if run["state"] == "COMPLETED" and [leg for leg in missing if leg not in shrunk]:
            found.broken("I18", "complete, but not every leg is filled", run["id"])
        if run["state"] == "COMPLETED_WITH_SHORTFALL" and not missing:
            found.broken("I18", "a shortfall of nothing", run["id"])
    booked: Counter[str] = Counter()
    for row in case.view("ledger"):
        booked[row["odno_key"].rsplit("/", 1)[-1]] += row["d_qty"]
    for row in case.view("alert"):
        claimed = row.get("claimed_qty")
        if claimed is not None:
            found.examined += 1
            if claimed > booked[str(row["odno"])]:
                found.broken("I18", "more claimed than booked", row["id"], claimed)
    return found


def i19(case: Case) -> Finding:
    """One fire a slot, one run a slot."""
    found = Finding()
    fires = Counter((row["job"], row["slot"]) for row in case.view("schedfire"))
    runs = Counter((row["account"], row["strategy"], row["slot"]) for row in case.view("run"))
    for what, counts in (("fired", fires), ("ran", runs)):
        for place, count in counts.items():
            found.examined += 1
            if count > 1:
                found.broken("I19", f"{what} {count} times in one slot", *place)
    return found
