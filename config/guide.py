"""The first steps, what practice has proven, and what Jeoul does not promise."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.guide_words import PROOF_WORDS, STEP_WORDS
from rebalancing.selectors.first_steps import TRIED, first_steps, practice_account
from rebalancing.selectors.proven import proven
from trading.models import Account
from trading.views.access import accounts_seen, chosen_account, desk_view

__all__ = ["guide"]


@desk_view()
def guide(request: HttpRequest) -> HttpResponse:
    account = chosen_account(request)
    steps, proofs = first_steps(request.user, account), proven(request.user)
    context = {
        "account": account,
        "practice": practice_account(request.user, account),
        "tried": TRIED,
        "granted": request.user.get_all_permissions() if request.user.is_staff else (),
        "steps": [(step, STEP_WORDS[step.code]) for step in steps],
        "done": sum(step.done for step in steps),
        "proofs": [(proof, PROOF_WORDS[proof.code]) for proof in proofs],
        "unseen": sum(not proof.seen for proof in proofs),
        "has_real": any(
            one.environment == Account.Environment.REAL for one in accounts_seen(request)
        ),
    }
    return render(request, "config/guide.html", context)
