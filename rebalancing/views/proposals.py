"""변경 제안: what waits for a second person's word, and that word."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from rebalancing.selectors.proposals import lines_of
from rebalancing.selectors.words import WORDS
from trading.domain.errors import (
    BrokerError,
    ConfigurationError,
    InputError,
    Reason,
    RuleViolation,
    StateConflict,
)
from trading.models import Proposal
from trading.selectors.people import Role
from trading.selectors.proposals import closed_proposals, open_proposals, proposals_seen
from trading.services.proposals import agree, decision_grounds, refuse, withdraw
from trading.views.access import desk_view
from trading.views.back import back_to
from trading.views.parts import Part, answer_part, embed
from trading.views.proof import proof_of, step_up

__all__ = [
    "agree_proposal",
    "proposals",
    "proposals_part",
    "refuse_proposal",
    "withdraw_proposal",
]


@desk_view()
def proposals(request: HttpRequest) -> HttpResponse:
    return render(request, "rebalancing/proposals.html", {"part": embed(request, _part(request))})


@desk_view()
def proposals_part(request: HttpRequest) -> HttpResponse:
    return answer_part(request, _part(request))


def _part(request: HttpRequest) -> Part:
    """Keeps itself fresh: a proposal that somebody decides meanwhile must not look as if it waited."""
    closed = [
        {"row": one, "lines": [line for line in lines_of(one) if line.changes]}
        for one in closed_proposals(request.user)
    ]
    waiting = [_card(request, one) for one in open_proposals(request.user)]
    context = {"waiting": waiting, "closed": closed}
    url = reverse("rebalancing:proposals-part")
    return Part("proposals-part", url, "rebalancing/_proposals.html", context)


def _card(request: HttpRequest, proposal: Proposal) -> dict[str, Any]:
    """The proposal with what it changes, and why this person may not agree, save for a code to be shown."""
    grounds = [
        ground
        for ground in decision_grounds(proposal, request.user, proof_of(request))
        if ground.code != "code_required"
    ]
    roles = {"approver_role_required", "not_a_member"}
    lines = lines_of(proposal)
    return {
        "row": proposal,
        "changing": [line for line in lines if line.changes],
        "staying": [line for line in lines if not line.changes],
        "grounds": grounds,
        "may_agree": not grounds,
        "may_refuse": not roles & {ground.code for ground in grounds},
        "own": proposal.by == request.user.get_username(),
    }


@desk_view(Role.APPROVER, methods=("POST",))
@step_up
def agree_proposal(request: HttpRequest, proposal_id: int) -> HttpResponse:
    proposal = _seen(request, proposal_id)
    if _done(request, lambda: agree(proposal.pk, request.user, proof_of(request))):
        messages.success(request, _("동의했습니다. 이제 적용됩니다."))
    return _back(request)


@desk_view(Role.APPROVER, methods=("POST",))
def refuse_proposal(request: HttpRequest, proposal_id: int) -> HttpResponse:
    proposal = _seen(request, proposal_id)
    reason = request.POST.get("reason", "").strip()
    if _done(request, lambda: refuse(proposal.pk, request.user, reason)):
        messages.success(request, _("거절했습니다. 바뀐 것은 없습니다."))
    return _back(request)


@desk_view(Role.TRADER, Role.APPROVER, Role.ADMIN, methods=("POST",))
def withdraw_proposal(request: HttpRequest, proposal_id: int) -> HttpResponse:
    proposal = _seen(request, proposal_id)
    if _done(request, lambda: withdraw(proposal.pk, request.user.get_username())):
        messages.success(request, _("제안을 거두었습니다."))
    return _back(request)


def _seen(request: HttpRequest, proposal_id: int) -> Proposal:
    found = proposals_seen(request.user).filter(pk=proposal_id).first()
    if found is None:
        raise Http404
    return found


def _done(request: HttpRequest, act: Any) -> bool:
    try:
        act()
    except (InputError, RuleViolation) as error:
        _tell(request, list(error.reasons))
    except StateConflict as conflict:
        _tell(request, [Reason(conflict.code, conflict.facts)])
    except (BrokerError, ConfigurationError) as error:
        _tell(request, [Reason(error.code)])
    else:
        return True
    return False


def _tell(request: HttpRequest, reasons: list[Reason]) -> None:
    for reason in reasons:
        messages.error(request, WORDS.say(reason.code, reason.facts))


def _back(request: HttpRequest) -> HttpResponse:
    return back_to(request, reverse("rebalancing:proposals"))
