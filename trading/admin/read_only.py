"""Admin bases: rows that are only read, rows that are only added, and both only for members."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from trading.selectors.people import Role, accounts_of, has_role

__all__ = ["AddOnlyAdmin", "ReadOnlyAdmin", "ScopedAdmin", "StampedAdmin"]


class ScopedAdmin(ModelAdmin):
    """Shows rows of the person's own accounts. `account_path` is how a row names its account; an empty
    one means that the row concerns nobody in particular."""

    account_path = ""
    roles: tuple[Role, ...] = tuple(Role)
    actions = None
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if not self.account_path:
            return rows
        return rows.filter(**{f"{self.account_path}__in": accounts_of(request.user)})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return has_role(request.user, *self.roles) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_role(request.user, *self.roles) and super().has_view_permission(request, obj)


class ReadOnlyAdmin(ScopedAdmin):
    """The record: nobody adds to it, changes it or deletes from it here."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class AddOnlyAdmin(ScopedAdmin):
    """Settings with history: a change is a new row, and an old row stays as it was. Admins only."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return has_role(request.user, Role.ADMIN) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class StampedAdmin(ScopedAdmin):
    """Rows an admin may change; nothing that has a past is deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return has_role(request.user, Role.ADMIN) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_role(request.user, Role.ADMIN) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
