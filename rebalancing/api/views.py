"""The endpoints under `/api/macro-trading`; each parses, calls one service, renders."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portfolio.models import ModelPortfolio, SubPortfolio, TargetDecision
from portfolio.services import create_model_version, create_sub_version
from rebalancing.api.answers import (
    AccountStatus,
    DriftOnly,
    PortfolioVersions,
    RunReport,
    RunSummary,
    TargetHistory,
    TargetsInForce,
)
from rebalancing.api.filters import RUN_FILTERS, filtered_runs, plain_id
from rebalancing.api.serializers import (
    ConfigSerializer,
    DecisionSerializer,
    RunRequestSerializer,
    TargetsSerializer,
    WeightsSerializer,
)
from rebalancing.models import Run
from rebalancing.selectors.evidence import evidence
from rebalancing.selectors.gaps import newest_config
from rebalancing.selectors.report import run_report, run_summary
from rebalancing.selectors.status import account_status
from rebalancing.services.approvals import decide_run
from rebalancing.services.runs import run_cancel, run_open
from rebalancing.services.targets import current_config, decide_targets
from trading.api.permissions import AdminWrites, ApproverWrites, EvidenceReaders, TraderWrites
from trading.domain.errors import InputError, Reason, StateConflict
from trading.models import Account, Approval
from trading.selectors.moments import told_at
from trading.selectors.people import accounts_of
from trading.services.audit import audit
from trading.services.clock import market_clock
from trading.views.proof import show_code

__all__ = [
    "CancelView",
    "ConfigView",
    "DecideView",
    "DriftView",
    "EvidenceView",
    "ModelPortfoliosView",
    "RunView",
    "RunsView",
    "StatusAgainView",
    "StatusView",
    "SubPortfoliosView",
    "TargetsView",
]

_KEY = re.compile(r"[A-Za-z0-9._:-]{8,64}", re.ASCII)
_ACCOUNT = OpenApiParameter("account", int, description="the account's id; default: the first")


def _account(request: Request) -> Account:
    """The account named in the query, or the person's first; 404 for anybody else's."""
    wanted = request.query_params.get("account")
    mine = accounts_of(request.user)
    if wanted is None:
        return get_object_or_404(mine[:1])
    try:
        return get_object_or_404(mine, pk=plain_id(wanted))
    except ValueError as error:
        raise InputError(Reason("account", {"value": wanted[:20]})) from error


def _run(request: Request, pk: int) -> Run:
    rows = Run.objects.select_related("account", "snapshot", "target")
    return get_object_or_404(rows, pk=pk, account__in=accounts_of(request.user))


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise InputError(Reason("idempotency_key", {"expected": "8 to 64 of A-Z a-z 0-9 . _ : -"}))
    return key


def _status(request: Request) -> dict[str, Any]:
    account = _account(request)
    return account_status(account, market_clock(account).now())


class ConfigView(APIView):
    """Thresholds and limits; a POST adds a row that rules from the next run on."""

    permission_classes = [AdminWrites]

    @extend_schema(responses=ConfigSerializer)
    def get(self, request: Request) -> Response:
        return Response(ConfigSerializer(newest_config()).data)

    @extend_schema(request=ConfigSerializer, responses={201: ConfigSerializer})
    def post(self, request: Request) -> Response:
        body = ConfigSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        by = request.user.get_username()
        old = current_config()
        kept = {
            "min_trade_won": old.min_trade_won,
            "cash_buffer_percent": old.cash_buffer_percent,
        }
        with transaction.atomic():
            row = body.save(
                updated_by=by, **{k: v for k, v in kept.items() if k not in body.validated_data}
            )
            audit(by, "config_changed", f"config:{row.pk}", dict(body.data))
        return Response(ConfigSerializer(row).data, status=201)


class StatusView(APIView):
    """What the account is worth, how far it is from its targets, and what is going on."""

    permission_classes = [TraderWrites]

    @extend_schema(parameters=[_ACCOUNT], responses=AccountStatus)
    def get(self, request: Request) -> Response:
        return Response(_status(request))


class StatusAgainView(StatusView):
    """The same under the address that the first specification gave it."""

    @extend_schema(
        parameters=[_ACCOUNT], responses=AccountStatus, operation_id="macro_trading_status_again"
    )
    def get(self, request: Request) -> Response:
        return super().get(request)


class DriftView(APIView):
    """Only the drift of the newest snapshot."""

    permission_classes = [TraderWrites]

    @extend_schema(parameters=[_ACCOUNT], responses=DriftOnly)
    def get(self, request: Request) -> Response:
        status = _status(request)
        wanted = ("account", "drift", "snapshot_at", "age_seconds", "thresholds", "needed")
        return Response({name: status[name] for name in wanted})


class RunsView(ListAPIView):
    """The history, newest first, and the request for a run."""

    permission_classes = [TraderWrites]
    queryset = Run.objects.none()

    def get_queryset(self) -> QuerySet[Run]:
        rows = Run.objects.filter(account__in=accounts_of(self.request.user)).order_by("-pk")
        return filtered_runs(rows, self.request.query_params)

    @extend_schema(responses=RunSummary(many=True), parameters=RUN_FILTERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response([run_summary(run) for run in page or []])

    @extend_schema(
        request=RunRequestSerializer,
        responses={201: RunSummary, 200: RunSummary},
        parameters=[OpenApiParameter("Idempotency-Key", str, "header", required=True)],
    )
    def post(self, request: Request) -> Response:
        """201 with the new run; the same key again answers 200 with the same run."""
        key = _idempotency_key(request)
        body = RunRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        account = get_object_or_404(accounts_of(request.user), pk=wanted["account"])
        # hashed, not cut: two keys that begin alike are two wishes
        slot = f"api:{request.user.pk}:{hashlib.sha256(key.encode()).hexdigest()[:40]}"
        same = Run.objects.filter(account=account, slot=slot).first()
        if same is None:
            try:
                run = run_open(
                    account,
                    requester=request.user.get_username(),
                    slot=slot,
                    dry_run=wanted["dry_run"],
                    planner=wanted["planner"],
                )
            except StateConflict as conflict:
                same = Run.objects.filter(account=account, slot=slot).first()
                if same is None:
                    raise conflict
            else:
                return Response(run_summary(run), status=201)
        advised = wanted["planner"] == Run.Planner.GEMINI
        if same.dry_run != wanted["dry_run"] or same.wants_advice != advised:
            raise StateConflict("key_used_for_another_request", run=same.pk)
        return Response(run_summary(same))


class RunView(APIView):
    """One run with everything about it."""

    permission_classes = [TraderWrites]

    @extend_schema(responses=RunReport)
    def get(self, request: Request, pk: int) -> Response:
        return Response(run_report(_run(request, pk)))


class EvidenceView(APIView):
    """The run's evidence as JSON lines."""

    permission_classes = [EvidenceReaders]

    @extend_schema(responses={(200, "application/x-ndjson"): bytes})
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        run = _run(request, pk)
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in evidence(run=run))
        answer = StreamingHttpResponse(lines, content_type="application/x-ndjson")
        answer["Content-Disposition"] = f'attachment; filename="run-{run.pk}.jsonl"'
        return answer


