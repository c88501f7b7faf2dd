"""The trading floor's changes that may take two people: a day of the calendar, limits, an approver."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Q

from trading.domain.errors import InputError, Reason
from trading.models import Account, AuditEntry, MarketDay, Proposal, TradingLimits
from trading.selectors.people import Person, Role, gives_roles
from trading.services.audit import audit
from trading.services.day_overrides import correct_day
from trading.services.limits import add_limits
from trading.services.proposals import Change, Keeper, register, takes_two

__all__ = [
    "approver_change",
    "day_change",
    "limits_change",
    "making_approver_takes_two",
    "register_keepers",
]

KIND = Proposal.Kind


def register_keepers() -> None:
    register(KIND.DAY, Keeper(_standing_day, _correct))
    register(KIND.LIMITS, Keeper(_standing_limits, _limit))
    register(
        KIND.APPROVER,
        Keeper(_standing_roles, _give_role, may_propose=gives_roles, grounds=_own_role),
    )


def day_change(day: date, override: str, reason: str) -> Change:
    return Change(KIND.DAY, f"day:{day.isoformat()}", {"override": override}, reason=reason)


def _standing_day(subject: str) -> str:
    found = MarketDay.objects.filter(day=_name(subject)).first()
    return f"{found.override}|{found.changed_at}" if found is not None else ""


def _correct(proposal: Proposal, second: str) -> MarketDay:
    return correct_day(
        date.fromisoformat(_name(proposal.subject)),
        proposal.value["override"],
        by=proposal.by,
        reason=proposal.reason,
        second=second,
    )


def limits_change(account: Account, values: Mapping[str, Any], reason: str) -> Change:
    """`values` are those of a TradingLimits' fields that are given; others stay as they are."""
    told = {name: str(value) for name, value in values.items()}
    return Change(KIND.LIMITS, f"limits:{account.pk}", told, account, reason)


def _standing_limits(subject: str) -> str:
    newest = TradingLimits.objects.filter(account=int(_name(subject))).first()
    return str(newest.pk) if newest is not None else ""


def _limit(proposal: Proposal, second: str) -> TradingLimits:
    if proposal.account is None:
        raise InputError(Reason("proposal_unreadable"))
    values = {
        name: Decimal(text) if name.endswith("percent") else int(text)
        for name, text in proposal.value.items()
    }
    return add_limits(
        proposal.account, values, by=proposal.by, reason=proposal.reason, second=second
    )


def approver_change(person: Person) -> Change:
    return Change(KIND.APPROVER, f"approver:{person.pk}", {"name": person.get_username()})


def making_approver_takes_two(person: Person, by: str) -> bool:
    """Whether giving `person` the approver's role takes another approver's word.

    Not while nobody but these two ever had it: there is nobody to ask then. By the record, so that nobody
    gets around it by taking the role from the others first.
    """
    if not takes_two(None):
        return False
    users = get_user_model().objects
    others = users.filter(groups__name=Role.APPROVER).exclude(Q(pk=person.pk) | Q(username=by))
    if others.exists():
        return True
    pair = users.filter(Q(pk=person.pk) | Q(username=by)).values_list("pk", flat=True)
    told = AuditEntry.objects.filter(
        action__in=("user_added", "user_changed"), payload__contains=f'"{Role.APPROVER}"'
    )
    return told.exclude(object__in=[f"user:{pk}" for pk in pair]).exists()


def _standing_roles(subject: str) -> str:
    person = get_user_model().objects.filter(pk=_name(subject)).first()
    if person is None:
        return ""
    names = person.groups.order_by("name").values_list("name", flat=True)
    return f"{person.get_username()}|{person.is_active}|{','.join(names)}"


def _give_role(proposal: Proposal, second: str) -> Any:
    person = get_user_model().objects.get(pk=_name(proposal.subject))
    if not person.is_active:
        raise InputError(Reason("person_not_active", {"who": person.get_username()}))
    before = sorted(person.groups.values_list("name", flat=True))
    person.groups.add(Group.objects.get_or_create(name=str(Role.APPROVER))[0])
    audit(
        proposal.by,
        "user_changed",
        f"user:{person.pk}",
        {"before": before, "roles": sorted({*before, str(Role.APPROVER)}), "second": second},
    )
    return person


def _own_role(proposal: Proposal, person: Person) -> list[Reason]:
    own = str(person.pk) == _name(proposal.subject)
    return [Reason("proposal_about_yourself")] if own else []


def _name(subject: str) -> str:
    return subject.partition(":")[2]
