"""The rows of beat: what wakes the workers. Editable in the admin; these are made when missing."""

from __future__ import annotations

from django_celery_beat.models import IntervalSchedule, PeriodicTask

__all__ = ["ensure_schedules"]

_ROWS = (
    ("리밸런싱 확인", "rebalancing.tasks.sweep", 1, "runs"),
    ("잔고 조회", "rebalancing.tasks.look", 10, "recon"),
    ("감시", "rebalancing.tasks.watch", 30, "alerts"),
    ("계좌 대사", "trading.tasks.reconcile_idle", 20, "recon"),
    ("개장일 조회", "trading.tasks.refresh_calendar", 600, "recon"),
)


def ensure_schedules() -> None:
    for name, task, seconds, queue in _ROWS:
        every, _made = IntervalSchedule.objects.get_or_create(
            every=seconds, period=IntervalSchedule.SECONDS
        )
        PeriodicTask.objects.get_or_create(
            name=name,
            defaults={
                "task": task,
                "interval": every,
                "queue": queue,
                "expire_seconds": max(5, seconds),
            },
        )