class DecideView(APIView):
    """Approve or reject exactly the plan named by its hash."""

    permission_classes = [ApproverWrites]
    verdict: str = Approval.Verdict.APPROVE

    @extend_schema(request=DecisionSerializer, responses=RunSummary)
    def post(self, request: Request, pk: int) -> Response:
        run = _run(request, pk)
        body = DecisionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        decided = decide_run(
            run.pk,
            body.validated_data["plan_hash"],
            request.user,
            self.verdict,
            body.validated_data["reason"],
            show_code(request),
        )
        return Response(run_summary(decided))


class CancelView(APIView):
    """Stop a run; what works at the broker is cancelled, then the books are closed."""

    permission_classes = [TraderWrites]
    throttle_classes = ()  # whoever has changed too much must still be able to stop

    @extend_schema(request=None, responses=RunSummary)
    def post(self, request: Request, pk: int) -> Response:
        run = _run(request, pk)
        return Response(run_summary(run_cancel(run.pk, request.user.get_username())))


class ModelPortfoliosView(APIView):
    """MPs with their newest weights; PUT adds a version."""

    permission_classes = [AdminWrites]

    @extend_schema(responses=PortfolioVersions(many=True))
    def get(self, request: Request) -> Response:
        rows = ModelPortfolio.objects.prefetch_related("versions__weights")
        return Response([_versions(row, "weights_by_class") for row in rows])

    @extend_schema(request=WeightsSerializer, responses={201: PortfolioVersions})
    def put(self, request: Request) -> Response:
        body = WeightsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        portfolio = get_object_or_404(ModelPortfolio, code=wanted["code"])
        create_model_version(
            portfolio, wanted["weights"], by=request.user.get_username(), note=wanted["note"]
        )
        return Response(_versions(portfolio, "weights_by_class"), status=201)


