"""Which links of the audit chain are a person's to read: of their own accounts, and of what is about none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Cast, Substr

from trading.models import Account, AccountMember, Alert, Attempt, AuditEntry, Intent
from trading.selectors.people import Person, role_names

__all__ = ["audit_about", "audit_seen_by"]

_ABOUT: dict[str, tuple[type[Model], str]] = {}
_BY_ACCOUNT = ("account", "targets", "limits", "switch:account")
"""Subjects that name the account itself."""


def audit_about(prefix: str, model: type[Model], account: str) -> None:
    """Subjects `prefix:number` are rows of `model`, whose account is at this path."""
    _ABOUT[prefix] = (model, account)


audit_about("intent", Intent, "account")
audit_about("attempt", Attempt, "intent__account")
audit_about("alert", Alert, "account")


def audit_seen_by(user: Person, rows: QuerySet[AuditEntry] | None = None) -> QuerySet[AuditEntry]:
    """Newest first; nothing for whoever has no role. A member of every account reads the whole chain, at no
    cost; for others rows that are about somebody else's account are left out, one by one as they are read."""
    rows = AuditEntry.objects.all() if rows is None else rows
    if not role_names(user):
        return rows.none()
    own = list(AccountMember.objects.filter(user=user).values_list("account", flat=True))
    if not Account.objects.exclude(pk__in=own).exists():
        return rows
    rows = rows.alias(**{_alias(prefix): _number(prefix) for prefix in _ABOUT})
    return rows.exclude(_others_by_name(own)).exclude(_others_by_row(own))


def _alias(prefix: str) -> str:
    return f"_about_{prefix}"


def _number(prefix: str) -> Case:
    """The row's number where the subject is of this kind. PostgreSQL refuses to cast what is no number; SQLite
    makes it 0, which is nobody's, and would ask each row by a slow expression."""
    if connection.vendor == "postgresql":
        kind = Q(object__regex=rf"^{prefix}:[0-9]{{1,18}}$")
    else:
        kind = Q(object__startswith=f"{prefix}:")
    number = Cast(Substr("object", len(prefix) + 2), BigIntegerField())
    return Case(
        When(kind, then=number),
        default=Value(None),
        output_field=BigIntegerField(),
    )


def _others_by_name(own: Iterable[int]) -> Q:
    found = Q()
    for prefix in _BY_ACCOUNT:
        mine = [f"{prefix}:{number}" for number in own]
        found |= Q(object__startswith=f"{prefix}:") & ~Q(object__in=mine)
    return found


def _others_by_row(own: list[int]) -> Any:
    found: Any = Q()
    for prefix, (model, path) in _ABOUT.items():
        row: QuerySet[Any] = model._default_manager.filter(pk=OuterRef(_alias(prefix)))
        theirs = row.exclude(**{f"{path}__in": own}).exclude(**{path: None})
        found |= Q(object__startswith=f"{prefix}:") & Exists(theirs)
    return found
