"""Writes of approval policies: the default at first use, and a second person's agreement."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from trading.domain.errors import Reason, RuleViolation, StateConflict
from trading.domain.policies import needs_second_person
from trading.models import Account, ApprovalPolicy
from trading.selectors.independence import asker_grounds, plain_name, second_person_grounds
from trading.selectors.policies import default_kind, policy_in_force
from trading.services.audit import audit

__all__ = ["add_policy", "agree_policy", "awaits_agreement", "policy_of", "waiting_policy"]

LIFE = timedelta(days=7)


def policy_of(account: Account) -> ApprovalPolicy:
    """The policy in force; the safest that the environment allows is written at first use."""
    found = policy_in_force(account)
    if found is not None:
        return found
    return ApprovalPolicy.objects.create(
        account=account, kind=default_kind(account), created_by="defaults"
    )


def add_policy(policy: ApprovalPolicy, by: str) -> ApprovalPolicy:
    """Store a new row, audited. It rules from now on, unless it waits for a second person."""
    policy.created_by = by
    with transaction.atomic():
        policy.save(force_insert=True)
        told = {"kind": policy.kind, "policy": policy.pk}
        audit(by, "approval_policy", f"account:{policy.account_id}", told)
    return policy


def awaits_agreement(policy: ApprovalPolicy) -> bool:
    """True while the row rules nothing because nobody else has agreed to it. It lapses after a week, as every
    other proposal does: whoever agrees later agrees to what nobody has in mind any more."""
    if timezone.now() - policy.created_at > LIFE:
        return False
    real = policy.account.environment == Account.Environment.REAL
    return not policy.agreed_by and needs_second_person(
        real=real, kind=policy.kind, automatic=policy.automatic
    )


def waiting_policy(account: Account) -> ApprovalPolicy | None:
    """The account's newest policy while it waits for a second person."""
    newest = ApprovalPolicy.objects.select_related("account").filter(account=account).first()
    return newest if newest is not None and awaits_agreement(newest) else None


def agree_policy(policy_id: int, by: str) -> ApprovalPolicy:
    """`by` agrees to a policy that waits for a second person; from now on it rules.

    Raises StateConflict when it does not wait, or a newer one rules already; RuleViolation with every
    reason when `by` made it, or may be acting for who made it, or who made it may do so no longer.
    """
    with transaction.atomic():
        policy = (
            ApprovalPolicy.objects.select_for_update(of=("self",))
            .select_related("account")
            .get(pk=policy_id)
        )
        if not awaits_agreement(policy):
            raise StateConflict("policy_not_waiting", policy=policy.pk)
        newer = ApprovalPolicy.objects.filter(account=policy.account, pk__gt=policy.pk)
        if newer.exists():
            raise StateConflict("policy_superseded", policy=policy.pk)
        reasons = second_person_grounds(by, policy.created_by)
        if plain_name(policy.created_by) == plain_name(by):
            reasons.append(Reason("policy_needs_another_person"))
        reasons += asker_grounds(policy.created_by, [policy.account])
        if reasons:
            raise RuleViolation(reasons)
        policy.agreed_by, policy.agreed_at = by, timezone.now()
        policy.save(update_fields=["agreed_by", "agreed_at"])
        audit(by, "approval_policy_agreed", f"account:{policy.account_id}", {"policy": policy.pk})
    return policy
