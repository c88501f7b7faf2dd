"""Whether the one who is to agree is somebody else than the one who asked, by what is on record of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.contrib.auth import get_user_model
from django.utils import timezone

from trading.domain.errors import Reason
from trading.domain.independence import HOLD, CredentialSet, dependence_of
from trading.models import Account, CredentialChange
from trading.selectors.people import Person, Role, has_role, may_see

__all__ = ["asker_grounds", "is_admin", "plain_name", "second_person_grounds"]


def plain_name(name: str) -> str:
    """A shell's `shell:kim` is the same person as the desk's `kim`."""
    return name.removeprefix("shell:")


def is_admin(person: Person) -> bool:
    return has_role(person, Role.ADMIN)


def asker_grounds(
    first: str, accounts: Iterable[Account], may: Callable[[Person], bool] = is_admin
) -> list[Reason]:
    """What `first` asked for counts only while they still may ask for it: not switched off, in the role that
    `may` asks for, and a member of `accounts`. Whoever is no person here has asked for nothing."""
    name = plain_name(first)
    person = get_user_model().objects.filter(username=name).first()
    if person is not None and may(person) and all(may_see(person, one) for one in accounts):
        return []
    return [Reason("proposer_may_no_longer", {"who": name})]


def second_person_grounds(second: str, first: str) -> list[Reason]:
    """Why `second` may not be the other person beside `first`; nothing when they are two.

    By the wall's clock, which is the one that people change passwords by. That both are one name is for
    the caller to refuse, in the words of its own case.
    """
    now = timezone.now()
    rows = CredentialChange.objects.filter(at__gt=now - HOLD).values_list(
        "user__username", "by", "at"
    )
    changes = [CredentialSet(*row) for row in rows]
    found = dependence_of(plain_name(second), plain_name(first), changes, now)
    if found is None:
        return []
    until = f"{timezone.localtime(found.until):%Y-%m-%d %H:%M}"
    return [Reason("approver_not_independent", {"who": found.who, "by": found.by, "until": until})]
