"""How the rows of beat are called where a person reads them: the package speaks of cron in English.

Its models stay as they are for its migrations, which read neither the names set here nor what a row says.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.crontabs import PARTS
from rebalancing.services.wakeups import WAKEUPS

__all__ = ["CLEANUP", "HELP", "KNOWN", "name_beat", "rhythm_kept", "rhythm_said", "wakeup_said"]

KNOWN = {wakeup.task: wakeup for wakeup in WAKEUPS}
CLEANUP = "celery.backend_cleanup"
"""Beat makes this row by itself; it is no wake-up of ours."""
_MODELS = {
    "PeriodicTask": _("깨우기"),
    "IntervalSchedule": _("간격"),
    "CrontabSchedule": _("시각표"),
    "SolarSchedule": _("해의 시각"),
    "ClockedSchedule": _("정한 때"),
}
_COLUMNS = {
    "name": _("이름"),
    "task": _("작업"),
    "enabled": _("켜짐"),
    "interval": _("간격"),
    "crontab": _("시각표"),
    "last_run_at": _("마지막으로 깨운 때"),
    "every": _("간격의 수"),
    "period": _("단위"),
    "minute": _("몇 분"),
    "hour": _("몇 시"),
    "day_of_week": _("무슨 요일"),
    "day_of_month": _("며칠"),
    "month_of_year": _("몇 월"),
    "timezone": _("시간대"),
}
HELP: dict[str, Any] = {
    "enabled": _("끄면 이 일을 아무도 시작하지 않습니다."),
    "interval": _("일정한 간격으로 깨웁니다. 시각표를 고르면 비워 두세요."),
    "crontab": _("정한 시각에 깨웁니다. 간격을 고르면 비워 두세요."),
    "last_run_at": "",
    "every": _("몇 초, 몇 분, 몇 시간, 며칠마다인지 숫자로 적습니다."),
    "period": "",
    "minute": _("0~59. 매분은 *, 여럿은 0,30, 5분마다는 */5."),
    "hour": _("0~23. 매시는 *, 여럿은 9,15, 9시부터 15시까지는 9-15."),
    "day_of_week": _("일요일 0, 월요일 1, 토요일 6. 모든 요일은 *, 평일은 1-5."),
    "day_of_month": _("1~31. 매일은 *. 그달에 없는 날은 건너뜁니다."),
    "month_of_year": _("1~12. 매달은 *, 여럿은 3,6,9,12."),
    "timezone": _("위의 시각이 어느 곳의 시각인지 고릅니다. 한국은 Asia/Seoul입니다."),
}


def wakeup_said(row: Any) -> str:
    """What is woken; the row's own name where nothing better is known."""
    if row.task == CLEANUP:
        return gettext("Celery의 결과 정리 (쓰지 않음)")
    known = KNOWN.get(row.task)
    return str(known.title) if known else str(row.name)


def rhythm_said(row: Any) -> str:
    """An interval or a crontab in the reader's words."""
    if hasattr(row, "period"):
        return _interval_said(row.every, row.period)
    minute, hour, day, month, weekday = (getattr(row, part) for part in PARTS)
    return gettext(
        "%(month)s월 %(day)s일, 요일 %(weekday)s, %(hour)s시 %(minute)s분 (%(zone)s)"
    ) % {
        "minute": minute,
        "hour": hour,
        "day": day,
        "month": month,
        "weekday": weekday,
        "zone": row.timezone,
    }


def rhythm_kept(row: Any) -> str:
    """The same for the record, which is in nobody's language."""
    if hasattr(row, "period"):
        return f"{row.every} {row.period}"
    return " ".join([*(getattr(row, part) for part in PARTS), str(row.timezone)])


def _interval_said(every: int, period: str) -> str:
    count = {"n": every}
    match period:
        case "days":
            return ngettext("%(n)d일마다", "%(n)d일마다", every) % count
        case "hours":
            return ngettext("%(n)d시간마다", "%(n)d시간마다", every) % count
        case "minutes":
            return ngettext("%(n)d분마다", "%(n)d분마다", every) % count
        case "seconds":
            return ngettext("%(n)d초마다", "%(n)d초마다", every) % count
    return ngettext("%(n)d마이크로초마다", "%(n)d마이크로초마다", every) % count


def name_beat() -> None:
    """Give the rows of beat, their columns and what a rhythm says the words of this file."""
    app = apps.get_app_config("django_celery_beat")
    app.verbose_name = _MODELS["PeriodicTask"]  # type: ignore[assignment]
    for label, name in _MODELS.items():
        model: Any = app.get_model(label)
        model._meta.verbose_name = model._meta.verbose_name_plural = name
        for field in model._meta.fields:
            if field.name in _COLUMNS:
                field.verbose_name = _COLUMNS[field.name]
    app.get_model("PeriodicTask").__str__ = wakeup_said  # type: ignore[method-assign]
    for label in ("IntervalSchedule", "CrontabSchedule"):
        app.get_model(label).__str__ = rhythm_said  # type: ignore[method-assign]
