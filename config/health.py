"""Is the machinery alive: clock, market, token, data, due runs, processes, the emergency stop."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config.queues import queues
from config.stop_card import stop_card, waiting_policy_of
from rebalancing.models import Run
from rebalancing.selectors.agenda import agenda_of
from rebalancing.services.heartbeat import last_beat
from rebalancing.services.wakeups import asleep
from trading.models import Account, Enumeration, KisToken
from trading.selectors.calendar import calendar_state
from trading.selectors.processes import living_processes
from trading.selectors.snapshots import latest_snapshot
from trading.services.brokers import abilities_of, broker_silent_since, key_digest
from trading.services.calendar import market_phase
from trading.services.rate import budget_for
from trading.views.access import chosen_account, desk_view
from trading.views.moments import market_now
from trading.views.parts import Part, answer_part, embed

__all__ = ["health", "health_part_view", "health_switch_view"]

OVERDUE = timedelta(seconds=30)
LATE_BEAT = timedelta(seconds=30)


@desk_view()
def health(request: HttpRequest) -> HttpResponse:
    account = chosen_account(request)
    if account is None:
        return render(request, "config/health.html", {"account": None})
    context = {
        "account": account,
        "switch_card": embed(request, stop_card(request, account)),
        "waiting_policy": waiting_policy_of(request, account),
        "part": embed(request, _part(account)),
    }
    return render(request, "config/health.html", context)


@desk_view()
def health_part_view(request: HttpRequest) -> HttpResponse:
    account = chosen_account(request)
    if account is None:
        return HttpResponse(status=204)
    return answer_part(request, _part(account))


@desk_view()
def health_switch_view(request: HttpRequest) -> HttpResponse:
    account = chosen_account(request)
    if account is None:
        return HttpResponse(status=204)
    return answer_part(request, stop_card(request, account))


def _part(account: Account) -> Part:
    now = market_now(account)
    calendar = calendar_state((now or timezone.now()).date())
    snapshot = latest_snapshot(account)
    token = (
        KisToken.objects.filter(key_digest=key_digest(account)).order_by("-issued_at").first()
        if account.app_key
        else None
    )
    context = {
        "account": account,
        "now": now,
        "wall": timezone.now(),
        "simulated": account.environment == Account.Environment.SIM,
        "clock_url_set": bool(settings.SIM_CLOCK_URL),
        "phase": str(market_phase(now)) if now else "",
        "calendar": calendar,
        "calendar_age": _age(now, calendar.read_at),
        "calendar_ends": bool(now and now.year >= calendar.last_year),
        "queues": queues(),
        "pace": budget_for(key_digest(account), account.wire).pace() if account.app_key else None,
        "token": token,
        "token_alive": bool(token and token.expires_at and now and token.expires_at > now),
        "snapshot": snapshot,
        "snapshot_age": _age(now, snapshot.taken_at if snapshot else None),
        "orders": Enumeration.objects.filter(account=account).first(),
        **_processes(),
        "silent_since": broker_silent_since(account),
        "abilities": (can := abilities_of(account)),
        "lacking": any(not ability.offered for ability in can),
        **_beat(),
        "asleep": asleep(),
        "agenda": agenda_of(account, now) if now else [],
        "overdue": _overdue(account, now),
    }
    return Part(
        "health-part",
        f"{reverse('health-part')}?account={account.pk}",
        "config/_health.html",
        context,
    )


def _processes() -> dict[str, Any]:
    """Those that live, and the builds they are of when these are more than one."""
    living = living_processes()
    builds = sorted({one.build_id for one in living})
    return {"processes": living, "builds": builds if len(builds) > 1 else []}


def _beat() -> dict[str, Any]:
    """When the worker last swept, by the wall's clock: a process that exists may still do nothing."""
    beat, wall = last_beat(), timezone.now()
    age = wall - beat if beat else None
    return {"beat": beat, "beat_age": age, "beat_late": age is not None and age > LATE_BEAT}


def _age(now: datetime | None, then: datetime | None) -> timedelta | None:
    return now - then if now and then else None


def _overdue(account: Account, now: datetime | None) -> list[Run]:
    """Active runs whose time has passed and that nobody has driven on."""
    if now is None:
        return []
    return list(Run.objects.filter(account=account, terminal_at=None, due_at__lt=now - OVERDUE))
