"""Celery only wakes: the database knows what is due, so a lost or doubled message does no harm."""

from __future__ import annotations

import os

from celery import Celery

__all__ = ["app"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("jeoul")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
