"""What a person's program was answered, for the same request sent once more."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from trading.models.row import Row

__all__ = ["IdempotencyKey"]


class IdempotencyKey(Row):
    """One act that was done under a key of the caller's choice, and its answer; written in the transaction of
    the act. `digest` is of the body that was sent, `body` the answer as JSON text."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    method = models.CharField(max_length=6)
    path = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    accounts = models.JSONField(default=list)
    """The accounts that were the person's then: the answer may tell of them."""
    made_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("API 요청 키")
        verbose_name_plural = _("API 요청 키")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "key", "method", "path"], name="idempotency_key_once"
            )
        ]
