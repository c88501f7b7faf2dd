"""The rebalancing page with its history, the page of one run, and starting, stopping, resuming."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from rebalancing.models import Run
from rebalancing.selectors.advice_view import raw_advice
from rebalancing.selectors.attention import attention_of
from rebalancing.selectors.gaps import newest_config, newest_target
from rebalancing.selectors.run_list import FILTERS, SORTS, run_page
from rebalancing.selectors.upcoming import next_schedule
from rebalancing.services.runs import (
    active_run,
    refusals_to_start,
    run_cancel,
    run_open,
    run_resume,
)
from rebalancing.views.run_parts import action_part, progress_part, result_part, seen_run
from strategies.services.analysts import has_analyst
from trading.domain.errors import ConfigurationError, Reason, RuleViolation, StateConflict
from trading.selectors.calendar import known_calendar
from trading.selectors.people import Role, has_role
from trading.selectors.policies import policy_shown
from trading.views.access import chosen_account, desk_view, require_account
from trading.views.back import see_other
from trading.views.moments import market_now
from trading.views.parts import answer_part, embed

__all__ = [
    "cancel_run",
    "resume_run",
    "run_action",
    "run_advice",
    "run_detail",
    "run_progress",
    "run_result",
    "start_run",
    "status",
]


@desk_view()
def status(request: HttpRequest) -> HttpResponse:
    """What runs now, when the next one is due, and everything that ran before."""
    account = chosen_account(request)
    if account is None:
        return render(request, "rebalancing/status.html", {"account": None})
    state = request.GET.get("state", "all")
    sort = request.GET.get("sort", "new")
    now = market_now(account)
    context = {
        "account": account,
        "page": run_page(account, state, sort, request.GET.get("page", "1")),
        "filters": list(FILTERS),
        "sorts": list(SORTS),
        "state": state if state in FILTERS else "all",
        "sort": sort if sort in SORTS else "new",
        "attention": attention_of(account, admin=has_role(request.user, Role.ADMIN)),
        "config": newest_config(),
        "target": newest_target(account),
        "upcoming": next_schedule(account, now, known_calendar()) if now else None,
    }
    return render(request, "rebalancing/status.html", context)


@desk_view(Role.TRADER, methods=("GET", "HEAD", "POST"))
def start_run(request: HttpRequest) -> HttpResponse:
    """Says exactly what a run will do and every ground not to start one; POST opens it."""
    account = chosen_account(request)
    if request.method == "POST":
        account = require_account(request, request.POST.get("account"))
    if account is None:
        raise Http404
    reasons: list[Reason] = []
    status_code = 200
    wanted = has_analyst() and request.POST.get("planner") == Run.Planner.GEMINI
    planner = Run.Planner.GEMINI if wanted else Run.Planner.RULES
    if request.method == "POST":
        try:
            run = run_open(
                account,
                requester=request.user.get_username(),
                dry_run=request.POST.get("dry_run") == "on",
                planner=planner,
            )
        except RuleViolation as refused:
            reasons, status_code = list(refused.reasons), 422
        except StateConflict as conflict:
            reasons, status_code = [Reason(conflict.code, conflict.facts)], 409
        except ConfigurationError:
            reasons, status_code = [Reason("configuration")], 503
        else:
            return _see_run(run.pk)
    now = market_now(account)
    if request.method != "POST":
        reasons = (
            refusals_to_start(account, now, dry_run=False) if now else [Reason("configuration")]
        )
    context = {
        "account": account,
        "now": now,
        "reasons": reasons,
        "refused": request.method == "POST",
        # a refusal leaves the box as the person had it; beforehand a trial is all that is offered
        "dry_run": request.POST.get("dry_run") == "on"
        if request.method == "POST"
        else bool(reasons) or request.GET.get("dry_run") == "on",
        "planner": planner,
        "has_analyst": has_analyst(),
        "active": active_run(account),
        "policy": policy_shown(account),
        "config": newest_config(),
        "target": newest_target(account),
    }
    return render(request, "rebalancing/start.html", context, status=status_code)


def _see_run(run_id: int) -> HttpResponse:
    return see_other(reverse("rebalancing:run", args=[run_id]))


@desk_view()
def run_detail(request: HttpRequest, run_id: int) -> HttpResponse:
    run = seen_run(request, run_id)
    return render(request, "rebalancing/run.html", _page(request, run))


def _page(
    request: HttpRequest, run: Run, problems: list[Reason] | None = None
) -> dict[str, object]:
    return {
        "run": run,
        "account": run.account,
        "policy": policy_shown(run.account),
        "progress": embed(request, progress_part(run)),
        "action": embed(request, action_part(request, run, problems or [])),
        "result": embed(request, result_part(run)),
    }


@desk_view()
def run_progress(request: HttpRequest, run_id: int) -> HttpResponse:
    return answer_part(request, progress_part(seen_run(request, run_id)))


@desk_view()
def run_action(request: HttpRequest, run_id: int) -> HttpResponse:
    return answer_part(request, action_part(request, seen_run(request, run_id), []))


@desk_view()
def run_result(request: HttpRequest, run_id: int) -> HttpResponse:
    return answer_part(request, result_part(seen_run(request, run_id)))


@desk_view()
def run_advice(request: HttpRequest, run_id: int) -> HttpResponse:
    """The questions to the model and its answers as they were, as text that no browser interprets."""
    told = json.dumps(raw_advice(seen_run(request, run_id)), ensure_ascii=False, indent=1)
    return HttpResponse(told, content_type="text/plain; charset=utf-8")


@desk_view(Role.TRADER, methods=("POST",))
def cancel_run(request: HttpRequest, run_id: int) -> HttpResponse:
    """Stop a run: nothing new goes out; what works is cancelled first."""
    run = seen_run(request, run_id)
    try:
        stopped = run_cancel(run.pk, request.user.get_username())
    except StateConflict as conflict:
        return refused(request, run_id, [Reason(conflict.code, conflict.facts)], 409)
    if stopped.is_terminal:
        messages.success(request, _("취소했습니다. 주문은 나가지 않았습니다."))
    else:
        stopping = _("멈추는 중입니다. 살아 있는 주문을 먼저 취소합니다.")
        messages.info(request, stopping, "while-running")
    return _see_run(run_id)


@desk_view(Role.TRADER, methods=("POST",))
def resume_run(request: HttpRequest, run_id: int) -> HttpResponse:
    """Let a paused run go on, or close it (`close=1`)."""
    run = seen_run(request, run_id)
    try:
        run_resume(run.pk, request.user.get_username(), close=request.POST.get("close") == "1")
    except StateConflict as conflict:
        return refused(request, run_id, [Reason(conflict.code, conflict.facts)], 409)
    return _see_run(run_id)


def refused(
    request: HttpRequest, run_id: int, reasons: list[Reason], status_code: int
) -> HttpResponse:
    """The place where the person pressed the button, now with every reason; nothing has changed."""
    run = seen_run(request, run_id)
    return render(request, "rebalancing/run.html", _page(request, run, reasons), status=status_code)
