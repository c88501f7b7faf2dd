"""Thresholds and limits of the engine, and what they were before."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rebalancing.api.proposals import ProposalShape, proposal_told
from rebalancing.api.serializers import ConfigSerializer
from rebalancing.models import RebalancingConfig
from rebalancing.selectors.gaps import newest_config
from rebalancing.services.keepers import config_change
from trading.api.filters import day_span, refuse_unknown, words
from trading.api.lists import ListDoor
from trading.api.once import done_once
from trading.api.permissions import AdminWrites
from trading.api.shapes import Shape, real_moment
from trading.models import Proposal
from trading.selectors.moments import told_at
from trading.services.proposals import ask

__all__ = ["ConfigView", "ConfigsView"]


class ConfigView(APIView):
    """Thresholds and limits; a POST adds a row that rules from the next run on. Where an account is
    under four eyes it proposes that (202), and a second person agrees."""

    permission_classes = [AdminWrites]

    @extend_schema(responses=ConfigSerializer)
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        return Response(ConfigSerializer(newest_config()).data)

    @extend_schema(request=ConfigSerializer, responses={201: ConfigSerializer, 202: ProposalShape})
    @done_once
    def post(self, request: Request) -> Response:
        body = ConfigSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = ask(config_change(body.validated_data), by=request.user.get_username())
        if isinstance(made, Proposal):
            return Response(proposal_told(made), status=202)
        return Response(ConfigSerializer(made).data, status=201)


class ConfigRecord(Shape):
    id = serializers.IntegerField()
    mp_threshold_percent = serializers.CharField()
    sub_mp_threshold_percent = serializers.CharField()
    min_trade_won = serializers.IntegerField()
    cash_buffer_percent = serializers.CharField()
    updated_at = real_moment()
    updated_by = serializers.CharField()
    agreed_by = serializers.CharField(allow_blank=True)


def _config(row: RebalancingConfig) -> dict[str, Any]:
    return {
        "id": row.pk,
        "mp_threshold_percent": str(row.mp_threshold_percent),
        "sub_mp_threshold_percent": str(row.sub_mp_threshold_percent),
        "min_trade_won": row.min_trade_won,
        "cash_buffer_percent": str(row.cash_buffer_percent),
        "updated_at": told_at(row.updated_at),
        "updated_by": row.updated_by,
        "agreed_by": row.agreed_by,
    }


class ConfigsView(ListDoor):
    """Every row there was, newest first; the first one rules."""

    queryset = RebalancingConfig.objects.order_by("-pk")
    account_path = ""
    serializer_class = ConfigRecord
    narrowing = (words("updated_by"), *day_span("updated_at"))
    told = staticmethod(_config)
