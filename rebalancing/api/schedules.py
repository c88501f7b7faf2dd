"""When accounts are looked at by themselves, with the next moment of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from rebalancing.api.serializers import ScheduleChangeSerializer, ScheduleSerializer
from rebalancing.models import Run, RunSchedule
from rebalancing.selectors.upcoming import next_moments, waits_for
from rebalancing.services.schedule_changes import change_schedule, make_schedule
from trading.api.filters import by_account, choice, flag
from trading.api.lists import Door, ListDoor, OneDoor
from trading.api.once import done_once
from trading.api.permissions import AdminWrites
from trading.api.shapes import Shape, market_moment
from trading.domain.sessions import Calendar
from trading.models import Account
from trading.selectors.calendar import known_calendar
from trading.selectors.moments import told_at
from trading.selectors.people import accounts_of
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
    since = market_moment(maybe=True)
    next_at = market_moment(maybe=True)


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
    permission_classes = [AdminWrites]

    def told_all(self, rows: Sequence[RunSchedule]) -> list[Any]:
        """Each account's clock is asked once."""
        accounts: dict[int, Account] = {row.account_id: row.account for row in rows}
        clocks = {number: market_now(account) for number, account in accounts.items()}
        calendar = known_calendar()
        return [schedule_told(row, clocks[row.account_id], calendar) for row in rows]


class SchedulesView(_Schedules, ListDoor):
    """Schedules by account and time; a POST makes one that counts from now on."""

    narrowing = (
        by_account(),
        choice("kind", RunSchedule.KindChoice.values),
        flag("enabled", Q(enabled=True)),
    )

    @extend_schema(request=ScheduleSerializer, responses={201: ScheduleShape})
    @done_once
    def post(self, request: Request) -> Response:
        body = ScheduleSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = dict(body.validated_data)
        account = get_object_or_404(accounts_of(request.user), pk=wanted.pop("account"))
        made = make_schedule(account, wanted, by=request.user.get_username())
        return Response(self.told_all([made])[0], status=201)


class ScheduleView(_Schedules, OneDoor):
    """One schedule. A PATCH changes what it names; it is switched off, never deleted."""

    @extend_schema(request=ScheduleChangeSerializer, responses=ScheduleShape)
    @done_once
    def patch(self, request: Request, pk: int) -> Response:
        schedule = get_object_or_404(self.get_queryset(), pk=pk)
        body = ScheduleChangeSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        by = request.user.get_username()
        changed = change_schedule(schedule.pk, body.validated_data, by=by)
        return Response(self.told_all([changed])[0])
