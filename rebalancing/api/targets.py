"""Which targets an account follows, and all that it followed before."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portfolio.models import ModelPortfolio, SubPortfolio, TargetDecision
from rebalancing.api.answers import TargetHistory, TargetRecord, TargetsInForce
from rebalancing.api.asked import ACCOUNT, asked_account
from rebalancing.api.proposals import ProposalShape, proposal_told
from rebalancing.api.serializers import TargetsSerializer
from rebalancing.services.keepers import targets_change
from trading.api.filters import by_account, choice, day_span
from trading.api.lists import ListDoor
from trading.api.once import done_once
from trading.api.permissions import AdminWrites
from trading.domain.errors import InputError, Reason
from trading.models import Proposal
from trading.selectors.moments import told_at
from trading.selectors.people import accounts_of
from trading.services.proposals import ask

__all__ = ["TargetsHistoryView", "TargetsView"]


class TargetsView(APIView):
    """The targets in force and those before; PUT binds the account to the newest versions named.
    Under four eyes it proposes that (202), and a second person agrees."""

    permission_classes = [AdminWrites]

    @extend_schema(parameters=[ACCOUNT], responses=TargetHistory)
    def get(self, request: Request) -> Response:
        rows = TargetDecision.objects.filter(account=asked_account(request)).select_related(
            "model_version__portfolio"
        )[:50]
        found = [_decision(row) for row in rows]
        return Response({"current": found[0] if found else None, "history": found[1:]})

    @extend_schema(request=TargetsSerializer, responses={201: TargetsInForce, 202: ProposalShape})
    @done_once
    def put(self, request: Request) -> Response:
        body = TargetsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        account = get_object_or_404(accounts_of(request.user), pk=wanted["account"])
        model = get_object_or_404(ModelPortfolio, code=wanted["model_portfolio"])
        subs = [get_object_or_404(SubPortfolio, code=code) for code in wanted["sub_portfolios"]]
        versions = [_newest(portfolio) for portfolio in (model, *subs)]
        change = targets_change(account, versions[0], versions[1:], wanted["reason"])
        made = ask(change, by=request.user.get_username())
        if isinstance(made, Proposal):
            return Response(proposal_told(made), status=202)
        return Response(_decision(made), status=201)


def _newest(portfolio: Any) -> Any:
    version = portfolio.versions.order_by("-number").first()
    if version is None:
        raise InputError(Reason("no_version", {"code": portfolio.code}))
    return version


def _decision(row: TargetDecision) -> dict[str, Any]:
    return {
        "id": row.pk,
        "model": str(row.model_version),
        "mp": row.snapshot["mp"],
        "sub": row.snapshot["sub"],
        "source": row.source,
        "reason": row.reason,
        "decided_by": row.decided_by,
        "agreed_by": row.agreed_by,
        "decided_at": told_at(row.decided_at),
    }


def _record(row: TargetDecision) -> dict[str, Any]:
    subs = sorted(row.sub_versions.all(), key=lambda version: version.portfolio.code)
    return _decision(row) | {"account": row.account_id, "sub_portfolios": [str(v) for v in subs]}


class TargetsHistoryView(ListDoor):
    """Every decision, newest first; the first of an account rules it."""

    queryset = (
        TargetDecision.objects.select_related("model_version__portfolio")
        .prefetch_related("sub_versions__portfolio")
        .order_by("-pk")
    )
    serializer_class = TargetRecord
    narrowing = (
        by_account(),
        choice("source", TargetDecision.Source.values),
        *day_span("decided_at"),
    )
    told = staticmethod(_record)
