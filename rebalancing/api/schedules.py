"""When accounts are looked at by themselves, with the next moment of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from rest_framework import serializers

from rebalancing.models import Run, RunSchedule
from rebalancing.selectors.upcoming import next_moments, waits_for
from trading.api.filters import by_account, choice, flag
from trading.api.lists import Door, ListDoor, OneDoor
from trading.api.shapes import Shape, maybe_moment
from trading.domain.sessions import Calendar
from trading.models import Account
from trading.selectors.calendar import known_calendar
from trading.selectors.moments import told_at
from trading.views.moments import market_now

__all__ = ["ScheduleView", "SchedulesView"]


class ScheduleShape(Shape):
    """`at` is a time of an ordinary day in Korea. `next_at` is null while it is off or nothing is known to
    come; `since` is the moment from which it counts. `what` says it in the caller's language."""

    id = serializers.IntegerField()
    account = serializers.IntegerField()
    kind = serializers.ChoiceField(RunSchedule.KindChoice.choices)
    what = serializers.CharField()
    at = serializers.CharField()
    period = serializers.ChoiceField(RunSchedule.PeriodChoice.choices)
    edge = serializers.ChoiceField(RunSchedule.EdgeChoice.choices)
    inside_bands = serializers.BooleanField()
    min_flow_won = serializers.IntegerField()
    catch_up = serializers.BooleanField()
    planner = serializers.ChoiceField(Run.Planner.choices[:2])
    enabled = serializers.BooleanField()
    since = maybe_moment()
    next_at = maybe_moment()


def schedule_told(row: RunSchedule, now: datetime | None, calendar: Calendar) -> dict[str, Any]:
    coming = next_moments(row, now, calendar, 1)
    return {
        "id": row.pk,
        "account": row.account_id,
        "kind": row.kind,
        "what": waits_for(row),
        "at": f"{row.at:%H:%M}",
        "period": row.period,
        "edge": row.edge,
        "inside_bands": row.inside_bands,
        "min_flow_won": row.min_flow_won,
        "catch_up": row.catch_up,
        "planner": row.planner,
        "enabled": row.enabled,
        "since": told_at(row.since),
        "next_at": told_at(coming[0]) if coming else None,
    }


class _Schedules(Door):
    queryset = RunSchedule.objects.select_related("account").order_by("account_id", "at", "pk")
    serializer_class = ScheduleShape

    def told_all(self, rows: Sequence[RunSchedule]) -> list[Any]:
        """Each account's clock is asked once."""
        accounts: dict[int, Account] = {row.account_id: row.account for row in rows}
        clocks = {number: market_now(account) for number, account in accounts.items()}
        calendar = known_calendar()
        return [schedule_told(row, clocks[row.account_id], calendar) for row in rows]


class SchedulesView(_Schedules, ListDoor):
    """Schedules by account and time."""

    narrowing = (
        by_account(),
        choice("kind", RunSchedule.KindChoice.values),
        flag("enabled", Q(enabled=True)),
    )


class ScheduleView(_Schedules, OneDoor):
    """One schedule."""
