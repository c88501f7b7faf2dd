"""Who may do what: four roles as groups, deny by default, and objects seen only through membership."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from trading.selectors import role_names

__all__ = ["IsMember", "IsTrader", "Role", "has_role", "is_admin"]


class Role(StrEnum):
    VIEWER = "viewer"
    TRADER = "trader"
    APPROVER = "approver"
    ADMIN = "admin"


def has_role(user: AbstractBaseUser | AnonymousUser, *roles: Role) -> bool:
    """True when an active `user` holds one of `roles`. A superuser has no implicit trading right."""
    return bool(
        user.is_authenticated and user.is_active and role_names(user) & {str(r) for r in roles}
    )


def is_admin(user: AbstractBaseUser | AnonymousUser) -> bool:
    return has_role(user, Role.ADMIN)


class IsMember(BasePermission):
    """Any role may read; writing needs a permission that the view names itself."""

    message = "역할이 필요합니다."

    def has_permission(self, request: Request, view: Any) -> bool:
        return has_role(request.user, *Role) and request.method in SAFE_METHODS


class IsTrader(BasePermission):
    """Any role may read, traders may write."""

    message = "트레이더 권한이 필요합니다."

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in SAFE_METHODS:
            return has_role(request.user, *Role)
        return has_role(request.user, Role.TRADER)
