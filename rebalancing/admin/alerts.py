"""Alerts, to read: here, because what their codes say is known on this floor."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Exists, Q
from django.db.models.lookups import In
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from rebalancing.selectors.words import WORDS
from trading.admin.lists import of_account, period
from trading.admin.read_only import ReadOnlyAdmin
from trading.models import Alert
from trading.selectors.alerts import alerts_seen_by

__all__ = ["AlertAdmin"]


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    account_path = "account"
    past_as = "alert"
    told = {"code": "said"}
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
        return alerts_seen_by(request.user)

    @admin.display(description=_("내용"), ordering="code")
    def said(self, alert: Alert) -> str:
        return WORDS.say(alert.code, alert.facts)
