"""API permissions by role; objects are limited by membership in the querysets."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from trading.api.once import answers_again
from trading.selectors.people import Role, has_role
from trading.selectors.second_factor import act_grounds
from trading.selectors.words import WORDS
from trading.views.proof import show_code

__all__ = ["AdminWrites", "ApproverWrites", "Deciders", "EvidenceReaders", "TraderWrites"]


class _RoleWrites(BasePermission):
    """Every role reads, one role writes."""

    role: Role

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in SAFE_METHODS:
            return has_role(request.user, *Role)
        return has_role(request.user, self.role)


class TraderWrites(_RoleWrites):
    role = Role.TRADER
    message = _("트레이더 역할이 필요합니다.")


class ApproverWrites(_RoleWrites):
    role = Role.APPROVER
    message = _("승인자 역할이 필요합니다.")


class AdminWrites(_RoleWrites):
    """Settings: admins only, who show a code first where they have a second factor."""

    role = Role.ADMIN
    message = _("관리자 역할이 필요합니다.")

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if request.method not in SAFE_METHODS and not answers_again(view, request):
            grounds = act_grounds(request.user, None, show_code(request), timezone.now())
            if grounds:
                raise PermissionDenied(
                    WORDS.say(grounds[0].code, grounds[0].facts), code=grounds[0].code
                )
        return True


class Deciders(BasePermission):
    """Whoever trades or decides, to read and to write: stops and alerts, as on the desk."""

    message = _("트레이더, 승인자 또는 관리자 역할이 필요합니다.")

    def has_permission(self, request: Request, view: Any) -> bool:
        return has_role(request.user, Role.TRADER, Role.APPROVER, Role.ADMIN)


class EvidenceReaders(BasePermission):
    """Evidence names accounts in full, the audit chain everybody's acts: approvers and admins only."""

    message = _("승인자 또는 관리자 역할이 필요합니다.")

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.method in SAFE_METHODS and has_role(request.user, Role.APPROVER, Role.ADMIN)
