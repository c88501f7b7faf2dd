"""API permissions by role; objects are limited by membership in the querysets."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from trading.selectors.people import Role, has_role

__all__ = ["AdminWrites", "ApproverWrites", "EvidenceReaders", "TraderWrites"]


class _RoleWrites(BasePermission):
    """Every role reads, one role writes."""

    role: Role

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in SAFE_METHODS:
            return has_role(request.user, *Role)
        return has_role(request.user, self.role)


class TraderWrites(_RoleWrites):
    role = Role.TRADER
    message = "트레이더 역할이 필요합니다."


class ApproverWrites(_RoleWrites):
    role = Role.APPROVER
    message = "승인자 역할이 필요합니다."


class AdminWrites(_RoleWrites):
    role = Role.ADMIN
    message = "관리자 역할이 필요합니다."


class EvidenceReaders(BasePermission):
    """Evidence names accounts in full: approvers and admins only."""

    message = "승인자 또는 관리자 역할이 필요합니다."

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.method in SAFE_METHODS and has_role(request.user, Role.APPROVER, Role.ADMIN)
