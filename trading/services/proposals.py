"""What takes two people: one proposes a change, another one agrees, and only then it counts.

Each kind of change is registered by the app that it belongs to. Where the account's policy lets one person
decide, nothing is proposed and the change counts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from trading.domain.errors import Reason, RuleViolation, StateConflict
from trading.domain.proof import Proof
from trading.models import Account, Proposal
from trading.selectors.independence import (
    asker_grounds,
    is_admin,
    plain_name,
    second_person_grounds,
)
from trading.selectors.people import Person, Role, accounts_of, has_role, may_see
from trading.selectors.policies import under_four_eyes
from trading.selectors.second_factor import act_grounds
from trading.services.audit import audit

__all__ = [
    "Change",
    "Keeper",
    "SecondPersonNeeded",
    "agree",
    "ask",
    "decision_grounds",
    "expire_proposals",
    "keeper_of",
    "propose",
    "refuse",
    "register",
    "takes_two",
    "waiting_about",
    "waits_for_broker",
    "withdraw",
]

LIFE = timedelta(days=7)
ASKING = timedelta(minutes=10)
"""How long the broker may be asked about one: longer than any call of it waits."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change: `value` is JSON that the kind's keeper reads;
    `account` is None where it is everybody's."""

    kind: str
    subject: str
    value: Mapping[str, Any]
    account: Account | None = None
    reason: str = ""


class SecondPersonNeeded(Exception):
    """Raised where a form's change may not be written by one person: the door proposes `change` instead."""

    def __init__(self, change: Change) -> None:
        super().__init__(change.subject)
        self.change = change


@dataclass(frozen=True, slots=True)
class Keeper:
    """How one kind of change is kept.

    `standing` says what rules now, as a text that differs when anything has changed. `carry_out` makes the
    change in the names of both; it raises JeoulError when it may not be made any more. One that asks the broker
    (`asks_broker`) is done between two transactions of the proposal, and must refuse to be done twice.
    `may_propose` is asked of who proposed it once more when somebody agrees.
    `grounds` are the kind's own reasons against a second person.
    """

    standing: Callable[[str], str]
    carry_out: Callable[[Proposal, str], object]
    asks_broker: bool = False
    may_propose: Callable[[Person], bool] = is_admin
    grounds: Callable[[Proposal, Person], list[Reason]] = field(default=lambda _proposal, _who: [])


_KEEPERS: dict[str, Keeper] = {}


def register(kind: str, keeper: Keeper) -> None:
    _KEEPERS[str(kind)] = keeper


def keeper_of(kind: str) -> Keeper:
    return _KEEPERS[str(kind)]


def takes_two(account: Account | None) -> bool:
    """Whether a change to `account`, or with None one that concerns every account, needs a second person.

    Accounts that are switched off count: else one person would switch them off, change, and on again.
    """
    accounts = [account] if account is not None else Account.objects.all()
    return any(under_four_eyes(one) for one in accounts)


def ask(change: Change, *, by: str) -> Any:
    """Make `change` at once where one person may and give what the kind's keeper gives, or file a Proposal.

    Raises what the change itself raises when it cannot be made.
    """
    if takes_two(change.account):
        return propose(change, by=by)
    keeper = keeper_of(change.kind)
    if keeper.asks_broker:
        return keeper.carry_out(_unsaved(change, by), "")
    with transaction.atomic():
        return keeper.carry_out(_unsaved(change, by), "")


def propose(change: Change, *, by: str) -> Proposal:
    """File `change`; an open proposal about the same thing gives way to it.

    Raises what the change itself would raise, unless only the broker can tell: then on agreement.
    """
    keeper, made = keeper_of(change.kind), _unsaved(change, by)
    if not keeper.asks_broker:
        with transaction.atomic():
            keeper.carry_out(made, "")
            transaction.set_rollback(True)
    try:
        with transaction.atomic():
            expire_proposals()
            replaced = _waiting(change.subject)
            _close_all(change.subject, Proposal.Outcome.REPLACED)
            made.standing = keeper.standing(change.subject)[:200]
            made.save(force_insert=True)
            told = {"proposal": made.pk, "value": made.value}
            audit(by, "change_proposed", made.subject, told | replaced)
    except IntegrityError as error:  # somebody else proposes about the same thing at this moment
        raise StateConflict("proposed_meanwhile") from error
    return made


