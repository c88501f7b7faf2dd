"""The badge of a stop in the header of every open page: it comes and goes without a reload."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from trading.models import Account
from trading.services.switches import strictest_state, switch_state
from trading.views.access import accounts_seen, chosen_account, desk_view
from trading.views.parts import Part, answer_part

__all__ = ["admin_stop_part", "stop_badge", "stop_part"]

SOCKETLESS = "every 5s"
"""The admin's pages hear no hints, so they ask twice as often."""


def stop_part(account: Account) -> Part:
    """On the desk: the account that the page is about."""
    url = f"{reverse('trading:stop-badge')}?account={account.pk}"
    return Part("stop-badge", url, "desk/_stop.html", {"state": switch_state(account)})


def admin_stop_part(accounts: list[Account]) -> Part:
    """In the admin: the strictest state of all accounts of whoever looks."""
    url = f"{reverse('trading:stop-badge')}?place=admin"
    context = {"state": strictest_state(accounts)}
    return Part("stop-badge", url, "admin/_stop.html", context, SOCKETLESS)


@desk_view()
def stop_badge(request: HttpRequest) -> HttpResponse:
    if request.GET.get("place") == "admin":
        return answer_part(request, admin_stop_part(accounts_seen(request)))
    account = chosen_account(request)
    if account is None:
        return HttpResponse(status=204)
    return answer_part(request, stop_part(account))
