"""Why a person who holds the role may still not decide: pages say so where the button would be."""

from __future__ import annotations

from rebalancing.models import Run
from rebalancing.services.approvals import other_person_grounds
from trading.domain.errors import Reason
from trading.models import ApprovalPolicy, Attempt
from trading.selectors.policies import policy_shown

__all__ = ["approval_grounds", "settling_grounds"]


def approval_grounds(run: Run, policy: ApprovalPolicy, username: str) -> list[Reason]:
    """Why `username` may not approve the run's plan: under four eyes they are, or may be acting for, the one
    who asked. Rejecting is open to them all the same."""
    if policy.kind != ApprovalPolicy.Kind.FOUR_EYES:
        return []
    return other_person_grounds(run.requester, username)


def settling_grounds(attempt: Attempt, username: str) -> list[Reason]:
    """Why `username` may not say what became of an order: under four eyes whoever asked for the run may not."""
    if policy_shown(attempt.intent.account).kind != ApprovalPolicy.Kind.FOUR_EYES:
        return []
    run = Run.objects.filter(pk=attempt.intent.origin_id or 0).first()
    return other_person_grounds(run.requester, username) if run is not None else []
