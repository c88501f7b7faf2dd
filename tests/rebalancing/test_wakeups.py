"""The rows of beat: made once, a person's from then on, and never silent when they are off."""

from __future__ import annotations

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from config.celery import app
from rebalancing.services.wakeups import SWEEP, WAKEUPS, asleep, make_wakeups

pytestmark = pytest.mark.django_db


def test_every_task_that_must_be_woken_has_its_row_and_exists() -> None:
    make_wakeups()
    app.loader.import_default_modules()
    for wakeup in WAKEUPS:
        row = PeriodicTask.objects.get(task=wakeup.task)
        assert (row.enabled, row.interval.every, row.queue) == (
            True,
            wakeup.seconds,
            wakeup.queue,
        )
        assert wakeup.task in app.tasks
    assert asleep() == []


def test_what_a_person_changed_is_never_set_back() -> None:
    make_wakeups()
    slow = IntervalSchedule.objects.create(every=7, period="seconds")
    PeriodicTask.objects.filter(task=SWEEP).update(
        name="My sweep", enabled=False, interval=slow, queue="other"
    )
    make_wakeups()
    row = PeriodicTask.objects.get(task=SWEEP)
    assert (row.name, row.enabled, row.interval, row.queue) == ("My sweep", False, slow, "other")
    assert PeriodicTask.objects.filter(task__startswith="rebalancing").count() == 5


def test_a_wakeup_that_is_off_or_gone_is_named() -> None:
    make_wakeups()
    PeriodicTask.objects.filter(task=SWEEP).update(enabled=False)
    PeriodicTask.objects.filter(task="rebalancing.tasks.watch").delete()
    assert [(found.wakeup.task, found.gone) for found in asleep()] == [
        (SWEEP, False),
        ("rebalancing.tasks.watch", True),
    ]
