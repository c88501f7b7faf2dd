"""What a newcomer has done already on the way to a first run, and what comes next: facts, never clicks."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from portfolio.models import TargetDecision
from rebalancing.domain.states import RunState
from rebalancing.models import Run
from rebalancing.selectors.proven import PRACTICE
from trading.models import Account, Snapshot
from trading.selectors.people import Person, accounts_of
from trading.selectors.second_factor import factor_of

__all__ = ["STEPS", "TRIED", "Step", "first_steps", "practice_account"]

STEPS = ("account", "second_factor", "targets", "look", "dry_run", "run")
TRIED = ("dry_run", "run")
"""The steps that count on a practice account only, whichever account is chosen."""
_LOOKED_THROUGH = Q(state=RunState.NO_ACTION) | Q(state=RunState.CANCELED, end_reason="dry_run")
"""How a dry run ends that showed what it had to show: nothing to do, or a plan without an order."""


@dataclass(frozen=True, slots=True)
class Step:
    """`done` by what the records say; the first that is not done is `next`."""

    code: str
    done: bool
    next: bool = False


def practice_account(user: Person, chosen: Account | None) -> Account | None:
    """Where the person can practise: the chosen account where it is one for practice, else their first."""
    if chosen is not None and chosen.environment in PRACTICE:
        return chosen
    return accounts_of(user).filter(environment__in=PRACTICE).first()


def first_steps(user: Person, account: Account | None) -> list[Step]:
    """In the order in which they make sense; without an account only the person's own can be done."""
    practised = Run.objects.filter(account__in=accounts_of(user).filter(environment__in=PRACTICE))
    done = {
        "account": account is not None and bool(account.app_key),
        "second_factor": factor_of(user) is not None,
        "targets": TargetDecision.objects.filter(account=account).exists(),
        "look": Snapshot.objects.filter(account=account).exists(),
        "dry_run": practised.filter(_LOOKED_THROUGH, dry_run=True).exists(),
        "run": practised.filter(dry_run=False, state=RunState.COMPLETED).exists(),
    }
    if account is None:
        done |= {"targets": False, "look": False}
    first = next((code for code in STEPS if not done[code]), "")
    return [Step(code, done[code], code == first) for code in STEPS]