class SubPortfoliosView(APIView):
    """Sub-MPs with their newest weights; PUT adds a version."""

    permission_classes = [AdminWrites]

    @extend_schema(responses=PortfolioVersions(many=True))
    def get(self, request: Request) -> Response:
        rows = SubPortfolio.objects.prefetch_related("versions__weights")
        return Response([_versions(row, "weights_by_ticker") for row in rows])

    @extend_schema(request=WeightsSerializer, responses={201: PortfolioVersions})
    def put(self, request: Request) -> Response:
        body = WeightsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        portfolio = get_object_or_404(SubPortfolio, code=wanted["code"])
        create_sub_version(
            portfolio, wanted["weights"], by=request.user.get_username(), note=wanted["note"]
        )
        return Response(_versions(portfolio, "weights_by_ticker"), status=201)


def _versions(portfolio: Any, weights: str) -> dict[str, Any]:
    versions = sorted(portfolio.versions.all(), key=lambda v: v.number, reverse=True)
    return {
        "code": portfolio.code,
        "name": portfolio.name,
        "asset_class": getattr(portfolio, "asset_class", None),
        "versions": [
            {
                "number": version.number,
                "weights": {k: str(v) for k, v in getattr(version, weights)().items()},
                "note": version.note,
                "created_by": version.created_by,
                "created_at": told_at(version.created_at),
            }
            for version in versions
        ],
    }


class TargetsView(APIView):
    """The targets in force and those before; PUT binds the account to the newest versions named."""

    permission_classes = [AdminWrites]

    @extend_schema(parameters=[_ACCOUNT], responses=TargetHistory)
    def get(self, request: Request) -> Response:
        rows = TargetDecision.objects.filter(account=_account(request)).select_related(
            "model_version__portfolio"
        )[:50]
        found = [_decision(row) for row in rows]
        return Response({"current": found[0] if found else None, "history": found[1:]})

    @extend_schema(request=TargetsSerializer, responses={201: TargetsInForce})
    def put(self, request: Request) -> Response:
        body = TargetsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        account = get_object_or_404(accounts_of(request.user), pk=wanted["account"])
        model = get_object_or_404(ModelPortfolio, code=wanted["model_portfolio"])
        subs = [get_object_or_404(SubPortfolio, code=code) for code in wanted["sub_portfolios"]]
        versions = [_newest(portfolio) for portfolio in (model, *subs)]
        made = decide_targets(
            account,
            versions[0],
            versions[1:],
            by=request.user.get_username(),
            reason=wanted["reason"],
        )
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
        "decided_at": told_at(row.decided_at),
    }
