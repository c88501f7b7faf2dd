"""Why a person who holds the role may still not decide: pages say so where the button would be."""

from __future__ import annotations

from rebalancing.models import Run
from rebalancing.services.second_persons import run_grounds
from trading.domain.errors import Reason
from trading.models import ApprovalPolicy

__all__ = ["approval_grounds"]


def approval_grounds(run: Run, policy: ApprovalPolicy, username: str) -> list[Reason]:
    """Why `username` may not approve the run's plan: under four eyes they are, or may be acting for, somebody
    who stands behind it. Rejecting is open to them all the same."""
    return run_grounds(run, username) if policy.kind == ApprovalPolicy.Kind.FOUR_EYES else []