def _waiting(subject: str) -> dict[str, object]:
    """What gives way to a new proposal, for the record: somebody may have meant both."""
    row = Proposal.objects.filter(subject=subject, outcome="").first()
    return {"replaced": row.pk, "proposed_by": row.by} if row is not None else {}


def waiting_about(subject: str) -> Proposal | None:
    """The open proposal that a new one about the same would take the place of."""
    rows = Proposal.objects.filter(subject=subject, outcome="", expires_at__gt=timezone.now())
    return rows.first()


def _unsaved(change: Change, by: str) -> Proposal:
    now = timezone.now()
    return Proposal(
        kind=change.kind,
        account=change.account,
        subject=change.subject,
        value=dict(change.value),
        by=by,
        reason=change.reason[:300],
        at=now,
        expires_at=now + LIFE,
    )


def agree(proposal_id: int, person: Person, proof: Proof | None = None) -> Proposal:
    """`person` agrees, and the change counts.

    Raises StateConflict when the proposal is closed or overtaken; RuleViolation with every reason when this
    person may not be the second one; what the change itself raises when it cannot be made, and then the
    proposal stays open.
    """
    found = _judged(proposal_id, person, proof)
    keeper = keeper_of(found.kind)
    if keeper.standing(found.subject) != found.standing:
        with transaction.atomic():
            _close_all(found.subject, Proposal.Outcome.OVERTAKEN)
        raise StateConflict("proposal_overtaken", proposal=found.pk)
    second = person.get_username()
    if keeper.asks_broker:
        return _carried_out_apart(found, keeper, second)
    with transaction.atomic():
        proposal = _open(proposal_id)
        if keeper.standing(proposal.subject) != proposal.standing:
            raise StateConflict("proposal_overtaken", proposal=proposal.pk)
        keeper.carry_out(proposal, second)
        _agreed(proposal, second)
    return proposal


def waits_for_broker(proposal_id: int) -> bool:
    """True when agreeing to it asks the broker, so that it must not be done inside a transaction."""
    kind = Proposal.objects.filter(pk=proposal_id).values_list("kind", flat=True).first()
    return kind is not None and keeper_of(kind).asks_broker


def _carried_out_apart(found: Proposal, keeper: Keeper, second: str) -> Proposal:
    """First taken from everybody else, then carried out: nobody refuses meanwhile what is being done, nor
    proposes something else about it. Inside a transaction of the caller's it is refused (durable): every other
    write would wait for the broker, a stop too.
    """
    with transaction.atomic(durable=True):
        _close(_open(found.pk), Proposal.Outcome.DECIDING, second)
    try:
        keeper.carry_out(found, second)
    except Exception:
        with transaction.atomic():
            Proposal.objects.filter(pk=found.pk, outcome=Proposal.Outcome.DECIDING).update(
                outcome="", second="", closed_at=None
            )
        raise
    with transaction.atomic():
        proposal = Proposal.objects.select_for_update().get(pk=found.pk)
        _agreed(proposal, second)
    return proposal


def _agreed(proposal: Proposal, second: str) -> None:
    _close(proposal, Proposal.Outcome.AGREED, second)
    audit(second, "proposal_agreed", proposal.subject, {"proposal": proposal.pk})


def refuse(proposal_id: int, person: Person, reason: str = "") -> Proposal:
    """An approver who may decide it says no. Raises as `agree` does; no code is asked for."""
    with transaction.atomic():
        expire_proposals()
    with transaction.atomic():
        proposal = _open(proposal_id)
        if reasons := _role_grounds(proposal, person):
            raise RuleViolation(reasons)
        proposal.second_reason = reason[:300]
        _close(proposal, Proposal.Outcome.REFUSED, person.get_username())
        told = {"proposal": proposal.pk, "reason": reason[:300]}
        audit(person.get_username(), "proposal_refused", proposal.subject, told)
    return proposal


