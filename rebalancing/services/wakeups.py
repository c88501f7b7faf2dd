"""The rows of beat that wake the workers, and which of them sleep.

A migration makes them. They are a person's from then on: edited or switched off in the admin, never set
back here; what is off or gone is said on the status page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

__all__ = [
    "SLOWEST_SWEEP",
    "SWEEP",
    "WAKEUPS",
    "Asleep",
    "Wakeup",
    "asleep",
    "make_wakeups",
]

SWEEP = "rebalancing.tasks.sweep"
SLOWEST_SWEEP = 60
"""Seconds. Runs wait for the sweep at most this long, which their deadlines bear."""


@dataclass(frozen=True, slots=True)
class Wakeup:
    """One row: its task, how often it is sent, to which queue, and what its silence means."""

    name: str
    title: Any
    task: str
    seconds: int
    queue: str
    silence: Any


WAKEUPS = (
    Wakeup(
        "리밸런싱 확인",
        _("리밸런싱 확인"),
        SWEEP,
        1,
        "runs",
        _("예약이 시작되지 않고 진행 중인 리밸런싱이 멈춥니다."),
    ),
    Wakeup(
        "잔고 조회",
        _("잔고 조회"),
        "rebalancing.tasks.look",
        10,
        "recon",
        _("개요의 잔고가 오래된 값에 머뭅니다."),
    ),
    Wakeup(
        "감시",
        _("감시"),
        "rebalancing.tasks.watch",
        30,
        "alerts",
        _("오래 걸리는 일을 아무도 알리지 않습니다."),
    ),
    Wakeup(
        "규칙 검사",
        _("규칙 검사"),
        "rebalancing.tasks.laws",
        60,
        "alerts",
        _("기록이 안전 규칙을 어겨도 거래가 멈추지 않습니다."),
    ),
    Wakeup(
        "하루 작업",
        _("하루 작업"),
        "rebalancing.tasks.day_jobs",
        15,
        "recon",
        _("09:40 점검과 15:40 마감 대사를 하지 않습니다."),
    ),
    Wakeup(
        "계좌 대사",
        _("계좌 대사"),
        "trading.tasks.reconcile_idle",
        20,
        "recon",
        _("밖에서 생긴 주문과 결과를 모르는 주문을 다시 묻지 않습니다."),
    ),
    Wakeup(
        "개장일 조회",
        _("개장일 조회"),
        "trading.tasks.refresh_calendar",
        600,
        "recon",
        _("증권사의 휴장일을 새로 읽지 않습니다."),
    ),
)


@dataclass(frozen=True, slots=True)
class Asleep:
    """A wake-up nobody gets: its row is gone, or a person switched it off."""

    wakeup: Wakeup
    gone: bool


def asleep() -> list[Asleep]:
    """Every wake-up without an enabled row, in the order of what its silence costs."""
    from django_celery_beat.models import PeriodicTask

    rows: dict[str, bool] = {}
    for task, enabled in PeriodicTask.objects.values_list("task", "enabled"):
        rows[task] = rows.get(task, False) or enabled
    return [Asleep(w, w.task not in rows) for w in WAKEUPS if not rows.get(w.task, False)]


def make_wakeups(models: Any = None) -> None:
    """Make the rows that are missing, by task: what a person changed or renamed stays as it is.

    `models` gives the historical models of a migration; without it those of now.
    """
    if models is None:
        from django.apps import apps as models
    interval = models.get_model("django_celery_beat", "IntervalSchedule")
    periodic = models.get_model("django_celery_beat", "PeriodicTask")
    known = set(periodic.objects.values_list("task", flat=True))
    for wakeup in WAKEUPS:
        if wakeup.task in known:
            continue
        # no law makes an interval unique, and people may have added the same one twice
        same = {"every": wakeup.seconds, "period": "seconds"}
        every = interval.objects.filter(**same).first() or interval.objects.create(**same)
        periodic.objects.create(
            name=wakeup.name,
            task=wakeup.task,
            interval=every,
            queue=wakeup.queue,
            expire_seconds=max(5, wakeup.seconds),
            description="",
        )
