"""The reconciliation desk: what nobody knows, what others did, and how we compared with the broker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from rebalancing.selectors.words import WORDS
from trading.domain.errors import BrokerError, ConfigurationError, StateConflict
from trading.models import Account, Attempt
from trading.selectors.people import Role, has_role
from trading.selectors.policies import under_four_eyes
from trading.selectors.reconciliation import (
    compared_holdings,
    decisions_on,
    external_orders,
    order_list_readings,
    reconciled_processes,
    watched_lanes,
)
from trading.selectors.unknown import UnknownOrder, unknown_orders
from trading.services.epochs import has_ended
from trading.services.reconcile import reconcile_account
from trading.services.unanswered import ABSENT_AFTER, CHECKS_NEEDED
from trading.views.access import chosen_account, desk_view, require_account
from trading.views.back import back_to
from trading.views.moments import market_now
from trading.views.parts import Part, answer_part, embed

__all__ = ["Condition", "conditions_of", "reconcile_now", "reconciliation", "reconciliation_part"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold before an order may be declared absent, as a code."""

    code: str
    holds: bool
    facts: dict[str, int]


def conditions_of(unknown: UnknownOrder, now: datetime | None) -> list[Condition]:
    """What the service will ask for at the moment of the decision, as it stands now."""
    attempt = unknown.attempt
    over = now is not None and now >= attempt.deadline_at + ABSENT_AFTER
    seconds = round(ABSENT_AFTER / timedelta(seconds=1))
    looks = {"checks": attempt.absence_checks, "needed": CHECKS_NEEDED}
    return [
        Condition("window_over", over, {"seconds": seconds}),
        Condition("looked_often", attempt.absent_presumed, looks),
        Condition("none_fits", not unknown.candidates, {"count": len(unknown.candidates)}),
        Condition("sender_ended", _sender_is_done(attempt), {}),
    ]


def _sender_is_done(attempt: Attempt) -> bool:
    """An answer was read, or the process that sent it is proven to have ended: nothing more can leave."""
    answered = attempt.answered_at is not None or bool(attempt.message)
    return answered or has_ended(attempt.epoch_id)


@desk_view()
def reconciliation(request: HttpRequest) -> HttpResponse:
    account = chosen_account(request)
    if account is None:
        return render(request, "rebalancing/reconciliation.html", {"account": None})
    context = {"account": account, "part": embed(request, _part(request, account))}
    return render(request, "rebalancing/reconciliation.html", context)


@desk_view()
def reconciliation_part(request: HttpRequest) -> HttpResponse:
    account = chosen_account(request)
    if account is None:
        return HttpResponse(status=204)
    return answer_part(request, _part(request, account))


def _part(request: HttpRequest, account: Account) -> Part:
    now = market_now(account)
    readings, holdings = order_list_readings(account), compared_holdings(account)
    whole = next((one for one in readings if one.complete), None)
    context = {
        "account": account,
        "now": now,
        "unknown": [
            {
                "order": one,
                "conditions": conditions_of(one, now),
            }
            for one in unknown_orders(account)
        ],
        "external": external_orders(account),
        "watched": watched_lanes(account, now),
        "readings": readings,
        "whole": whole,
        "whole_age": now - whole.ended_at if now and whole else None,
        "holdings": holdings,
        "holdings_age": now - holdings.at if now and holdings else None,
        "processes": reconciled_processes(account),
        "decisions": decisions_on(account),
        "paused": account.paused_reason == Account.EXTERNAL_ORDER,
        "is_approver": has_role(request.user, Role.APPROVER),
        "may_propose": has_role(request.user, Role.TRADER, Role.APPROVER),
        "two_needed": under_four_eyes(account),
        "may_trade": has_role(request.user, Role.TRADER),
        "may_look": has_role(request.user, Role.TRADER, Role.APPROVER, Role.ADMIN),
    }
    url = f"{reverse('rebalancing:reconciliation-part')}?account={account.pk}"
    return Part("reconciliation-part", url, "rebalancing/_reconciliation.html", context)


@desk_view(Role.TRADER, Role.APPROVER, Role.ADMIN, methods=("POST",))
def reconcile_now(request: HttpRequest) -> HttpResponse:
    """Read the broker's whole order list once more and settle what it proves. Nothing is sent."""
    account = require_account(request, request.POST.get("account"))
    try:
        found = reconcile_account(account)
    except (BrokerError, ConfigurationError, StateConflict) as error:
        messages.error(request, WORDS.say(error.code) + " " + _("바뀐 것은 없습니다."))
    else:
        if found.complete:
            text = _("증권사의 주문 %(rows)s건을 끝까지 읽고 대조했습니다.")
            messages.success(request, text % {"rows": found.rows})
        else:
            messages.warning(
                request, _("주문 목록을 끝까지 읽지 못했습니다. 아무것도 결론 내리지 않았습니다.")
            )
    return back_to(request, reverse("rebalancing:reconciliation"))
