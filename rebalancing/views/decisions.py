"""What a person decides: a plan, an order nobody can find, an alert that has been read."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from rebalancing.selectors.words import WORDS
from rebalancing.services.approvals import decide_run
from rebalancing.views.grounds import settling_grounds
from rebalancing.views.run_parts import seen_run
from rebalancing.views.runs import refused
from trading.domain.errors import (
    BrokerError,
    ConfigurationError,
    InputError,
    JeoulError,
    Reason,
    RuleViolation,
    StateConflict,
)
from trading.models import Alert, Approval, Attempt, Decision, Intent
from trading.selectors.alerts import alerts_seen_by
from trading.selectors.people import Role
from trading.services.alerts import acknowledge
from trading.services.deciding import decide_unknown
from trading.services.pauses import lift_pause
from trading.views.access import accounts_seen, desk_view
from trading.views.back import back_to, see_other
from trading.views.proof import proof_of, step_up, take_code

__all__ = ["acknowledge_alert", "approve_run", "decide_attempt", "reject_run", "resume_account"]

_FORBIDDEN = {
    "approver_role_required",
    "not_a_member",
    "requester_may_not_approve",
    "approver_not_independent",
}


@desk_view(Role.APPROVER, methods=("POST",))
def approve_run(request: HttpRequest, run_id: int) -> HttpResponse:
    """Approve exactly the plan whose hash the form carries."""
    return _decide(request, run_id, Approval.Verdict.APPROVE, _("승인했습니다. 주문을 시작합니다."))


@desk_view(Role.APPROVER, methods=("POST",))
def reject_run(request: HttpRequest, run_id: int) -> HttpResponse:
    return _decide(
        request, run_id, Approval.Verdict.DENY, _("거절했습니다. 주문은 나가지 않습니다.")
    )


def _decide(request: HttpRequest, run_id: int, verdict: str, done: str) -> HttpResponse:
    run = seen_run(request, run_id)
    plan_hash = request.POST.get("plan_hash", "")
    reason = request.POST.get("reason", "").strip()
    try:
        take_code(request)
        decide_run(run.pk, plan_hash, request.user, verdict, reason, proof_of(request))
    except InputError as wrong:
        return refused(request, run_id, list(wrong.reasons), 422)
    except RuleViolation as violation:
        forbidden = _FORBIDDEN & {reason.code for reason in violation.reasons}
        return refused(request, run_id, list(violation.reasons), 403 if forbidden else 422)
    except StateConflict as conflict:
        return refused(request, run_id, [Reason(conflict.code, conflict.facts)], 409)
    except ConfigurationError:
        return refused(request, run_id, [Reason("configuration")], 503)
    messages.success(request, done, "while-running" if verdict == Approval.Verdict.APPROVE else "")
    return _see(run_id)


def _see(run_id: int) -> HttpResponse:
    return see_other(reverse("rebalancing:run", args=[run_id]))


@desk_view(Role.APPROVER, methods=("POST",))
@step_up
def decide_attempt(request: HttpRequest, attempt_id: int) -> HttpResponse:
    """Adopt an order, declare it absent, or leave it; the service looks at the broker once more."""
    attempt = (
        Attempt.objects.filter(pk=attempt_id, intent__account__in=accounts_seen(request))
        .select_related("intent__account")
        .first()
    )
    verdict = request.POST.get("verdict", "")
    if attempt is None or verdict not in Decision.Verdict.values:
        raise Http404
    try:
        _require_other_person(attempt, request.user.get_username(), verdict)
        decide_unknown(
            attempt.pk, verdict, request.user.get_username(), request.POST.get("order_no", "")[:10]
        )
    except JeoulError as error:
        for text in _sentences(error):
            messages.error(request, text)
    else:
        messages.success(request, _("결정을 기록했습니다."))
    run_id = attempt.intent.origin_id
    of_run = attempt.intent.origin == Intent.Origin.RUN and run_id
    return back_to(
        request, reverse("rebalancing:run", args=[run_id]) if of_run else reverse("overview")
    )


def _require_other_person(attempt: Attempt, username: str, verdict: str) -> None:
    """Under four eyes whoever asked for the run may not decide what became of its orders."""
    if verdict == Decision.Verdict.LEAVE:
        return
    if reasons := settling_grounds(attempt, username):
        raise RuleViolation(reasons)


def _sentences(error: JeoulError) -> list[str]:
    match error:
        case RuleViolation():
            return [WORDS.say(r.code, r.facts) for r in error.reasons]
        case StateConflict():
            return [WORDS.say(error.code, error.facts)]
        case BrokerError() | ConfigurationError():
            return [WORDS.say(error.code)]
    return [str(error)]


@desk_view(Role.TRADER, methods=("POST",))
def resume_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """Say that somebody else's order has been looked at: the account may buy again."""
    account = next((found for found in accounts_seen(request) if found.pk == account_id), None)
    if account is None:
        raise Http404
    try:
        lift_pause(account, request.user.get_username())
    except StateConflict as conflict:
        messages.error(request, WORDS.say(conflict.code, conflict.facts))
    else:
        messages.success(request, _("계좌 매수를 다시 허용했습니다."))
    return back_to(request, reverse("overview"))


@desk_view(Role.TRADER, Role.APPROVER, Role.ADMIN, methods=("POST",))
def acknowledge_alert(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Say that a person has read the alert; it stays in the record."""
    found = Alert.objects.filter(alerts_seen_by(request.user), pk=alert_id).first()
    if found is None:
        raise Http404
    acknowledge(found, request.user.get_username())
    return back_to(request, reverse("overview"))
