"""Accounts of one's own, with the approval policy that rules each; keys and whole numbers stay inside."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from trading.api.filters import choice
from trading.api.lists import ListDoor, OneDoor
from trading.api.shapes import Shape, real_moment
from trading.models import Account, ApprovalPolicy
from trading.selectors.moments import told_at
from trading.selectors.policies import policy_shown

__all__ = ["AccountView", "AccountsView"]


class PolicyInForce(Shape):
    """`id` is null for the default that is written at first use."""

    id = serializers.IntegerField(allow_null=True)
    kind = serializers.ChoiceField(ApprovalPolicy.Kind.choices)
    automatic = serializers.BooleanField()
    max_turnover_percent = serializers.CharField()
    max_cost_won = serializers.IntegerField()
    max_price_move_percent = serializers.CharField()


class AccountShape(Shape):
    """`number` is masked: the environment's word and the last two digits."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    environment = serializers.ChoiceField(Account.Environment.choices)
    wire = serializers.ChoiceField(Account.Wire.choices)
    number = serializers.CharField()
    wrapper = serializers.ChoiceField(Account.Wrapper.choices)
    commission_stock = serializers.CharField()
    commission_fund = serializers.CharField()
    active = serializers.BooleanField()
    paused_reason = serializers.CharField(allow_blank=True)
    policy = PolicyInForce()
    created_at = real_moment()


def _told(account: Account) -> dict[str, Any]:
    policy = policy_shown(account)
    return {
        "id": account.pk,
        "name": account.name,
        "environment": account.environment,
        "wire": account.wire,
        "number": account.masked,
        "wrapper": account.wrapper,
        "commission_stock": f"{account.commission_stock:f}",
        "commission_fund": f"{account.commission_fund:f}",
        "active": account.is_active,
        "paused_reason": account.paused_reason,
        "policy": {
            "id": policy.pk,
            "kind": policy.kind,
            "automatic": policy.automatic,
            "max_turnover_percent": str(policy.max_turnover_percent),
            "max_cost_won": policy.max_cost_won,
            "max_price_move_percent": str(policy.max_price_move_percent),
        },
        "created_at": told_at(account.created_at),
    }


_ACCOUNTS = Account.objects.defer("account_no", "app_key", "app_secret").order_by("pk")


class AccountsView(ListDoor):
    """The caller's accounts."""

    queryset = _ACCOUNTS
    account_path = "pk"
    serializer_class = AccountShape
    narrowing = (
        choice("environment", Account.Environment.values),
        choice("wrapper", Account.Wrapper.values),
    )

    told = staticmethod(_told)


class AccountView(OneDoor):
    """One account."""

    queryset = _ACCOUNTS
    account_path = "pk"
    serializer_class = AccountShape

    told = staticmethod(_told)
