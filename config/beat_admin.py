"""깨우기: how often beat wakes the workers. Intervals and switches are a person's; tasks are the program's."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from config.beat_words import CLEANUP, HELP, KNOWN, rhythm_kept, wakeup_said
from config.crontabs import PARTS, ever_due, is_readable
from rebalancing.services.wakeups import SLOWEST_SWEEP, SWEEP
from trading.admin.read_only import AddOnlyAdmin, StampedAdmin
from trading.admin.seen import SeenForm
from trading.selectors.people import Role
from trading.services.audit import audit

__all__ = ["WakeupAdmin"]

for _model in (PeriodicTask, CrontabSchedule, IntervalSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(_model)

_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
"""The units there are for people; a wake-up every few microseconds would only keep beat busy."""


class WordedForm(forms.ModelForm):
    """Says what a field wants in our words and not in the package's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.help_text = HELP.get(name, "")


class WakeupForm(SeenForm, WordedForm):
    """Exactly one rhythm, and for the sweep none slower than a schedule can bear."""

    as_one = frozenset({"interval", "crontab"})

    class Meta:
        model = PeriodicTask
        fields = ("enabled", "interval", "crontab")
        help_texts = HELP

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
        return wakeup_said(row)

    @admin.display(description=_("꺼 두면"))
    def silence(self, row: PeriodicTask) -> str:
        if row.task == CLEANUP:
            return gettext("아무 일도 없습니다. Jeoul은 작업의 결과를 따로 쌓아 두지 않습니다.")
        known = KNOWN.get(row.task)
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
                {"enabled": obj.enabled, "rhythm": rhythm_kept(obj.interval or obj.crontab)},
            )


class IntervalForm(WordedForm):
    class Meta:
        model = IntervalSchedule
        fields = ("every", "period")
        help_texts = HELP


class CrontabForm(WordedForm):
    """Only what beat can read, and what some year has: else the wake-up never comes and nobody is told."""

    class Meta:
        model = CrontabSchedule
        fields = (*PARTS, "timezone")
        help_texts = HELP

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for part in PARTS:
            if part in self.fields:
                self.fields[part].validators.append(partial(_check_part, part))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        day, month = cleaned.get("day_of_month"), cleaned.get("month_of_year")
        if day and month and not ever_due(day, month):
            self.add_error("day_of_month", _("그런 날은 어느 해에도 없어 한 번도 깨우지 않습니다."))
        return cleaned


def _check_part(part: str, value: str) -> None:
    """What the model's own check takes and what beat reads are not the same: both must agree."""
    checks = CrontabSchedule._meta.get_field(part).validators
    try:
        for check in checks:
            check(value)
    except ValidationError:
        readable = False
    else:
        readable = is_readable(part, value)
    if not readable:
        raise ValidationError(_("이렇게 적으면 읽을 수 없습니다. 아래의 보기처럼 적으세요."))


class _RhythmAdmin(AddOnlyAdmin):
    """A rhythm several wake-ups may share is added anew and never changed under them."""

    roles = (Role.ADMIN,)


@admin.register(IntervalSchedule)
class IntervalAdmin(_RhythmAdmin):
    form = IntervalForm
    list_display = ("__str__",)
    fields = ("every", "period")
    bounds = {"every": (1, 86_400)}

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "period":
            kwargs["choices"] = [one for one in db_field.choices if one[0] in _SECONDS]
        return super().formfield_for_choice_field(db_field, request, **kwargs)


@admin.register(CrontabSchedule)
class CrontabAdmin(_RhythmAdmin):
    form = CrontabForm
    list_display = ("__str__",)
    fields = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year", "timezone")
