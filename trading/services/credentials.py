"""What somebody does to another person's credentials is on record, and everybody concerned is told."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from trading.models import Account, CredentialChange
from trading.selectors.people import Person
from trading.services.alerts import alert

__all__ = ["note_credentials"]


def note_credentials(user: Person, by: str, kind: str) -> CredentialChange | None:
    """`by` has set what proves `user`; nothing when that is themselves.

    Must run inside the transaction of the change. The alert goes to every account the person may see, and
    to the admins where there is none; each change is told, however many are open already.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a change of credentials is noted in its own transaction")
    name = user.get_username()
    if name == by:
        return None
    row = CredentialChange.objects.create(user=user, by=by, kind=kind, at=timezone.now())
    accounts = Account.objects.filter(accountmember__user=user, is_active=True).order_by("pk")
    concerned: list[Account | None] = [*accounts] or [None]
    for account in concerned:
        alert(
            "credentials_changed",
            account=account,
            repeat_after=timedelta(0),
            who=name,
            by=by,
        )
    return row
