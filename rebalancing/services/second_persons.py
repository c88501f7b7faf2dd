"""Under four eyes: who stands behind a run, none of whom may decide it."""

from __future__ import annotations

from django.contrib.auth import get_user_model

from rebalancing.models import Run
from trading.domain.errors import Reason
from trading.selectors.independence import plain_name, second_person_grounds

__all__ = ["behind_run", "other_person_grounds", "run_grounds"]

ASKED, SCHEDULED, TARGETED = (
    "requester_may_not_approve",
    "scheduler_may_not_approve",
    "target_decider_may_not_approve",
)


def behind_run(run: Run) -> list[tuple[str, str]]:
    """Who stands behind it, each as the code of the reason and the name: who asked, of a schedule who had
    changed it last when the run was opened, and who decided the targets alone, before that took two."""
    found = [(ASKED, run.requester)]
    if run.set_by:
        found.append((SCHEDULED, run.set_by))
    target = run.target
    if target is not None and not target.agreed_by and _is_person(target.decided_by):
        found.append((TARGETED, target.decided_by))
    return found


def _is_person(name: str) -> bool:
    """The house itself decides the demo's first targets; it is nobody's second self."""
    return get_user_model().objects.filter(username=plain_name(name)).exists()


def run_grounds(run: Run, decider: str) -> list[Reason]:
    """Every reason why `decider` may not decide `run`, or what became of its orders; each once."""
    grounds = [reason for code, name in behind_run(run) for reason in _grounds(code, name, decider)]
    return list({(one.code, repr(one.facts)): one for one in grounds}.values())


def other_person_grounds(requester: str, decider: str) -> list[Reason]:
    """Why under four eyes `decider` may not decide what `requester` asked for; nothing when they may."""
    return _grounds(ASKED, requester, decider)


def _grounds(code: str, name: str, decider: str) -> list[Reason]:
    own = [Reason(code)] if plain_name(name) == decider else []
    return own + second_person_grounds(decider, name)
