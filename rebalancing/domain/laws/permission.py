"""Nothing leaves without leave: I9, I11, I12, I17, I20, I21.

The gate, the approval, the stop, the environment, the build, and what a planner may not say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rebalancing.domain.laws.case import NEW, Case, Finding, Row, moment

__all__ = ["i11", "i12", "i17", "i20", "i21", "i9"]

SEOUL = ZoneInfo("Asia/Seoul")
GATE_SECONDS = 2
REQUIRED_RULES = frozenset({"switch", "session_open", "instrument_tradable", "lane_free"})
"""Without these a check is not the gate, whatever it says."""
FRESH = frozenset({"totp", "code", "second_factor", "step_up", "recovery"})


def i9(case: Case) -> Finding:
    """Every order has a check of its own that passed, made in the moment of its send record."""
    found = Finding()
    checks: dict[int, list[Row]] = defaultdict(list)
    for row in case.view("rulecheck"):
        if row["attempt_id"] is not None:
            checks[row["attempt_id"]].append(row)
    for attempt in case.attempts.values():
        if attempt["action"] != NEW:
            continue
        found.examined += 1
        mine, committed = checks.get(attempt["id"], []), moment(attempt["committed_at"])
        if len(mine) != 1 or committed is None:
            found.broken("I9", f"{len(mine)} checks of one order", attempt["id"])
            continue
        check, at = mine[0], moment(mine[0]["at"])
        if check["verdict"] != "PASS" or not all(one["passed"] for one in check["results"]):
            found.broken("I9", "sent although the gate was shut", attempt["id"], check["id"])
        missing = REQUIRED_RULES - {one["rule"] for one in check["results"]}
        if missing:
            found.broken("I9", f"rules not asked: {', '.join(sorted(missing))}", check["id"])
        if at is None or not timedelta(0) <= committed - at <= timedelta(seconds=GATE_SECONDS):
            found.broken("I9", "a check of another moment", attempt["id"], check["id"])
    return found


def i11(case: Case) -> Finding:
    """A run's order belongs to a plan that was approved in time, by who may, once."""
    found = Finding()
    decisions: dict[tuple[int, str], list[Row]] = defaultdict(list)
    for row in case.view("approval"):
        decisions[row["run_id"], row["plan_hash"]].append(row)
    for place, rows in decisions.items():
        found.examined += 1
        if len(rows) > 1:
            found.broken("I11", "a plan decided twice", *place)
        for row in rows:
            _decided_well(row, found)
    for attempt in case.attempts.values():
        intent = case.intents.get(attempt["intent_id"])
        if attempt["action"] != NEW or intent is None or intent["origin"] != "run":
            continue
        found.examined += 1
        rows = decisions.get((intent["origin_id"], intent["plan_hash"]), [])
        if not any(row["verdict"] == "APPROVE" for row in rows):
            found.broken("I11", "sent without an approval of its plan", attempt["id"], intent["id"])
            continue
        decided = moment(rows[0]["decided_at"])
        committed, run = moment(attempt["committed_at"]), case.runs.get(intent["origin_id"])
        if decided is None or committed is None or committed < decided:
            found.broken("I11", "sent before it was approved", attempt["id"], rows[0]["id"])
        ends = moment(run["deadline_at"]) if run else None
        if ends is not None and committed is not None and committed > ends:
            found.broken("I11", "sent after the run's deadline", attempt["id"])
    return found


def _decided_well(row: Row, found: Finding) -> None:
    decided, expires = moment(row["decided_at"]), moment(row["expires_at"])
    if row["verdict"] == "APPROVE" and expires and decided and decided > expires:
        found.broken("I11", "approved too late", row["id"])
    if row["policy"] == "four_eyes":
        if row["approver"] == row["requester"]:
            found.broken("I11", "one person where two are asked for", row["id"])
        if row["verdict"] == "APPROVE" and row["auth_level"] not in FRESH:
            found.broken("I11", "approved without a second factor", row["id"], row["auth_level"])


