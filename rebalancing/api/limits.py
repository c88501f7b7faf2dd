"""What an account's orders may be at most: every row there was, and a new one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from rebalancing.api.proposals import ProposalShape, proposal_told
from trading.api.filters import by_account, day_span, words
from trading.api.lists import ListDoor
from trading.api.once import done_once
from trading.api.permissions import AdminWrites
from trading.api.shapes import Shape, market_moment
from trading.api.strict import StrictDecimalField, StrictIntegerField, StrictSerializer
from trading.models import Proposal, TradingLimits
from trading.models.limits import MOST_WON
from trading.selectors.moments import told_at
from trading.selectors.people import accounts_of
from trading.services.keepers import limits_change
from trading.services.proposals import ask

__all__ = ["TradingLimitsView"]


class LimitsShape(Shape):
    """The newest row of an account rules;"""

    id = serializers.IntegerField()
    account = serializers.IntegerField()
    max_order_won = serializers.IntegerField()
    max_ticker_day_won = serializers.IntegerField()
    max_run_won = serializers.IntegerField()
    max_day_won = serializers.IntegerField()
    volume_share_percent = serializers.CharField()
    collar_percent = serializers.CharField()
    per_minute = serializers.IntegerField()
    per_day = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)
    created_at = market_moment()
    created_by = serializers.CharField()
    agreed_by = serializers.CharField(allow_blank=True)


def _limits(row: TradingLimits) -> dict[str, Any]:
    hundredth = Decimal("0.01")
    return {
        "id": row.pk,
        "account": row.account_id,
        "max_order_won": row.max_order_won,
        "max_ticker_day_won": row.max_ticker_day_won,
        "max_run_won": row.max_run_won,
        "max_day_won": row.max_day_won,
        "volume_share_percent": str(row.volume_share_percent.quantize(hundredth)),
        "collar_percent": str(row.collar_percent.quantize(hundredth)),
        "per_minute": row.per_minute,
        "per_day": row.per_day,
        "reason": row.reason,
        "created_at": told_at(row.created_at),
        "created_by": row.created_by,
        "agreed_by": row.agreed_by,
    }


def _won() -> StrictIntegerField:
    return StrictIntegerField(min_value=0, max_value=MOST_WON, required=False)


class LimitsSerializer(StrictSerializer):
    """What is not given stays as it is."""

    account = StrictIntegerField(min_value=1)
    max_order_won = _won()
    max_ticker_day_won = _won()
    max_run_won = _won()
    max_day_won = _won()
    volume_share_percent = StrictDecimalField(
        max_digits=5,
        decimal_places=2,
        min_value=Decimal("0.01"),
        max_value=Decimal(100),
        required=False,
    )
    collar_percent = StrictDecimalField(
        max_digits=3,
        decimal_places=2,
        min_value=Decimal("0.10"),
        max_value=Decimal(3),
        required=False,
    )
    per_minute = StrictIntegerField(min_value=0, max_value=60, required=False)
    per_day = StrictIntegerField(min_value=0, max_value=200, required=False)
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class TradingLimitsView(ListDoor):
    """Every row there was, newest first; a POST adds one that rules from the next order on, or under four eyes
    proposes it (202)."""

    permission_classes = [AdminWrites]
    queryset = TradingLimits.objects.order_by("-pk")
    serializer_class = LimitsShape
    narrowing = (by_account(), words("created_by"), *day_span("created_at"))
    told = staticmethod(_limits)

    @extend_schema(request=LimitsSerializer, responses={201: LimitsShape, 202: ProposalShape})
    @done_once
    def post(self, request: Request) -> Response:
        body = LimitsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = dict(body.validated_data)
        account = get_object_or_404(accounts_of(request.user), pk=wanted.pop("account"))
        reason = wanted.pop("reason")
        change = limits_change(account, wanted, reason)
        made = ask(change, by=request.user.get_username())
        if isinstance(made, Proposal):
            return Response(proposal_told(made), status=202)
        return Response(_limits(made), status=201)
