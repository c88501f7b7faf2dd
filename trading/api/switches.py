"""The kill switch: its history, and a stop. Trading goes on again by the desk alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.api.filters import Filter, choice, day_span, plain_id
from trading.api.lists import ListDoor
from trading.api.once import done_once
from trading.api.permissions import Deciders
from trading.api.shapes import Shape, market_moment, maybe_number
from trading.api.strict import StrictChoiceField, StrictSerializer
from trading.models import Switch
from trading.selectors.moments import told_at
from trading.selectors.people import accounts_of
from trading.selectors.scopes import account_scope
from trading.selectors.switches import ruling_rows, switches_of
from trading.services.switches import GLOBAL, engage
from trading.views.switches import API_STOP

__all__ = ["SwitchesView"]

_SCOPE = re.compile(r"global|account:[0-9]{1,12}|strategy:[A-Za-z0-9_-]{1,20}", re.ASCII)


class SwitchShape(Shape):
    """`scope` is `global`, `account:1` or `strategy:…`; its newest row rules (`in_force`)."""

    id = serializers.IntegerField()
    scope = serializers.CharField()
    account = maybe_number()
    state = serializers.ChoiceField(Switch.State.choices)
    in_force = serializers.BooleanField()
    by = serializers.CharField()
    second = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    policy = serializers.CharField(allow_blank=True)
    at = market_moment()


def _switch(row: Switch, in_force: bool) -> dict[str, Any]:
    kind, _colon, number = row.scope.partition(":")
    return {
        "id": row.pk,
        "scope": row.scope,
        "account": int(number) if kind == "account" and number.isdigit() else None,
        "state": row.state,
        "in_force": in_force,
        "by": row.by,
        "second": row.second,
        # the house's own words are kept in one language and read in everybody's
        "reason": gettext(row.reason) if row.reason else "",
        "policy": row.policy,
        "at": told_at(row.at),
    }


def _a_scope(text: str) -> str:
    if not _SCOPE.fullmatch(text):
        raise ValueError(text)
    return text


class StopSerializer(StrictSerializer):
    """Only stricter: to trade again is a release, with a reason and often a second person, on the desk."""

    scope = serializers.RegexField(
        r"^(global|account:[0-9]{1,12})$",
        error_messages={"invalid": _("쓸 수 있는 값: global, account:1 …")},
    )
    state = StrictChoiceField(
        ["REDUCING", "HALTED"], beside=_("다시 거래하게 하는 해제는 데스크의 상태 화면에서 합니다.")
    )
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class SwitchesView(ListDoor):
    """Stops of everything and of one's own accounts, newest first; an admin reads all. A POST stops at once."""

    permission_classes = [Deciders]
    throttle_classes = ()  # whoever has changed too much must still be able to stop
    queryset = Switch.objects.order_by("-pk")
    account_path = ""
    serializer_class = SwitchShape
    narrowing = (
        Filter("scope", _a_scope, lambda rows, scope: rows.filter(scope=scope)),
        Filter(
            "account",
            plain_id,
            lambda rows, number: rows.filter(scope=f"account:{number}"),
            {"type": "integer"},
            "the account's id",
        ),
        choice("state", Switch.State.values),
        *day_span("at"),
    )

    def get_queryset(self) -> Any:
        return switches_of(self.request.user, super().get_queryset())

    @extend_schema(request=StopSerializer, responses={201: SwitchShape})
    @done_once
    def post(self, request: Request) -> Response:
        """409 when it is stricter already."""
        body = StopSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        kind, _colon, number = wanted["scope"].partition(":")
        scope = GLOBAL
        if kind == "account":
            account = get_object_or_404(accounts_of(request.user), pk=int(number))
            scope = account_scope(account)
        reason = wanted["reason"].strip() or API_STOP
        row = engage(scope, wanted["state"], request.user.get_username(), reason)
        return Response(self.told_all([row])[0], status=201)

    def told_all(self, rows: Sequence[Switch]) -> list[Any]:
        ruling = ruling_rows(row.scope for row in rows)
        return [_switch(row, row.pk in ruling) for row in rows]
