"""Alerts, to read: here, because what their codes say is known on this floor."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Exists, Q, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import In
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from rebalancing.selectors.words import WORDS
from trading.admin.lists import of_account, period
from trading.admin.read_only import ReadOnlyAdmin
from trading.models import Alert
from trading.selectors.people import Role, accounts_of, has_role

__all__ = ["AlertAdmin"]


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    account_path = "account"
    past_as = "alert"
    list_display = (
        "created_at",
        "severity",
        "said",
        "account",
        "acknowledged_by",
        "acknowledged_at",
    )
    list_filter = (
        of_account(),
        period("created_at"),
        "severity",
        ("acknowledged_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("^code",)
    list_select_related = ("account",)

    def in_scope(self, request: HttpRequest) -> Q | Exists | In:
        """An admin also reads what is about no account, as on the front page.

        As one expression and not as "this or none", which a database answers from its index by account and then
        sorts whole: so the list is read newest first and left after a page.
        """
        if not has_role(request.user, Role.ADMIN):
            return super().in_scope(request)
        own = accounts_of(request.user).values_list("pk", flat=True)
        return In(Coalesce("account_id", Value(0)), [0, *own])

    @admin.display(description=_("내용"), ordering="code")
    def said(self, alert: Alert) -> str:
        return WORDS.say(alert.code, alert.facts)
