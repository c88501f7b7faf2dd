"""A person's second factor. The seed is ciphertext, recovery codes are digests; neither is ever shown again."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from trading.models.fields import EncryptedTextField

__all__ = ["RecoveryCode", "SecondFactor"]


class SecondFactor(models.Model):
    """An authenticator app. It counts once `confirmed_at` is set; `last_step` was used up by a code."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="second_factor"
    )
    seed = EncryptedTextField()
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(last_step__gte=0), name="factor_step_sane")
        ]


class RecoveryCode(models.Model):
    """One of ten codes for a lost phone; works once."""

    factor = models.ForeignKey(SecondFactor, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["factor", "digest"], name="recovery_code_once")
        ]
