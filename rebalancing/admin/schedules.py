"""예약: when accounts are looked at by themselves, with the next moments and what came of the last ones."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from rebalancing.models import RunSchedule
from rebalancing.selectors.upcoming import next_moments, waits_for
from rebalancing.selectors.words import WORDS
from rebalancing.services.schedule_changes import ACTING, save_schedule, schedule_grounds
from trading.admin.lists import of_account
from trading.admin.read_only import StampedAdmin
from trading.admin.seen import SeenForm
from trading.selectors.calendar import known_calendar
from trading.selectors.people import accounts_of
from trading.views.moments import market_now

__all__ = ["RunScheduleAdmin"]

NEXT = 5
_FIELDS = {
    "schedule_needs_minimum": "min_flow_won",
    "schedule_bands_only_periodic": "inside_bands",
}


class ScheduleForm(SeenForm, forms.ModelForm):
    """Refuses what could never start, each ground in a sentence beside its field."""

    class Meta:
        model = RunSchedule
        fields = (
            "account",
            "kind",
            "at",
            "period",
            "edge",
            "inside_bands",
            "min_flow_won",
            "catch_up",
            "planner",
            "enabled",
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("at") is None or not cleaned.get("kind"):
            return cleaned
        for ground in schedule_grounds(cleaned):
            self.add_error(_FIELDS.get(ground.code, "at"), WORDS.say(ground.code, ground.facts))
        return cleaned


@admin.register(RunSchedule)
class RunScheduleAdmin(StampedAdmin):
    form = ScheduleForm
    account_path = "account"
    list_display = ("account", "what", "at", "enabled", "next_one", "planner")
    list_filter = (of_account(), "kind", "enabled", "planner")
    search_fields = ("account__name",)
    search_help_text = _("계좌 이름으로 찾습니다.")
    past_as = "schedule"
    list_select_related = ("account",)
    bounds = {"min_flow_won": (0, 10**15)}
    fields = (*ScheduleForm.Meta.fields, "next_ones", "fires")
    readonly_fields = ("next_ones", "fires")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "account":
            kwargs["queryset"] = accounts_of(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description=_("동기"))
    def what(self, row: RunSchedule) -> str:
        return waits_for(row)

    @admin.display(description=_("다음"))
    def next_one(self, row: RunSchedule) -> str:
        found = self._next(row, 1)
        return f"{found[0]:%Y-%m-%d %H:%M}" if found else "–"

    @admin.display(description=_("다음 다섯 번"))
    def next_ones(self, row: RunSchedule) -> str:
        """Where money is waited for, the moments at which it is counted."""
        found = self._next(row, NEXT)
        lines = format_html_join("", "<li>{}</li>", ((f"{at:%Y-%m-%d %H:%M}",) for at in found))
        return format_html("<ul>{}</ul>", lines) if found else "–"

    @admin.display(description=_("히스토리"))
    def fires(self, row: RunSchedule) -> str:
        if row.pk is None:
            return "–"
        page = reverse("admin:trading_schedulefire_changelist")
        return format_html('<a href="{}?q={}">{}</a>', page, row.job, _("예약 기록 보기"))

    @staticmethod
    def _next(row: RunSchedule, count: int) -> list[datetime]:
        if row.pk is None:  # a form that was just opened names no account yet
            return []
        return next_moments(row, market_now(row.account), known_calendar(), count)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        anew = not change or bool(ACTING & set(form.changed_data))
        save_schedule(obj, by=request.user.get_username(), anew=anew)