def i12(case: Case) -> Finding:
    """Stop means stop: no order's record is committed while its scope is halted."""
    found = Finding()
    rows = sorted((r for r in case.view("switch") if r["seq"] is not None), key=lambda r: r["seq"])
    for row in rows:
        if row["state"] == "ACTIVE":
            found.examined += 1
            if row["policy"] == "four_eyes" and (not row["by2"] or row["by2"] == row["by"]):
                found.broken("I12", "released by one person", row["id"])
    for attempt in case.attempts.values():
        intent = case.intents.get(attempt["intent_id"])
        if attempt["action"] != NEW or attempt["seq"] is None or intent is None:
            continue
        found.examined += 1
        for scope in _scopes(case, intent):
            earlier = [r for r in rows if r["scope"] == scope and r["seq"] < attempt["seq"]]
            state = earlier[-1]["state"] if earlier else "ACTIVE"
            if state == "HALTED" or (state == "REDUCING" and intent["side"] == "BUY"):
                found.broken("I12", f"sent while {scope} was {state}", attempt["id"])
    return found


def _scopes(case: Case, intent: Row) -> tuple[str, ...]:
    """Names under which a stop may hold an order: everything, its account, its strategy."""
    run = case.runs_of(intent)
    strategy = (f"strategy:{run['strategy']}",) if run is not None else ()
    return ("global", f"account:{intent['account']}", *strategy)


def i17(case: Case) -> Finding:
    """One environment: real money only where the process and the account both say so."""
    found = Finding()
    for intent in case.intents.values():
        found.examined += 1
        if intent["env"] not in ("sim", "mock", "real"):
            found.broken("I17", "an environment that is none", intent["id"], intent["env"])
        if intent["env"] == "real" and not case.env.get("live_trading"):
            found.broken("I17", "a real order of a process that may not", intent["id"])
        if intent["env"] == "real" and case.journal is not None:
            found.broken("I17", "a real order at a simulator", intent["id"])
    return found


def i20(case: Case) -> Finding:
    """One build trades an account's day; another may follow when nothing of it is left without an answer."""
    found = Finding()
    days: dict[tuple[str, str], list[tuple[datetime, Row]]] = defaultdict(list)
    for attempt in case.attempts.values():
        intent, at = case.intents.get(attempt["intent_id"]), moment(attempt["committed_at"])
        if intent is not None and at is not None and attempt["action"] == NEW:
            day = at.astimezone(SEOUL).date().isoformat()
            days[intent["account"], day].append((at, attempt))
    for place, sent in days.items():
        found.examined += 1
        sent.sort(key=lambda one: (one[0], one[1]["id"]))
        order = [attempt["build_id"] for _at, attempt in sent]
        turns = [name for number, name in enumerate(order) if order[number - 1 : number] != [name]]
        if len(set(turns)) < len(turns):
            found.broken("I20", "two builds at once", *place, *sorted(set(turns)))
        elif (early := _before_its_answer(case, sent)) is not None:
            found.broken("I20", "a build began before an order of another had its answer", early)
    return found


def _before_its_answer(case: Case, sent: list[tuple[datetime, Row]]) -> int | None:
    """The first order of a build that left while one of an earlier build was on its way or unknown."""
    settled: dict[int, datetime] = {}
    for row in case.view("transition"):
        if row["object_type"] == "attempt" and row["to"] not in ("SENDING", "UNKNOWN"):
            at = moment(row["at"])
            if at is not None:
                settled[row["object_id"]] = at
    for number, (at, attempt) in enumerate(sent):
        for _before, earlier in sent[:number]:
            if earlier["build_id"] == attempt["build_id"]:
                continue
            answered = settled.get(earlier["id"])
            if answered is None or answered > at:
                return int(attempt["id"])
    return None


def i21(case: Case) -> Finding:
    """Who advises how to trade never decides what: intents are the netted trades, or less of them."""
    found = Finding()
    for run in case.runs.values():
        netted = Counter[tuple[str, str]]()
        for row in run["netted"]:
            netted[row["ticker"], row["side"]] += row["qty"]
        legs = Counter[tuple[str, str]]()
        for leg in run["legs"]:
            legs[leg["ticker"], leg["side"]] += leg["qty"]
        found.examined += 1
        if run["legs"] and legs != netted:
            found.broken("I21", "a plan that is not the netted trades", run["id"], run["planner"])
        for intent in case.intents.values():
            if intent["action"] != NEW or case.runs_of(intent) is not run:
                continue
            if (
                intent["plan_hash"] == run["plan_hash"]
                and (intent["ticker"], intent["side"]) not in netted
            ):
                found.broken("I21", "an order that nobody netted", run["id"], intent["id"])
    return found
