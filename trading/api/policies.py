"""Approval policies: what ruled when, and a new one, which may have to wait for a second person."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from trading.api.filters import by_account, choice, day_span
from trading.api.lists import ListDoor
from trading.api.shapes import Shape, maybe_moment
from trading.models import Account, ApprovalPolicy
from trading.selectors.moments import told_at
from trading.selectors.policies import policy_in_force
from trading.services.policies import awaits_agreement

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
    created_at = serializers.DateTimeField()
    agreed_by = serializers.CharField(allow_blank=True)
    agreed_at = maybe_moment()


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


class PoliciesView(ListDoor):
    """The history, newest first."""

    queryset = ApprovalPolicy.objects.select_related("account").order_by("-pk")
    serializer_class = PolicyShape
    narrowing = (
        by_account(),
        choice("kind", ApprovalPolicy.Kind.values),
        *day_span("created_at"),
    )

    def told_all(self, rows: Sequence[ApprovalPolicy]) -> list[Any]:
        ruling = {
            _rules(account) for account in {row.account_id: row.account for row in rows}.values()
        }
        return [_policy(row, row.pk in ruling) for row in rows]
