"""The overview's cards, each at its own address: worth and distance to target, what waits, what lives."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from rebalancing.selectors.attention import attention_of
from rebalancing.selectors.gaps import Gaps, gaps_of, newest_config, newest_target
from rebalancing.selectors.sparkline import sparkline
from rebalancing.selectors.standing import STALE_AFTER, Standing, standing_of
from rebalancing.selectors.upcoming import next_schedule
from trading.models import Account
from trading.selectors.calendar import known_calendar
from trading.selectors.people import Role, has_role
from trading.selectors.processes import living_processes
from trading.selectors.proposals import open_proposals
from trading.selectors.snapshots import equity_history, latest_snapshot
from trading.services.brokers import broker_silent_since
from trading.services.calendar import market_phase
from trading.services.switches import switch_state
from trading.views.access import chosen_account, desk_view
from trading.views.moments import market_now
from trading.views.parts import Part, answer_part

__all__ = [
    "alive_card",
    "alive_part",
    "attention_card",
    "attention_part",
    "standing_card",
    "standing_part",
]


def _url(name: str, account: Account) -> str:
    return f"{reverse(f'rebalancing:card-{name}')}?account={account.pk}"


def standing_part(account: Account, standing: Standing | None, now: datetime | None) -> Part:
    """What am I worth and how did it move; how far from target for the MP and each Sub-MP."""
    target, config = newest_target(account), newest_config()
    context = {
        "account": account,
        "standing": standing,
        "age": standing.age(now) if standing else None,
        "stale": bool(standing and standing.is_stale(now)),
        "spark": sparkline(equity_history(account)) if standing else None,
        "target": target,
        "config": config,
        "gaps": gaps_of(standing, target, config) if standing and target else None,
    }
    return Part("card-standing", _url("standing", account), "rebalancing/_standing.html", context)


def attention_part(request: HttpRequest, account: Account, gaps: Gaps | None) -> Part:
    """What needs me; `gaps` says whether a rebalancing could be started."""
    context = {
        "account": account,
        "attention": attention_of(
            account,
            admin=has_role(request.user, Role.ADMIN),
            proposals=open_proposals(request.user),
        ),
        "exceeded": gaps.exceeded if gaps else 0,
    }
    return Part(
        "card-attention", _url("attention", account), "rebalancing/_attention.html", context
    )


def alive_part(account: Account, now: datetime | None) -> Part:
    """Is everything alive: data, market, schedule, processes, switch."""
    calendar = known_calendar()
    snapshot = latest_snapshot(account)
    age = now - snapshot.taken_at if snapshot and now else None
    context = {
        "account": account,
        "now": now,
        "phase": str(market_phase(now, calendar)) if now else "",
        "snapshot": snapshot,
        "age": age,
        "stale": age is not None and age > STALE_AFTER,
        "upcoming": next_schedule(account, now, calendar) if now else None,
        "processes": living_processes(),
        "switch": switch_state(account),
        "silent_since": broker_silent_since(account),
    }
    return Part("card-alive", _url("alive", account), "rebalancing/_alive.html", context)


def _account(request: HttpRequest) -> Account:
    account = chosen_account(request)
    if account is None:
        raise Http404
    return account


@desk_view()
def standing_card(request: HttpRequest) -> HttpResponse:
    account = _account(request)
    return answer_part(request, standing_part(account, standing_of(account), market_now(account)))


@desk_view()
def attention_card(request: HttpRequest) -> HttpResponse:
    account = _account(request)
    standing, target = standing_of(account, with_day=False), newest_target(account)
    gaps = gaps_of(standing, target, newest_config(), {}) if standing and target else None
    return answer_part(request, attention_part(request, account, gaps))


@desk_view()
def alive_card(request: HttpRequest) -> HttpResponse:
    account = _account(request)
    return answer_part(request, alive_part(account, market_now(account)))
