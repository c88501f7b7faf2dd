"""승인 대기: the plans that wait, and one confirmation for as many of them as were picked.

The page names each plan by run and hash; exactly those are decided, each for itself, by the service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rebalancing.models import Run
from rebalancing.selectors.waiting import WaitingPlan, waiting_plans
from rebalancing.selectors.words import WORDS
from rebalancing.services.approvals import code_age, decide_run
from trading.domain.errors import ConfigurationError, InputError, RuleViolation, StateConflict
from trading.models import Approval, ApprovalPolicy
from trading.selectors.people import Role, has_role
from trading.selectors.policies import policy_shown
from trading.views.access import accounts_seen
from trading.views.moments import market_now
from trading.views.proof import needs_code, proof_of, take_code

__all__ = ["confirm_many_page", "decide_many_page", "decide_one", "said", "waiting_page"]

_KEY = re.compile(r"([0-9]{1,15}):([0-9a-f]{64})", re.ASCII)
Policies = Mapping[int, ApprovalPolicy]
"""Run → the policy that rules its account."""
MOST = 50
"""Plans of one confirmation; a person reads each of them."""


@dataclass(frozen=True, slots=True)
class Picked:
    """What a form names. `lost` are picked plans that no longer wait as they were shown, with the reason;
    `beyond` are those over what one confirmation holds."""

    plans: tuple[WaitingPlan, ...]
    lost: tuple[tuple[int, str], ...]
    beyond: tuple[int, ...]


def said(error: Exception) -> list[str]:
    """Why a decision was refused, in sentences."""
    if isinstance(error, InputError | RuleViolation):
        return [WORDS.say(why.code, why.facts) for why in error.reasons]
    return [WORDS.say(getattr(error, "code", ""), getattr(error, "facts", {}))]


def decide_one(
    request: HttpRequest, run_id: int, plan_hash: str, verdict: str, reason: str
) -> list[str]:
    """Decide exactly the plan of this hash. Why not, when it was not done."""
    try:
        decide_run(run_id, plan_hash, request.user, verdict, reason, proof_of(request))
    except (RuleViolation, StateConflict, ConfigurationError) as error:
        return said(error)
    except Run.DoesNotExist:
        return [_gone(run_id)]
    return []


def waiting_page(request: HttpRequest, site: Any) -> HttpResponse:
    """Every plan that waits on the person's accounts; reading decides nothing."""
    plans = waiting_plans(accounts_seen(request))
    context = site.each_context(request) | {
        "title": _("승인 대기"),
        "rows": _rows(plans),
        "may_decide": has_role(request.user, Role.APPROVER),
    }
    return TemplateResponse(request, "admin/rebalancing/run/waiting.html", context)


def confirm_many_page(request: HttpRequest, site: Any) -> HttpResponse:
    """What exactly would be decided; it decides nothing. A form and no address names the plans: fifty of
    them are longer than what servers between here and there let pass."""
    found = _read(request)
    if isinstance(found, HttpResponse):
        return found
    picked, verdict = found
    return _confirmation(request, site, picked, verdict, _policies(picked))


def decide_many_page(request: HttpRequest, site: Any) -> HttpResponse:
    """Each picked plan decided, or told why not."""
    found = _read(request)
    if isinstance(found, HttpResponse):
        return found
    picked, verdict = found
    policies = _policies(picked)
    if problems := _code_problems(request, picked.plans, policies, verdict):
        return _confirmation(request, site, picked, verdict, policies, problems)
    _decide_each(request, picked, verdict, request.POST.get("reason", "").strip())
    return _back()


def _read(request: HttpRequest) -> tuple[Picked, str] | HttpResponse:
    """The plans and the verdict that a form names, or the way back to the list."""
    if not has_role(request.user, Role.APPROVER):
        raise PermissionDenied
    if request.method != "POST":
        return _back()
    verdict = request.POST.get("verdict", "")
    picked = _picked(request, request.POST.getlist("plan"))
    if verdict not in Approval.Verdict.values:
        messages.error(request, _("승인인지 거절인지 읽을 수 없습니다."))
        return _back()
    if not picked.plans:
        _tell_lost(request, picked)
        if not picked.lost:
            messages.warning(request, _("고른 계획이 없습니다. 바뀐 것은 없습니다."))
        return _back()
    return picked, verdict


def _policies(picked: Picked) -> Policies:
    return {plan.run.pk: policy_shown(plan.account) for plan in picked.plans}


