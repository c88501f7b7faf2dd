"""Runs and their legs, to read; decisions on them are taken on the desk."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display

from rebalancing.domain.states import TERMINAL
from rebalancing.models import Leg, RebalancingHistory, Run
from rebalancing.selectors.words import STATE_NAMES, WORDS
from trading.admin.read_only import ReadOnlyAdmin

__all__ = ["RunAdmin"]


class LegInline(TabularInline):
    model = Leg
    hide_title = True
    extra = 0
    can_delete = False
    fields = (
        "generation",
        "instrument",
        "side",
        "quantity",
        "resized_quantity",
        "limit_price",
        "filled_quantity",
        "filled_amount",
        "outcome",
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = ("__str__", "created_at", "shown_state", "account", "requester", "why_ended")
    list_filter = ("state", "requester_kind", "dry_run")
    search_fields = ("requester",)
    date_hierarchy = "created_at"
    list_select_related = ("account",)
    inlines = (LegInline,)
    actions_detail = ("open_desk",)
    fieldsets = (
        (None, {"fields": ("state_in_words", "account", "requester", "requester_kind", "dry_run")}),
        (_("언제"), {"fields": ("created_at", "terminal_at", "deadline_at", "plan_expires_at")}),
        (_("끝"), {"fields": ("why_ended", "cash_confirmed")}),
        (_("계획"), {"fields": ("generation", "planner", "approval_policy", "plan_hash")}),
    )

    @admin.display(description=_("상태"))
    def state_in_words(self, run: Run) -> str:
        return str(STATE_NAMES.get(run.state, run.state))

    @admin.display(description=_("끝난 이유"))
    def why_ended(self, run: Run) -> str:
        return WORDS.say(run.end_reason, run.end_facts) if run.end_reason else "–"

    @display(description=_("상태"), label={True: "success", False: "warning"}, ordering="state")
    def shown_state(self, run: Run) -> tuple[bool, str]:
        return run.state in TERMINAL, str(STATE_NAMES.get(run.state, run.state))

    @action(description=_("데스크에서 보기"), url_path="desk")
    def open_desk(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect(reverse("rebalancing:run", args=[object_id]))


@admin.register(RebalancingHistory)
class HistoryAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = (
        "run",
        "created_at",
        "state",
        "equity_before",
        "equity_after",
        "expected_cost",
        "real_cost",
    )
    list_filter = ("state",)
    list_select_related = ("run",)
    actions_detail: Any = ()
