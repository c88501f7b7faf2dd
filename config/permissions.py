"""The API's default: somebody with a role may read; a view that writes names its own permission."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from trading.selectors.people import Role, has_role

__all__ = ["IsMember"]


class IsMember(BasePermission):
    message = _("역할이 필요합니다.")

    def has_permission(self, request: Request, view: Any) -> bool:
        return has_role(request.user, *Role) and request.method in SAFE_METHODS
