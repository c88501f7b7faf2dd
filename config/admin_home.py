"""The admin's first screen: what waits for somebody, what lives, and what comes next, on all accounts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.limits import limits_page
from rebalancing.selectors.inbox import inbox_of
from trading.selectors.calendar import known_calendar
from trading.selectors.people import Role, has_role, role_names
from trading.selectors.proposals import open_proposals
from trading.services.switches import strictest_state
from trading.views.access import accounts_seen, desk_view
from trading.views.moments import market_now
from trading.views.parts import Part, answer_part, embed

__all__ = ["home_part_view", "limits", "with_cards"]


def with_cards(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The front page's context with its living part; nothing for whoever has no role on the desk."""
    if role_names(request.user):
        context["home"] = embed(request, _part(request))
    return context


@desk_view()
def home_part_view(request: HttpRequest) -> HttpResponse:
    if not request.user.is_staff:  # type: ignore[union-attr]
        raise PermissionDenied
    return answer_part(request, _part(request))


@require_safe
def limits(request: HttpRequest) -> HttpResponse:
    return limits_page(request, admin.site)


def _part(request: HttpRequest) -> Part:
    accounts = accounts_seen(request)
    times = {one.environment: market_now(one) for one in accounts}
    clocks = {account: times[account.environment] for account in accounts}
    is_admin = has_role(request.user, Role.ADMIN)
    context = {
        "accounts": accounts,
        "inbox": inbox_of(clocks, known_calendar(), timezone.now(), admin=is_admin),
        "switch": strictest_state(accounts) if accounts else "ACTIVE",
        "may_decide": has_role(request.user, Role.APPROVER),
        "proposals": open_proposals(request.user).count(),
    }
    return Part("admin-home", reverse("admin-home"), "admin/_home.html", context)
