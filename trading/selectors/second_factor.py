"""Who has a second factor, who must have one, and what a session of theirs is worth."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from trading.domain.errors import Reason
from trading.domain.proof import FRESH, Proof
from trading.models import Account, SecondFactor
from trading.selectors.people import Person, Role, accounts_of, has_role, role_names

__all__ = ["act_grounds", "factor_of", "must_enrol", "stamp_of"]

DECIDE = (Role.TRADER, Role.APPROVER, Role.ADMIN)


def factor_of(user: Person) -> SecondFactor | None:
    """The factor in force; the user object keeps it."""
    if not user.is_authenticated:
        return None
    try:
        found: SecondFactor = user.second_factor
    except SecondFactor.DoesNotExist:
        return None
    return found if found.confirmed_at is not None else None


def must_enrol(user: Person, accounts: Iterable[Account]) -> bool:
    """True for somebody who decides about a real one of `accounts` and has no second factor yet."""
    if factor_of(user) is not None or not (has_role(user, *DECIDE) or user.is_superuser):
        return False
    return any(account.environment == Account.Environment.REAL for account in accounts)


def act_grounds(
    user: Person,
    account: Account | None,
    proof: Proof | None,
    now: datetime,
    within: timedelta = FRESH,
) -> list[Reason]:
    """Why a dangerous act of `user` needs a code first; nothing when it may go on.

    Code `second_factor_required`: there is none yet; `code_required`: show it again. An account that is
    not real asks nothing of people who have set nothing up.
    """
    if factor_of(user) is None:
        theirs = [account] if account is not None else _ruled_by(user)
        return [Reason("second_factor_required")] if must_enrol(user, theirs) else []
    if proof is not None and proof.is_fresh(now, within):
        return []
    return [Reason("code_required", {"minutes": int(within.total_seconds() // 60)})]


def _ruled_by(user: Person) -> Iterable[Account]:
    """Whose money an act of `user` on settings may touch: who decides for everybody reaches everybody."""
    if user.is_superuser or has_role(user, Role.ADMIN, Role.APPROVER):
        return Account.objects.filter(is_active=True)
    return accounts_of(user)


def stamp_of(user: Person) -> str:
    """Changes with everything that must end a person's sessions: factor, roles, being active."""
    factor = factor_of(user)
    facts = (
        user.pk,
        factor.pk if factor else 0,
        sorted(role_names(user)),
        user.is_active,
        user.is_staff,
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]
