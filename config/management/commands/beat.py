"""Runs the scheduler; two of them do no harm, because a slot fires once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.celery import app
from rebalancing.services.wakeups import make_wakeups


class Command(BaseCommand):
    help = "The beat process."

    def handle(self, *args: Any, **options: Any) -> None:
        make_wakeups()
        app.Beat(
            loglevel="WARNING",
            max_interval=1,
            scheduler_cls="django_celery_beat.schedulers:DatabaseScheduler",
        ).run()
