"""Everybody's API tokens, for admins: who has which, when it was used, and its end."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from trading.admin.lists import period
from trading.admin.read_only import ReadOnlyAdmin
from trading.models import ApiToken
from trading.selectors.people import Role
from trading.services.api_tokens import revoke_token
from trading.views.proof import asked_first

__all__ = ["ApiTokenAdmin"]


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    roles = (Role.ADMIN,)
    past_as = "token"
    is_live = False  # rows are being picked here
    list_display = (
        "__str__",
        "user",
        "reach",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    list_filter = (period("created_at"), "reach", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("^user__username", "^name")
    list_select_related = ("user",)
    exclude = ("digest", "stamp")
    actions = ("end_tokens",)  # type: ignore[assignment]

    @action(description=_("고른 토큰 끝내기"))
    def end_tokens(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        if asked := asked_first(request):
            return asked
        ended = sum(revoke_token(row, request.user.get_username()) for row in rows)
        messages.success(request, _("토큰 %(count)d개를 끝냈습니다.") % {"count": ended})
        return None
