"""The approval policy that rules an account now."""

from __future__ import annotations

from django.db.models import Q

from trading.models import Account, ApprovalPolicy

__all__ = ["default_kind", "policy_in_force", "policy_shown", "under_four_eyes"]


def default_kind(account: Account) -> str:
    """The safest kind that the account's environment allows."""
    return "four_eyes" if account.environment == Account.Environment.REAL else "owner_practice"


def policy_in_force(account: Account) -> ApprovalPolicy | None:
    """The newest policy that may rule; None before the first.

    A real account passes over rows that a second person has not agreed to yet, see
    `trading.domain.policies.needs_second_person`.
    """
    rows = ApprovalPolicy.objects.filter(account=account)
    if account.environment == Account.Environment.REAL:
        rows = rows.filter(~Q(agreed_by="") | Q(kind="four_eyes", automatic=False))
    return rows.first()


def policy_shown(account: Account) -> ApprovalPolicy:
    """The policy in force, or the one that would be written at first use: looking writes nothing."""
    return policy_in_force(account) or ApprovalPolicy(account=account, kind=default_kind(account))


def under_four_eyes(account: Account) -> bool:
    """Whether what one person asks for on `account` takes another one's word."""
    return policy_shown(account).kind == ApprovalPolicy.Kind.FOUR_EYES
