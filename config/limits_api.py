"""`GET /api/macro-trading/limits`: what the page of limits shows, for programs."""

from __future__ import annotations

from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.limits import limit_groups
from trading.api.filters import refuse_unknown
from trading.api.shapes import Shape
from trading.selectors.people import accounts_of

__all__ = ["LimitsView"]


class LimitShape(Shape):
    """All in the caller's language. `where` names the place that sets it; `url` leads there, empty where only
    the code or the environment does."""

    name = serializers.CharField()
    value = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    stops = serializers.CharField()
    where = serializers.CharField()
    url = serializers.CharField(allow_blank=True)


class LimitGroupShape(Shape):
    title = serializers.CharField()
    text = serializers.CharField()
    limits = LimitShape(many=True)


class LimitsView(APIView):
    """Every limit that can stop an order or a run of the caller's accounts, as the code holds it."""

    @extend_schema(responses=LimitGroupShape(many=True))
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        return Response([asdict(group) for group in limit_groups(accounts_of(request.user))])
