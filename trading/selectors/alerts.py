"""Alerts, as far as they are somebody's to read."""

from __future__ import annotations

from django.db.models import Exists, Q, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import In

from trading.models import Alert
from trading.selectors.people import Person, Role, accounts_of, has_role
from trading.selectors.scopes import of_accounts

__all__ = ["alerts_seen_by"]


def alerts_seen_by(user: Person) -> Q | Exists | In:
    """Those of one's own accounts; an admin also reads what is about no account, as on the front page.

    As one expression and not as "this or none", which a database answers from its index by account and then
    sorts whole: so the list is read newest first and left after a page.
    """
    own = list(accounts_of(user).values_list("pk", flat=True))
    if has_role(user, Role.ADMIN):
        return In(Coalesce("account_id", Value(0)), [0, *own])
    return of_accounts(Alert, "account", own)
