"""Decisions on plans: who asked, who decided, under which policy, until when."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from trading.api.filters import Filter, by_account, choice, day_span, plain_id, words
from trading.api.lists import ListDoor
from trading.api.shapes import Shape, market_moment, maybe_number
from trading.models import Approval
from trading.selectors.moments import told_at

__all__ = ["ApprovalsView"]

_RUN = "run:"


class ApprovalShape(Shape):
    """`policy` is the kind that ruled, or `automatic`; `auth_level` how the person had proven who they are."""

    id = serializers.IntegerField()
    account = serializers.IntegerField()
    run = maybe_number()
    plan_hash = serializers.CharField()
    verdict = serializers.ChoiceField(Approval.Verdict.choices)
    requester = serializers.CharField()
    approver = serializers.CharField()
    policy = serializers.CharField()
    policy_version = serializers.CharField()
    auth_level = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    decided_at = market_moment()
    expires_at = market_moment()


def _approval(row: Approval) -> dict[str, Any]:
    number = row.subject.removeprefix(_RUN)
    return {
        "id": row.pk,
        "account": row.account_id,
        "run": int(number) if number.isdigit() else None,
        "plan_hash": row.plan_hash,
        "verdict": row.verdict,
        "requester": row.requester,
        "approver": row.approver,
        "policy": row.policy,
        "policy_version": row.policy_version,
        "auth_level": row.auth_level,
        "reason": row.reason,
        "decided_at": told_at(row.decided_at),
        "expires_at": told_at(row.expires_at),
    }


class ApprovalsView(ListDoor):
    """Each decision once, newest first."""

    queryset = Approval.objects.order_by("-pk")
    serializer_class = ApprovalShape
    narrowing = (
        by_account(),
        choice("verdict", Approval.Verdict.values),
        Filter(
            "run",
            plain_id,
            lambda rows, number: rows.filter(subject=f"{_RUN}{number}"),
            {"type": "integer"},
            "the run's id",
        ),
        words("approver"),
        *day_span("decided_at"),
    )
    told = staticmethod(_approval)
