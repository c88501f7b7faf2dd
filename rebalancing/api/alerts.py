"""Alerts: here, because what their codes say is known on this floor."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from rebalancing.selectors.words import WORDS
from trading.api.filters import by_account, choice, day_span, flag, words
from trading.api.lists import Door, ListDoor, OneDoor
from trading.api.once import done_once
from trading.api.permissions import Deciders
from trading.api.shapes import Shape, market_moment, maybe_number, real_moment
from trading.api.strict import refuse_body
from trading.models import Alert
from trading.selectors.alerts import alerts_seen_by
from trading.selectors.moments import told_at
from trading.services.alerts import acknowledge

__all__ = ["AcknowledgeView", "AlertView", "AlertsView"]


class AlertShape(Shape):
    """`said` is the alert in the caller's language, `code` and `facts` what it is made of; `account` is null
    where it is about all of them."""

    id = serializers.IntegerField()
    severity = serializers.ChoiceField(Alert.Severity.choices)
    code = serializers.CharField()
    said = serializers.CharField()
    facts = serializers.DictField()
    account = maybe_number()
    run = maybe_number()
    order = maybe_number()
    order_no = serializers.CharField(allow_blank=True)
    open = serializers.BooleanField()
    created_at = market_moment()
    acknowledged_by = serializers.CharField(allow_blank=True)
    acknowledged_at = real_moment(maybe=True)


def alert_told(row: Alert) -> dict[str, Any]:
    return {
        "id": row.pk,
        "severity": row.severity,
        "code": row.code,
        "said": WORDS.say(row.code, row.facts),
        "facts": row.facts,
        "account": row.account_id,
        "run": row.run_id,
        "order": row.intent_id,
        "order_no": row.order_no,
        "open": row.acknowledged_at is None,
        "created_at": told_at(row.created_at),
        "acknowledged_by": row.acknowledged_by,
        "acknowledged_at": told_at(row.acknowledged_at),
    }


class _Seen(Door):
    """Also those of no account, for an admin."""

    account_path = ""
    queryset = Alert.objects.order_by("-pk")
    serializer_class = AlertShape
    told = staticmethod(alert_told)

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.filter(alerts_seen_by(self.request.user))


class AlertsView(_Seen, ListDoor):
    """What a person should have seen, newest first."""

    narrowing = (
        choice("severity", Alert.Severity.values),
        flag("open", Q(acknowledged_at=None), "nobody has acknowledged it"),
        by_account(),
        words("code"),
        *day_span("created_at"),
    )


class AlertView(_Seen, OneDoor):
    """One alert."""


class AcknowledgeView(_Seen):
    """Say that a person has read the alert; it stays in the record, with the name of whoever said so first."""

    permission_classes = [Deciders]

    @extend_schema(request=None, responses=AlertShape)
    @done_once
    def post(self, request: Request, pk: int) -> Response:
        found = get_object_or_404(self.get_queryset(), pk=pk)
        refuse_body(request)
        acknowledge(found, request.user.get_username())
        found.refresh_from_db()
        return Response(alert_told(found))
