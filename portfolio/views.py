"""What is held and what is wished for, side by side; read-only."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portfolio.selectors.holdings import holdings_of, lots_by_ticker
from portfolio.selectors.targets import decisions_of, target_classes
from trading.selectors.snapshots import latest_snapshot
from trading.views.access import chosen_account, desk_view
from trading.views.moments import market_now

__all__ = ["portfolio"]


@desk_view()
def portfolio(request: HttpRequest) -> HttpResponse:
    account = chosen_account(request)
    if account is None:
        return render(request, "portfolio/portfolio.html", {"account": None})
    holdings, decisions = holdings_of(account), decisions_of(account)
    snapshot, now = latest_snapshot(account), market_now(account)
    priced = [h for h in holdings if h.value is not None]
    context = {
        "account": account,
        "holdings": holdings,
        "lots": lots_by_ticker(account),
        "value": sum(h.value or 0 for h in priced),
        "cost": sum(h.cost for h in priced),
        "profit": sum(h.profit or 0 for h in priced),
        "snapshot": snapshot,
        "age": now - snapshot.taken_at if snapshot and now else None,
        "decisions": decisions,
        "classes": target_classes(decisions[0]) if decisions else [],
    }
    return render(request, "portfolio/portfolio.html", context)
