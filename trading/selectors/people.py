"""Who somebody is: four roles as groups, and accounts seen only through membership."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from trading.models import Account, AccountMember

__all__ = [
    "Person",
    "Role",
    "accounts_of",
    "gives_roles",
    "has_role",
    "keep_roles",
    "may_see",
    "role_names",
]

Person = Any  # a User or nobody: the model is swappable


class Role(StrEnum):
    VIEWER = "viewer"
    TRADER = "trader"
    APPROVER = "approver"
    ADMIN = "admin"


def role_names(user: Person) -> frozenset[str]:
    """The roles of `user`, read once per request: the user object keeps them."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    found: frozenset[str] | None = getattr(user, "_jeoul_roles", None)
    if found is None:
        names = user.groups.filter(name__in=[str(role) for role in Role])
        found = frozenset(names.values_list("name", flat=True))
        user._jeoul_roles = found
    return found


def keep_roles(user: Person, roles: Iterable[Role]) -> None:
    """What `role_names` is to say of this object, where whoever read it knows the roles already."""
    user._jeoul_roles = frozenset(str(role) for role in roles)


def has_role(user: Person, *roles: Role) -> bool:
    """True when an active `user` holds one of `roles`. A superuser has no implicit right to trade."""
    return bool(role_names(user) & {str(role) for role in roles})


def gives_roles(user: Person) -> bool:
    """An admin, or who set the installation up."""
    return has_role(user, Role.ADMIN) or (
        user.is_active and bool(getattr(user, "is_superuser", False))
    )


def accounts_of(user: Person) -> QuerySet[Account]:
    """The accounts `user` is a member of; for anybody else they do not exist."""
    if not role_names(user):
        return Account.objects.none()
    return Account.objects.filter(accountmember__user=user, is_active=True).order_by("pk")


def may_see(user: Person, account: Account) -> bool:
    return (
        bool(role_names(user)) and AccountMember.objects.filter(account=account, user=user).exists()
    )
