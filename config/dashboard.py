"""The first screen: worth, distance to target, what needs me, is everything alive.

The roof sees every floor, so the page arrives whole; each card then keeps itself fresh from the app that
owns it.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rebalancing.selectors.standing import standing_of
from rebalancing.views.cards import alive_part, attention_part, standing_part
from trading.views.access import chosen_account, desk_view
from trading.views.moments import market_now
from trading.views.parts import embed

__all__ = ["overview"]


@desk_view()
def overview(request: HttpRequest) -> HttpResponse:
    account = chosen_account(request)
    if account is None:
        return render(request, "config/overview.html", {"account": None})
    now = market_now(account)
    worth = standing_part(account, standing_of(account), now)
    context = {
        "account": account,
        "standing": embed(request, worth),
        "attention": embed(request, attention_part(request, account, worth.context["gaps"])),
        "alive": embed(request, alive_part(account, now)),
    }
    return render(request, "config/overview.html", context)
