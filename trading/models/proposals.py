"""What one person proposes and a second one agrees to, before it counts."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from trading.models.account import Account
from trading.models.row import Row

__all__ = ["Proposal"]


class Proposal(Row):
    """A change that waits for a second person. Of each `subject` at most one is open or being decided.

    `value` is the change as JSON, `standing` what ruled when it was proposed: where something else rules by
    now, nobody agreed to that, and the proposal is overtaken.
    """

    class Kind(models.TextChoices):
        TARGETS = "targets", _("계좌 목표")
        CONFIG = "config", _("리밸런싱 설정")
        LIMITS = "limits", _("주문 한도")
        DAY = "day", _("개장일")
        APPROVER = "approver", _("승인자 역할")
        ATTEMPT = "attempt", _("결과를 모르는 주문")

    class Outcome(models.TextChoices):
        OPEN = "", _("동의를 기다림")
        DECIDING = "deciding", _("결정하는 중")
        AGREED = "agreed", _("동의함")
        REFUSED = "refused", _("거절함")
        WITHDRAWN = "withdrawn", _("거두어들임")
        REPLACED = "replaced", _("새 제안으로 바뀜")
        OVERTAKEN = "overtaken", _("그 사이 다른 것이 적용됨")
        EXPIRED = "expired", _("기한 지남")

    kind = models.CharField(_("종류"), max_length=10, choices=Kind)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="proposals"
    )
    subject = models.CharField(max_length=80)
    value = models.JSONField()
    standing = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    expires_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    second = models.CharField(max_length=150, blank=True)
    second_reason = models.CharField(max_length=300, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("변경 제안")
        verbose_name_plural = _("변경 제안")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["subject"],
                condition=Q(outcome__in=["", "deciding"]),
                name="proposal_one_open_per_subject",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="agreed") | ~Q(second=F("by")) & ~Q(second=""),
                name="proposal_agreed_by_another",
            ),
        ]