def _confirmation(
    request: HttpRequest,
    site: Any,
    picked: Picked,
    verdict: str,
    policies: Policies,
    problems: Sequence[str] = (),
) -> HttpResponse:
    context = site.each_context(request) | {
        "title": _("승인 확인") if verdict == Approval.Verdict.APPROVE else _("거절 확인"),
        "rows": _rows(picked.plans, policies),
        "lost": picked.lost,
        "beyond": _beyond(picked),
        "verdict": verdict,
        "sells": sum(plan.money.sells for plan in picked.plans),
        "buys": sum(plan.money.buys for plan in picked.plans),
        "orders": sum(len(plan.legs) for plan in picked.plans),
        "needs_code": verdict == Approval.Verdict.APPROVE
        and bool(_asking(request, picked.plans, policies)),
        "problems": problems,
        "reason": request.POST.get("reason", "")[:300],
    }
    return TemplateResponse(
        request,
        "admin/rebalancing/run/decide_many.html",
        context,
        status=409 if problems else 200,
    )


def _back() -> HttpResponse:
    return redirect(reverse("admin:rebalancing_run_waiting"))


def _rows(plans: Sequence[WaitingPlan], policies: Policies | None = None) -> list[dict[str, Any]]:
    """Each plan with its account's time: a deadline is counted by the clock that decides it."""
    clocks = {plan.account.environment: market_now(plan.account) for plan in plans}
    rows = []
    for plan in plans:
        now = clocks[plan.account.environment]
        row = {"plan": plan, "now": now, "over": plan.is_over(now)}
        rows.append(row | {"policy": (policies or {}).get(plan.run.pk)})
    return rows


def _picked(request: HttpRequest, keys: Sequence[str]) -> Picked:
    """The plans that still wait as they were shown; anything that is no key names nothing."""
    named = {int(match[1]): match[2] for key in keys if (match := _KEY.fullmatch(key))}
    beyond = tuple(named)[MOST:]
    wanted = {run_id: named[run_id] for run_id in tuple(named)[:MOST]}
    found = {plan.run.pk: plan for plan in waiting_plans(accounts_seen(request), wanted)}
    plans, lost = [], []
    for run_id, plan_hash in wanted.items():
        plan = found.get(run_id)
        if plan is None:
            lost.append((run_id, _gone(run_id)))
        elif plan.run.plan_hash != plan_hash:
            lost.append((run_id, WORDS.say("stale_plan", {"run": run_id})))
        else:
            plans.append(plan)
    return Picked(tuple(plans), tuple(lost), beyond)


def _beyond(picked: Picked) -> str:
    """Which plans one confirmation could not hold, and what becomes of them; empty where it held all."""
    if not picked.beyond:
        return ""
    return _("한 번에 %(most)s건까지 결정합니다. 이 계획은 빠졌고 그대로 기다립니다: %(runs)s") % {
        "most": MOST,
        "runs": ", ".join(f"#{run_id}" for run_id in picked.beyond),
    }


def _gone(run_id: int) -> str:
    return WORDS.say("not_awaiting", {"run": run_id})


def _asking(
    request: HttpRequest, plans: Sequence[WaitingPlan], policies: Policies
) -> list[timedelta]:
    """How old the code may be, for each plan that asks for a newer one."""
    ages = [(plan, code_age(policies[plan.run.pk])) for plan in plans]
    return [age for plan, age in ages if needs_code(request, plan.account, age)]


def _code_problems(
    request: HttpRequest, plans: Sequence[WaitingPlan], policies: Policies, verdict: str
) -> list[str]:
    """One code for all: a wrong or missing one decides nothing at all."""
    try:
        take_code(request)
    except (InputError, StateConflict) as error:
        return said(error)
    if verdict == Approval.Verdict.APPROVE and (ages := _asking(request, plans, policies)):
        return [WORDS.say("code_required", {"minutes": int(min(ages).total_seconds() // 60)})]
    return []


def _decide_each(request: HttpRequest, picked: Picked, verdict: str, reason: str) -> None:
    done = 0
    for plan in picked.plans:
        problems = decide_one(request, plan.run.pk, plan.run.plan_hash, verdict, reason)
        done += not problems
        for text in problems:
            _tell(request, plan.run.pk, text)
    _tell_lost(request, picked)
    if done and verdict == Approval.Verdict.APPROVE:
        told = ngettext(
            "계획 %(n)d건을 승인했습니다. 주문을 시작합니다.",
            "계획 %(n)d건을 승인했습니다. 주문을 시작합니다.",
            done,
        )
        messages.success(request, told % {"n": done})
    elif done:
        told = ngettext(
            "계획 %(n)d건을 거절했습니다. 주문은 나가지 않습니다.",
            "계획 %(n)d건을 거절했습니다. 주문은 나가지 않습니다.",
            done,
        )
        messages.success(request, told % {"n": done})


def _tell_lost(request: HttpRequest, picked: Picked) -> None:
    for run_id, text in picked.lost:
        _tell(request, run_id, text)
    if told := _beyond(picked):
        messages.warning(request, told)


def _tell(request: HttpRequest, run_id: int, text: str) -> None:
    messages.error(request, _("리밸런싱 #%(run)s: %(why)s") % {"run": run_id, "why": text})
