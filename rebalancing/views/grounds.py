"""Why a person who holds the role may still not decide: pages say so where the button would be."""

from __future__ import annotations

from rebalancing.models import Run
from rebalancing.services.second_persons import run_grounds
from trading.domain.errors import Reason
from trading.models import ApprovalPolicy
from trading.selectors.people import Person
from trading.selectors.second_factor import factor_of

__all__ = ["approval_grounds"]


def approval_grounds(run: Run, policy: ApprovalPolicy, user: Person) -> list[Reason]:
    """Why `user` may not approve the run's plan: under four eyes they are, or may be acting for, somebody who
    stands behind it; and outside of practice they need a second factor. Rejecting is open to them all the
    same."""
    grounds = []
    if policy.kind == ApprovalPolicy.Kind.FOUR_EYES:
        grounds = run_grounds(run, user.get_username())
    if policy.kind != ApprovalPolicy.Kind.OWNER_PRACTICE and factor_of(user) is None:
        grounds.append(Reason("second_factor_required"))
    return grounds
