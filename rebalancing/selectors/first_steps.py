"""What a newcomer has done already on the way to a first run, and what comes next: facts, never clicks."""

from __future__ import annotations

from dataclasses import dataclass

from portfolio.models import TargetDecision
from rebalancing.domain.states import RunState
from rebalancing.models import Run
from trading.models import Account, Snapshot
from trading.selectors.people import Person
from trading.selectors.second_factor import factor_of

__all__ = ["STEPS", "Step", "first_steps"]

STEPS = ("account", "second_factor", "targets", "look", "dry_run", "run")
LOOKED_THROUGH = (RunState.COMPLETED, RunState.NO_ACTION)


@dataclass(frozen=True, slots=True)
class Step:
    """`done` by what the records say; the first that is not done is `next`."""

    code: str
    done: bool
    next: bool = False


def first_steps(user: Person, account: Account | None) -> list[Step]:
    """In the order in which they make sense; without an account only the person's own can be done."""
    runs = Run.objects.filter(account=account) if account else Run.objects.none()
    tried = runs.filter(dry_run=True, state__in=LOOKED_THROUGH)
    done = {
        "account": account is not None and bool(account.app_key),
        "second_factor": factor_of(user) is not None,
        "targets": TargetDecision.objects.filter(account=account).exists(),
        "look": Snapshot.objects.filter(account=account).exists(),
        "dry_run": tried.exists(),
        "run": runs.filter(dry_run=False, state=RunState.COMPLETED).exists(),
    }
    if account is None:
        done |= {"targets": False, "look": False}
    first = next((code for code in STEPS if not done[code]), "")
    return [Step(code, done[code], code == first) for code in STEPS]
