"""깨우기: how often beat wakes the workers. Intervals and switches are a person's; tasks are the program's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from rebalancing.services.wakeups import SLOWEST_SWEEP, SWEEP, WAKEUPS
from trading.admin.read_only import AddOnlyAdmin, StampedAdmin
from trading.selectors.people import Role
from trading.services.audit import audit

__all__ = ["WakeupAdmin"]

for _model in (PeriodicTask, CrontabSchedule, IntervalSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(_model)

_KNOWN = {wakeup.task: wakeup for wakeup in WAKEUPS}
_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
"""The units there are for people; a wake-up every few microseconds would only keep beat busy."""


class WakeupForm(forms.ModelForm):
    """Exactly one rhythm, and for the sweep none slower than a schedule can bear."""

    class Meta:
        model = PeriodicTask
        fields = ("enabled", "interval", "crontab")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        interval, crontab = cleaned.get("interval"), cleaned.get("crontab")
        if bool(interval) == bool(crontab):
            self.add_error("interval", _("간격과 시각표 가운데 하나만 고르세요."))
        elif interval is not None and interval.period not in _SECONDS:
            self.add_error("interval", _("1초보다 자주 깨울 수 없습니다."))
        elif self.instance.task == SWEEP and (
            interval is None or interval.every * _SECONDS[interval.period] > SLOWEST_SWEEP
        ):
            self.add_error(
                "interval",
                _(
                    "진행 중인 리밸런싱은 1분보다 드물게 깨울 수 없습니다."
                    " 거래를 멈추려면 긴급 정지를 쓰세요."
                ),
            )
        return cleaned

    def validate_unique(self) -> None:
        """The model says the same once more in its own words; ours are enough."""
        if not self.errors:
            super().validate_unique()


@admin.register(PeriodicTask)
class WakeupAdmin(StampedAdmin):
    """Neither added nor deleted: what is not wanted is switched off, and the status page says so."""

    form = WakeupForm
    roles = (Role.ADMIN,)
    list_display = ("title", "enabled", "rhythm", "last_run_at")
    list_filter = ("enabled",)
    list_select_related = ("interval", "crontab")
    fields = ("title", "silence", "enabled", "interval", "crontab", "last_run_at")
    readonly_fields = ("title", "silence", "last_run_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("이름"))
    def title(self, row: PeriodicTask) -> str:
        known = _KNOWN.get(row.task)
        return str(known.title) if known else row.name

    @admin.display(description=_("꺼 두면"))
    def silence(self, row: PeriodicTask) -> str:
        known = _KNOWN.get(row.task)
        return str(known.silence) if known else "–"

    @admin.display(description=_("주기"))
    def rhythm(self, row: PeriodicTask) -> str:
        return str(row.interval or row.crontab or "–")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            audit(
                request.user.get_username(),
                "wakeup_changed",
                f"wakeup:{obj.task}"[:80],
                {"enabled": obj.enabled, "rhythm": self.rhythm(obj)},
            )


class _RhythmAdmin(AddOnlyAdmin):
    """A rhythm several wake-ups may share is added anew and never changed under them."""

    roles = (Role.ADMIN,)


@admin.register(IntervalSchedule)
class IntervalAdmin(_RhythmAdmin):
    list_display = ("__str__",)
    fields = ("every", "period")
    bounds = {"every": (1, 86_400)}

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "period":
            kwargs["choices"] = [one for one in db_field.choices if one[0] in _SECONDS]
        return super().formfield_for_choice_field(db_field, request, **kwargs)


@admin.register(CrontabSchedule)
class CrontabAdmin(_RhythmAdmin):
    list_display = ("__str__",)
    fields = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year", "timezone")
