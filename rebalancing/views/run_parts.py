"""The three living parts of a run's page: where it is, what a person may do, and the numbers."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse

from rebalancing.domain.states import BEFORE_SELLING
from rebalancing.models import Leg, Run
from rebalancing.selectors.advice_view import advice_of
from rebalancing.selectors.refused_cancels import refused_cancels
from rebalancing.selectors.run_detail import (
    approvals_of,
    check_groups,
    drift_pairs,
    fills_of,
    history_of,
    legs_of,
    money_of,
    names_in,
    run_of,
    sent_of,
)
from rebalancing.selectors.timeline import steps_of, stopped_by, transitions_of
from rebalancing.selectors.why import why_of
from rebalancing.services.approvals import code_age
from rebalancing.views.grounds import approval_grounds
from trading.domain.errors import Reason
from trading.models import ApprovalPolicy
from trading.selectors.people import Role, has_role
from trading.selectors.policies import policy_shown
from trading.selectors.stops import ruling_stop
from trading.selectors.unknown import unknown_orders
from trading.services.switches import switch_state
from trading.views.access import accounts_seen
from trading.views.parts import Part
from trading.views.proof import needs_code

__all__ = ["action_part", "progress_part", "result_part", "seen_run"]


def seen_run(request: HttpRequest, run_id: int) -> Run:
    """The run, for members of its account only."""
    run = run_of(run_id, [account.pk for account in accounts_seen(request)])
    if run is None:
        raise Http404
    return run


def _part(run: Run, name: str, context: dict[str, Any]) -> Part:
    """A finished run has stopped changing and is not asked for again."""
    live = f"jeoul:run-{run.pk} from:body, every 5s"
    return Part(
        name=f"run-{name}",
        url=reverse(f"rebalancing:run-{name}", args=[run.pk]),
        template=f"rebalancing/_run_{name}.html",
        context={"run": run, "account": run.account} | context,
        trigger="" if run.is_terminal else live,
    )


def progress_part(run: Run) -> Part:
    """Where the run is."""
    transitions = transitions_of(run)
    missing = run.end_facts.get("missing")
    context = {
        "steps": steps_of(run, transitions),
        "transitions": transitions,
        "stopped": stopped_by(run, transitions),
        "names": names_in(run, legs_of(run)) if missing else {},
    }
    return _part(run, "progress", context)


def action_part(request: HttpRequest, run: Run, problems: list[Reason]) -> Part:
    """What this person may do now, or why not; `problems` are the grounds of a refusal just given."""
    unknown = [
        order
        for order in unknown_orders(run.account)
        if order.attempt.intent.origin == "run" and order.attempt.intent.origin_id == run.pk
    ]
    legs, policy = legs_of(run), policy_shown(run.account)
    stop = _stop(run, legs)
    context = {
        "problems": problems,
        "policy": policy,
        "money": money_of(run, legs),
        "legs": legs,
        "needs_code": needs_code(request, run.account, code_age(policy)),
        "is_trader": has_role(request.user, Role.TRADER),
        "is_approver": has_role(request.user, Role.APPROVER),
        "may_propose": has_role(request.user, Role.TRADER, Role.APPROVER),
        "two_needed": policy.kind == ApprovalPolicy.Kind.FOUR_EYES,
        "approval_grounds": approval_grounds(run, policy, request.user),
        "unknown": unknown,
        "stop_state": stop,
        "stop_row": ruling_stop(run.account) if stop else None,
        "stopped": stopped_by(run, transitions_of(run)) if run.is_terminal else "",
        "nothing_sent": run.state in BEFORE_SELLING,
        "paused": run.state in ("PAUSED_UNKNOWN", "PAUSED_EXTERNAL"),
    }
    return _part(run, "action", context)


def _stop(run: Run, legs: list[Leg]) -> str:
    """The state of the switch where it speaks against approving the plan: an approval would only end it."""
    if run.state != "AWAITING_APPROVAL":
        return ""
    state = switch_state(run.account)
    buys = any(leg.side == "BUY" for leg in legs)
    return state if state == "HALTED" or (state == "REDUCING" and buys) else ""


def result_part(run: Run) -> Part:
    """Plan, checks, fills, cash and drift before and after."""
    legs, history = legs_of(run), history_of(run)
    names = names_in(run, legs)
    checks = run.outcome.get("checks", [])
    context = {
        "legs": legs,
        "advice": advice_of(run, names),
        "money": money_of(run, legs, history),
        "sent": sent_of(run),
        "refused_cancels": refused_cancels(run),
        "whys": why_of(run),
        "history": history,
        "names": names,
        "checks": check_groups(run),
        "failed_checks": sum(check["verdict"] == "FAIL" for check in checks),
        "noted_checks": sum(check["verdict"] not in ("PASS", "FAIL") for check in checks),
        "drift": drift_pairs(run, history, names),
        "fills": fills_of(run),
        "approvals": approvals_of(run),
        "filtered": run.outcome.get("filtered", []),
    }
    return _part(run, "result", context)
