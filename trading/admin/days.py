"""개장일: the broker's own word to read, and a person's correction to write."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from trading.admin.read_only import StampedAdmin
from trading.admin.seen import SeenForm
from trading.admin.two_people import note_for_everything
from trading.domain.krx_closures import FIRST_YEAR, LAST_YEAR
from trading.models import MarketDay
from trading.services.day_overrides import correct_day
from trading.services.keepers import day_change
from trading.services.proposals import SecondPersonNeeded, takes_two

__all__ = ["MarketDayAdmin"]


class DayForm(SeenForm, forms.ModelForm):
    """A correction says why, and lies where the calendar knows the days around it."""

    as_one = frozenset({"override", "reason"})

    class Meta:
        model = MarketDay
        fields = ("day", "override", "reason")

    def clean_day(self) -> Any:
        day = self.cleaned_data["day"]
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise forms.ValidationError(
                _("달력에 있는 날만 바로잡을 수 있습니다: %(first)s–%(last)s년.")
                % {"first": FIRST_YEAR, "last": LAST_YEAR}
            )
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        word, day = cleaned.get("override"), cleaned.get("day") or self.instance.day
        if not (cleaned.get("reason") or "").strip():
            self.add_error("reason", _("이유를 적어 주세요."))
        if word == MarketDay.Override.OPEN and day and day.weekday() > 4:
            self.add_error("override", _("토요일과 일요일은 열 수 없습니다."))
        return cleaned


@admin.register(MarketDay)
class MarketDayAdmin(StampedAdmin):
    """A day is corrected, never deleted; what it was before stands in the audit record."""

    form = DayForm
    list_display = ("day", "is_open", "override", "reason", "changed_by", "read_at")
    list_filter = ("override", "is_open")
    search_fields = ("^day", "reason", "^changed_by")
    search_help_text = _("2026-11처럼 날짜의 앞부분, 이유, 사람으로 찾습니다.")
    date_hierarchy = "day"
    fields = ("day", "override", "reason", "is_open", "read_at", "changed_by", "changed_at")

    def about(self, row: MarketDay) -> Q:
        return Q(object=f"day:{row.day.isoformat()}")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        told = ("is_open", "read_at", "changed_by", "changed_at")
        return ("day", *told) if obj is not None else told

    def before_saving(self, request: HttpRequest) -> str:
        return note_for_everything()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if takes_two(None):
            raise SecondPersonNeeded(day_change(obj.day, obj.override, obj.reason))
        found = correct_day(
            obj.day, obj.override, by=request.user.get_username(), reason=obj.reason
        )
        obj.changed_by, obj.changed_at = found.changed_by, found.changed_at
        if obj.override == MarketDay.Override.OPEN and not found.is_open:
            messages.warning(
                request,
                _("증권사가 그날을 개장이라고 답해야 적용됩니다. 그때까지는 휴장으로 봅니다."),
            )
