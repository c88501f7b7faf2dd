"""What proves a person or their program: seeds are ciphertext, codes and tokens digests, none shown again."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from trading.models.fields import EncryptedTextField
from trading.models.row import Row

__all__ = ["ApiToken", "CredentialChange", "RecoveryCode", "SecondFactor"]


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


class CredentialChange(Row):
    """Somebody else set a person's password or took their second factor away. Never changed.

    For a day the two are not two people where two are asked for, see `trading.domain.independence`.
    """

    class Kind(models.TextChoices):
        PASSWORD = "password", _("비밀번호")
        FACTOR = "factor", _("2차 인증")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    by = models.CharField(max_length=150)
    kind = models.CharField(_("종류"), max_length=8, choices=Kind)
    at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("인증 변경")
        verbose_name_plural = _("인증 변경")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["password", "factor"]), name="credential_change_kind_known"
            )
        ]


class ApiToken(models.Model):
    """A program's way in, in the name of `user`. Only the digest is kept; `tail` tells one from another.

    `stamp` stands for the password that was in force: with another one the token is worth nothing.
    """

    class Reach(models.TextChoices):
        READ = "read", _("읽기만")
        FULL = "full", _("읽기와 쓰기")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("이름"), max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    tail = models.CharField(max_length=4)
    stamp = models.CharField(max_length=128)
    reach = models.CharField(_("할 수 있는 일"), max_length=4, choices=Reach, default=Reach.READ)
    created_at = models.DateTimeField(_("만든 때"))
    expires_at = models.DateTimeField(_("끝나는 때"))
    last_used_at = models.DateTimeField(_("마지막으로 쓴 때"), null=True)
    revoked_at = models.DateTimeField(_("끝냄"), null=True)

    class Meta:
        verbose_name = _("API 토큰")
        verbose_name_plural = _("API 토큰")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(reach__in=["read", "full"]), name="api_token_reach_known"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="api_token_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} …{self.tail}"
