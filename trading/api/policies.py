"""Approval policies: what ruled when, and a new one, which may have to wait for a second person."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.api.filters import by_account, choice, day_span
from trading.api.lists import ListDoor
from trading.api.once import done_once
from trading.api.permissions import AdminWrites
from trading.api.shapes import Shape, real_moment
from trading.api.strict import (
    StrictBooleanField,
    StrictChoiceField,
    StrictDecimalField,
    StrictIntegerField,
    StrictSerializer,
)
from trading.models import Account, ApprovalPolicy
from trading.selectors.moments import told_at
from trading.selectors.people import accounts_of
from trading.selectors.policies import policy_in_force
from trading.services.policies import add_policy, awaits_agreement

__all__ = ["PoliciesView"]


class PolicyShape(Shape):
    """The newest row of an account rules (`in_force`), but for those that wait for a second person's word."""

    id = serializers.IntegerField()
    account = serializers.IntegerField()
    kind = serializers.ChoiceField(ApprovalPolicy.Kind.choices)
    automatic = serializers.BooleanField()
    max_turnover_percent = serializers.CharField()
    max_cost_won = serializers.IntegerField()
    max_price_move_percent = serializers.CharField()
    in_force = serializers.BooleanField()
    awaits_agreement = serializers.BooleanField()
    created_by = serializers.CharField()
    created_at = real_moment()
    agreed_by = serializers.CharField(allow_blank=True)
    agreed_at = real_moment(maybe=True)


def _policy(row: ApprovalPolicy, in_force: bool) -> dict[str, Any]:
    return {
        "id": row.pk,
        "account": row.account_id,
        "kind": row.kind,
        "automatic": row.automatic,
        "max_turnover_percent": _two(row.max_turnover_percent),
        "max_cost_won": row.max_cost_won,
        "max_price_move_percent": _two(row.max_price_move_percent),
        "in_force": in_force,
        "awaits_agreement": awaits_agreement(row),
        "created_by": row.created_by,
        "created_at": told_at(row.created_at),
        "agreed_by": row.agreed_by,
        "agreed_at": told_at(row.agreed_at),
    }


def _two(percent: Decimal) -> str:
    """As it is read back from the database, also of a row that was just made."""
    return str(percent.quantize(Decimal("0.01")))


def _rules(account: Account) -> int | None:
    found = policy_in_force(account)
    return found.pk if found is not None else None


class PolicySerializer(StrictSerializer):
    account = StrictIntegerField(min_value=1)
    kind = StrictChoiceField(ApprovalPolicy.Kind.choices)
    automatic = StrictBooleanField(default=False)
    max_turnover_percent = StrictDecimalField(
        max_digits=5,
        decimal_places=2,
        min_value=Decimal(0),
        max_value=Decimal(100),
        default=Decimal("30.00"),
    )
    max_cost_won = StrictIntegerField(min_value=0, max_value=10**15, default=200_000)
    max_price_move_percent = StrictDecimalField(
        max_digits=4,
        decimal_places=2,
        min_value=Decimal(0),
        max_value=Decimal(2),
        default=Decimal("2.00"),
    )


class PoliciesView(ListDoor):
    """The history, newest first; a POST adds a row that rules from now on. On a real account a looser one waits
    for a second person, who agrees on the desk."""

    permission_classes = [AdminWrites]

    queryset = ApprovalPolicy.objects.select_related("account").order_by("-pk")
    serializer_class = PolicyShape
    narrowing = (
        by_account(),
        choice("kind", ApprovalPolicy.Kind.values),
        *day_span("created_at"),
    )

    @extend_schema(request=PolicySerializer, responses={201: PolicyShape})
    @done_once
    def post(self, request: Request) -> Response:
        body = PolicySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = dict(body.validated_data)
        account = get_object_or_404(accounts_of(request.user), pk=wanted.pop("account"))
        policy = ApprovalPolicy(account=account, **wanted)
        made = add_policy(policy, request.user.get_username())
        return Response(self.told_all([made])[0], status=201)

    def told_all(self, rows: Sequence[ApprovalPolicy]) -> list[Any]:
        ruling = {
            _rules(account) for account in {row.account_id: row.account for row in rows}.values()
        }
        return [_policy(row, row.pk in ruling) for row in rows]
