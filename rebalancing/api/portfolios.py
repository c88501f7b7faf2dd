"""Model portfolios and sub-portfolios: their newest weights, every version, and the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import Prefetch
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portfolio.models import (
    ModelPortfolio,
    ModelPortfolioVersion,
    SubPortfolio,
    SubPortfolioVersion,
)
from portfolio.services import create_model_version, create_sub_version
from rebalancing.api.answers import PortfolioVersions, WeightVersion
from rebalancing.api.serializers import WeightsSerializer
from trading.api.filters import day_span, refuse_unknown, words
from trading.api.lists import ListDoor
from trading.api.once import done_once
from trading.api.permissions import AdminWrites
from trading.selectors.moments import told_at

__all__ = ["ModelPortfoliosView", "ModelVersionsView", "SubPortfoliosView", "SubVersionsView"]

NEWEST = 20
"""So many versions come with their portfolio; all are under its own address."""


class ModelPortfoliosView(APIView):
    """MPs with their newest weights; PUT adds a version."""

    permission_classes = [AdminWrites]

    @extend_schema(responses=PortfolioVersions(many=True))
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        newest = ModelPortfolioVersion.objects.order_by("-number").prefetch_related("weights")
        rows = ModelPortfolio.objects.prefetch_related(
            Prefetch("versions", newest[:NEWEST], to_attr="newest")
        )
        return Response([_portfolio(row, row.newest, _of_model) for row in rows])

    @extend_schema(request=WeightsSerializer, responses={201: PortfolioVersions})
    @done_once
    def put(self, request: Request) -> Response:
        body = WeightsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        portfolio = get_object_or_404(ModelPortfolio, code=wanted["code"])
        create_model_version(
            portfolio, wanted["weights"], by=request.user.get_username(), note=wanted["note"]
        )
        newest = portfolio.versions.order_by("-number").prefetch_related("weights")[:NEWEST]
        return Response(_portfolio(portfolio, newest, _of_model), status=201)


class SubPortfoliosView(APIView):
    """Sub-MPs with their newest weights; PUT adds a version."""

    permission_classes = [AdminWrites]

    @extend_schema(responses=PortfolioVersions(many=True))
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        newest = SubPortfolioVersion.objects.order_by("-number").prefetch_related("weights")
        rows = SubPortfolio.objects.prefetch_related(
            Prefetch("versions", newest[:NEWEST], to_attr="newest")
        )
        return Response([_portfolio(row, row.newest, _of_sub) for row in rows])

    @extend_schema(request=WeightsSerializer, responses={201: PortfolioVersions})
    @done_once
    def put(self, request: Request) -> Response:
        body = WeightsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        portfolio = get_object_or_404(SubPortfolio, code=wanted["code"])
        create_sub_version(
            portfolio, wanted["weights"], by=request.user.get_username(), note=wanted["note"]
        )
        newest = portfolio.versions.order_by("-number").prefetch_related("weights")[:NEWEST]
        return Response(_portfolio(portfolio, newest, _of_sub), status=201)


def _portfolio(
    portfolio: Any, versions: Iterable[Any], told: Callable[[Any], Any]
) -> dict[str, Any]:
    return {
        "code": portfolio.code,
        "name": portfolio.name,
        "asset_class": getattr(portfolio, "asset_class", None),
        "versions": [told(version) for version in versions],
    }


def _version(row: Any, weights: Mapping[str, Decimal]) -> dict[str, Any]:
    return {
        "number": row.number,
        "weights": {name: str(weight) for name, weight in weights.items()},
        "note": row.note,
        "created_by": row.created_by,
        "created_at": told_at(row.created_at),
    }


def _of_model(row: ModelPortfolioVersion) -> dict[str, Any]:
    return _version(row, row.weights_by_class())


def _of_sub(row: SubPortfolioVersion) -> dict[str, Any]:
    return _version(row, row.weights_by_ticker())


class _VersionsDoor(ListDoor):
    """Every version of one portfolio, newest first. 404 for a code that is not there."""

    account_path = ""
    serializer_class = WeightVersion
    narrowing = (words("created_by"), *day_span("created_at"))
    portfolios: ClassVar[Any]

    def get_queryset(self) -> Any:
        portfolio = get_object_or_404(self.portfolios, code=self.kwargs["code"])
        return super().get_queryset().filter(portfolio=portfolio)


class ModelVersionsView(_VersionsDoor):
    queryset = ModelPortfolioVersion.objects.prefetch_related("weights").order_by("-number")
    portfolios = ModelPortfolio
    told = staticmethod(_of_model)


class SubVersionsView(_VersionsDoor):
    queryset = SubPortfolioVersion.objects.prefetch_related("weights").order_by("-number")
    portfolios = SubPortfolio
    told = staticmethod(_of_sub)
