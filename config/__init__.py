"""The roof: settings, URLs, Celery, ASGI, and the dashboard that sees all four floors."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
