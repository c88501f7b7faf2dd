"""Changes that wait for a second person: to read, to agree to, to refuse, to take back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from rebalancing.selectors.proposals import lines_of
from trading.api.filters import by_account, choice, day_span, flag, words
from trading.api.lists import Door, ListDoor, OneDoor
from trading.api.once import done_once
from trading.api.permissions import ApproverWrites, Deciders
from trading.api.shapes import Shape, maybe_number, real_moment
from trading.api.strict import StrictSerializer, refuse_body
from trading.models import Proposal
from trading.selectors.moments import told_at
from trading.selectors.proposals import proposals_seen
from trading.services.proposals import agree, refuse, waits_for_broker, withdraw
from trading.views.proof import show_code

__all__ = [
    "AgreeView",
    "ProposalShape",
    "ProposalView",
    "ProposalsView",
    "RefuseView",
    "WithdrawView",
    "proposal_told",
]


class LineShape(Shape):
    """One value that changes; texts in the caller's language."""

    name = serializers.CharField()
    now = serializers.CharField(allow_blank=True)
    then = serializers.CharField(allow_blank=True)


class ProposalShape(Shape):
    """`outcome` is empty while it waits; `account` null where it concerns every account."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(Proposal.Kind.choices)
    account = maybe_number()
    lines = LineShape(many=True)
    reason = serializers.CharField(allow_blank=True)
    by = serializers.CharField()
    at = real_moment()
    expires_at = real_moment()
    outcome = serializers.ChoiceField(
        [one for one in Proposal.Outcome.choices if one[0]], allow_blank=True
    )
    second = serializers.CharField(allow_blank=True)
    second_reason = serializers.CharField(allow_blank=True)
    closed_at = real_moment(maybe=True)


def proposal_told(row: Proposal) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.kind,
        "account": row.account_id,
        "lines": [
            {"name": line.name, "now": line.now, "then": line.then} for line in lines_of(row)
        ],
        "reason": row.reason,
        "by": row.by,
        "at": told_at(row.at),
        "expires_at": told_at(row.expires_at),
        "outcome": row.outcome,
        "second": row.second,
        "second_reason": row.second_reason,
        "closed_at": told_at(row.closed_at),
    }


class _Seen(Door):
    account_path = ""
    queryset = Proposal.objects.order_by("-pk")
    serializer_class = ProposalShape
    told = staticmethod(proposal_told)

    def get_queryset(self) -> Any:
        seen = proposals_seen(self.request.user).values("pk")
        return super().get_queryset().select_related("account").filter(pk__in=seen)


class ProposalsView(_Seen, ListDoor):
    """Newest first; those about no account for approvers, admins and whoever proposed them."""

    narrowing = (
        by_account(),
        choice("kind", Proposal.Kind.values),
        choice("outcome", [one for one in Proposal.Outcome.values if one]),
        flag("open", Q(outcome=""), "it still waits"),
        words("by"),
        *day_span("at"),
    )


class ProposalView(_Seen, OneDoor):
    """One proposal."""


class _Act(_Seen):
    """One word on one proposal, done once for a key; 409 when it is closed or something else rules by now."""

    permission_classes: Sequence[Any] = [ApproverWrites]
    act: Callable[[Request, int], Proposal]

    def _done(self, request: Request, pk: int) -> Response:
        found = get_object_or_404(self.get_queryset(), pk=pk)
        return Response(proposal_told(self.act(request, found.pk)))


class AgreeView(_Act):
    """The second person agrees, and the change counts. A code goes with it as with an approval."""

    @staticmethod
    def waits(pk: int) -> bool:
        """True where only the broker can tell whether the change may be made."""
        return waits_for_broker(pk)

    @extend_schema(request=None, responses=ProposalShape)
    @done_once
    def post(self, request: Request, pk: int) -> Response:
        return self._done(request, pk)

    @staticmethod
    def act(request: Request, pk: int) -> Proposal:
        refuse_body(request)
        return agree(pk, request.user, show_code(request))


class RefusalSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class RefuseView(_Act):
    """An approver says no; nothing changes."""

    @extend_schema(request=RefusalSerializer, responses=ProposalShape)
    @done_once
    def post(self, request: Request, pk: int) -> Response:
        return self._done(request, pk)

    @staticmethod
    def act(request: Request, pk: int) -> Proposal:
        body = RefusalSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return refuse(pk, request.user, body.validated_data["reason"])


class WithdrawView(_Act):
    """Who proposed it takes it back."""

    permission_classes = [Deciders]

    @extend_schema(request=None, responses=ProposalShape)
    @done_once
    def post(self, request: Request, pk: int) -> Response:
        return self._done(request, pk)

    @staticmethod
    def act(request: Request, pk: int) -> Proposal:
        refuse_body(request)
        return withdraw(pk, request.user.get_username())
