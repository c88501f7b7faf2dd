"""What waits and what lives on several accounts at once, with how long it has: the admin's first screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from rebalancing.domain.states import RunState
from rebalancing.models import Run, RunSchedule
from rebalancing.selectors.upcoming import Upcoming, soonest_of
from trading.domain.sessions import Calendar
from trading.models import Account, Alert, Attempt

__all__ = ["Aged", "Inbox", "inbox_of"]

MOST_ALERTS, MOST_UNKNOWN = 4, 10


@dataclass(frozen=True, slots=True)
class Aged:
    """A row with its moment and its age by the clock of its account; no age while that clock is silent."""

    row: Any
    at: datetime
    age: timedelta | None


@dataclass(frozen=True, slots=True)
class Inbox:
    waiting: tuple[Aged, ...]
    alive: tuple[Aged, ...]
    unknown: tuple[Aged, ...]
    unknown_count: int
    alerts: tuple[Aged, ...]
    alert_count: int
    soonest: Upcoming | None

    @property
    def unknown_more(self) -> int:
        """How many orders of unknown outcome are not shown."""
        return self.unknown_count - len(self.unknown)

    @property
    def alert_more(self) -> int:
        """How many open alerts are not shown."""
        return self.alert_count - len(self.alerts)


def inbox_of(
    clocks: Mapping[Account, datetime | None],
    calendar: Calendar,
    wall: datetime,
    *,
    admin: bool = False,
) -> Inbox:
    """`clocks` are the accounts with their market's time; an admin also reads what is about no account."""
    accounts = [account.pk for account in clocks]
    now = {account.pk: moment for account, moment in clocks.items()}

    def aged(row: Any, account: int | None, at: datetime) -> Aged:
        moment = now.get(account) if account is not None else wall
        return Aged(row, at, max(moment - at, timedelta(0)) if moment else None)

    active = [
        aged(run, run.account_id, run.state_since)
        for run in Run.objects.filter(account__in=accounts, terminal_at=None)
        .select_related("account")
        .defer("plan", "outcome", "end_facts")
        .order_by("plan_expires_at", "pk")
    ]
    unknown = Attempt.objects.filter(intent__account__in=accounts, state="UNKNOWN")
    about = Q(account__in=accounts) | Q(account=None) if admin else Q(account__in=accounts)
    alerts = Alert.objects.filter(about, acknowledged_at=None)
    oldest = list(
        unknown.select_related("intent__instrument", "intent__account").order_by("committed_at")[
            :MOST_UNKNOWN
        ]
    )
    newest = list(alerts.select_related("account")[:MOST_ALERTS])
    return Inbox(
        waiting=tuple(each for each in active if each.row.state == RunState.AWAITING_APPROVAL),
        alive=tuple(each for each in active if each.row.state != RunState.AWAITING_APPROVAL),
        unknown=tuple(aged(row, row.intent.account_id, row.committed_at) for row in oldest),
        unknown_count=len(oldest) if len(oldest) < MOST_UNKNOWN else unknown.count(),
        alerts=tuple(aged(row, row.account_id, row.created_at) for row in newest),
        alert_count=len(newest) if len(newest) < MOST_ALERTS else alerts.count(),
        soonest=soonest_of(_schedules(accounts), now, calendar),
    )


def _schedules(accounts: Sequence[int]) -> list[RunSchedule]:
    rows = RunSchedule.objects.filter(account__in=accounts, enabled=True)
    return list(rows.select_related("account").order_by("at", "pk"))
