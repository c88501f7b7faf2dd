"""The kill switch's history, as far as it is somebody's to read."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Max, Q, QuerySet

from trading.models import Switch
from trading.selectors.people import Person, Role, accounts_of, has_role
from trading.selectors.scopes import account_scope

__all__ = ["ruling_rows", "switches_of"]


def switches_of(user: Person, rows: QuerySet[Switch] | None = None) -> QuerySet[Switch]:
    """Stops of everything and of one's own accounts; an admin sees all."""
    rows = Switch.objects.all() if rows is None else rows
    if has_role(user, Role.ADMIN):
        return rows
    own = [account_scope(account) for account in accounts_of(user)]
    return rows.exclude(Q(scope__startswith="account:") & ~Q(scope__in=own))


def ruling_rows(scopes: Iterable[str]) -> frozenset[int]:
    """The newest row of each of `scopes`: those are in force."""
    found = Switch.objects.filter(scope__in=set(scopes)).order_by().values("scope")
    return frozenset(found.annotate(newest=Max("pk")).values_list("newest", flat=True))