def withdraw(proposal_id: int, by: str) -> Proposal:
    """Who proposed it takes it back. Raises RuleViolation for anybody else, StateConflict when it is closed."""
    with transaction.atomic():
        expire_proposals()
    with transaction.atomic():
        proposal = _open(proposal_id)
        if proposal.by != by:
            raise RuleViolation([Reason("proposal_not_yours")])
        _close(proposal, Proposal.Outcome.WITHDRAWN)
        audit(by, "proposal_withdrawn", proposal.subject, {"proposal": proposal.pk})
    return proposal


def decision_grounds(proposal: Proposal, person: Person, proof: Proof | None) -> list[Reason]:
    """Every reason why `person` may not be the second one; empty when they may."""
    grounds = _role_grounds(proposal, person)
    name = person.get_username()
    if plain_name(proposal.by) == name:
        grounds.append(Reason("proposal_needs_another_person"))
    grounds += second_person_grounds(name, proposal.by)
    grounds += _proposer_grounds(proposal)
    grounds += keeper_of(proposal.kind).grounds(proposal, person)
    return grounds + act_grounds(person, proposal.account, proof, timezone.now())


def _proposer_grounds(proposal: Proposal) -> list[Reason]:
    own = [proposal.account] if proposal.account is not None else []
    return asker_grounds(proposal.by, own, keeper_of(proposal.kind).may_propose)


def _role_grounds(proposal: Proposal, person: Person) -> list[Reason]:
    grounds = []
    if not has_role(person, Role.APPROVER):
        grounds.append(Reason("approver_role_required"))
    if not _concerns(proposal, person):
        grounds.append(Reason("not_a_member"))
    return grounds


def _concerns(proposal: Proposal, person: Person) -> bool:
    """A member of the account; for what concerns every account, of one that asks for two people."""
    if proposal.account is not None:
        return may_see(person, proposal.account)
    return any(under_four_eyes(account) for account in accounts_of(person))


def _judged(proposal_id: int, person: Person, proof: Proof | None) -> Proposal:
    with transaction.atomic():
        expire_proposals()
    found = Proposal.objects.select_related("account").filter(pk=proposal_id, outcome="").first()
    if found is None:
        raise StateConflict("proposal_not_open", proposal=proposal_id)
    if reasons := decision_grounds(found, person, proof):
        raise RuleViolation(reasons)
    return found


def _open(proposal_id: int) -> Proposal:
    rows = Proposal.objects.select_for_update(of=("self",)).select_related("account")
    found = rows.filter(pk=proposal_id, outcome="").first()
    if found is None:
        raise StateConflict("proposal_not_open", proposal=proposal_id)
    return found


def _close(proposal: Proposal, outcome: Proposal.Outcome, second: str = "") -> None:
    proposal.outcome, proposal.second, proposal.closed_at = outcome, second, timezone.now()
    proposal.save(update_fields=["outcome", "second", "second_reason", "closed_at"])


def _close_all(subject: str, outcome: Proposal.Outcome) -> None:
    Proposal.objects.filter(subject=subject, outcome="").update(
        outcome=outcome, closed_at=timezone.now()
    )


def expire_proposals() -> None:
    """Close what nobody agreed to in a week, and open again what a program died over. Must run inside a
    transaction."""
    now = timezone.now()
    # whoever was asking the broker died over it: what was done all the same the kind's `standing` shows
    Proposal.objects.filter(outcome=Proposal.Outcome.DECIDING, closed_at__lte=now - ASKING).update(
        outcome="", second="", closed_at=None
    )
    Proposal.objects.filter(outcome="", expires_at__lte=now).update(
        outcome=Proposal.Outcome.EXPIRED, closed_at=now
    )
