"""Runs: asked for, read, decided, stopped."""

from __future__ import annotations

import hashlib
import json

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rebalancing.api.answers import RunReport, RunSummary
from rebalancing.api.asked import seen_run
from rebalancing.api.serializers import DecisionSerializer, RunRequestSerializer
from rebalancing.domain.states import RunState
from rebalancing.models import Run
from rebalancing.selectors.evidence import evidence
from rebalancing.selectors.report import run_report, run_summary
from rebalancing.services.approvals import decide_run
from rebalancing.services.runs import run_cancel, run_open
from trading.api.filters import by_account, choice, day_span, flag, refuse_unknown
from trading.api.lists import ListDoor
from trading.api.once import REPLAYED, asked_key, done_once
from trading.api.permissions import ApproverWrites, EvidenceReaders, TraderWrites
from trading.domain.errors import StateConflict
from trading.models import Approval
from trading.selectors.people import accounts_of
from trading.views.proof import show_code

__all__ = ["CancelView", "DecideView", "EvidenceView", "RunView", "RunsView"]


class RunsView(ListDoor):
    """The history, newest first, and the request for a run."""

    permission_classes = [TraderWrites]
    queryset = Run.objects.order_by("-pk")
    serializer_class = RunSummary
    narrowing = (
        by_account(),
        choice("state", [state.value for state in RunState]),
        flag("dry_run", Q(dry_run=True)),
        choice("planner", Run.Planner.values),
        *day_span("created_at"),
    )
    told = staticmethod(run_summary)

    @extend_schema(
        request=RunRequestSerializer,
        responses={201: RunSummary, 200: RunSummary},
        parameters=[OpenApiParameter("Idempotency-Key", str, "header", required=True)],
    )
    def post(self, request: Request) -> Response:
        """201 with the new run; the same key again answers 200 with the same run."""
        key = asked_key(request, needed=True)
        body = RunRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        account = get_object_or_404(accounts_of(request.user), pk=wanted["account"])
        # hashed, not cut: two keys that begin alike are two wishes
        slot = f"api:{request.user.pk}:{hashlib.sha256(key.encode()).hexdigest()[:40]}"
        # on any account: a key names one wish, and another account is another wish
        known = Run.objects.filter(account__in=accounts_of(request.user), slot=slot)
        same = known.first()
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
                same = known.first()
                if same is None:
                    raise conflict
            else:
                return Response(run_summary(run), status=201)
        advised = wanted["planner"] == Run.Planner.GEMINI
        asked = (account.pk, wanted["dry_run"], advised)
        if (same.account_id, same.dry_run, same.wants_advice) != asked:
            raise StateConflict("key_used_for_another_request", run=same.pk, request=f"#{same.pk}")
        return Response(run_summary(same), headers={REPLAYED: "true"})


class RunView(APIView):
    """One run with everything about it."""

    permission_classes = [TraderWrites]

    @extend_schema(responses=RunReport)
    def get(self, request: Request, pk: int) -> Response:
        refuse_unknown(request.query_params)
        return Response(run_report(seen_run(request, pk)))


class EvidenceView(APIView):
    """The run's evidence as JSON lines."""

    permission_classes = [EvidenceReaders]

    @extend_schema(responses={(200, "application/x-ndjson"): bytes})
    def get(self, request: Request, pk: int) -> HttpResponse:
        refuse_unknown(request.query_params)
        run = seen_run(request, pk)
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in evidence(run=run))
        # whole: under ASGI an answer in pieces that are read from the database is collected all the same
        answer = HttpResponse("".join(lines), content_type="application/x-ndjson")
        answer["Content-Disposition"] = f'attachment; filename="run-{run.pk}.jsonl"'
        return answer


class DecideView(APIView):
    """Approve or reject exactly the plan named by its hash."""

    permission_classes = [ApproverWrites]
    verdict: str = Approval.Verdict.APPROVE

    @extend_schema(request=DecisionSerializer, responses=RunSummary)
    @done_once
    def post(self, request: Request, pk: int) -> Response:
        run = seen_run(request, pk)
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
    @done_once
    def post(self, request: Request, pk: int) -> Response:
        run = seen_run(request, pk)
        return Response(run_summary(run_cancel(run.pk, request.user.get_username())))
