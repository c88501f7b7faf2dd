"""What a model was asked about one plan, what it said, and what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rebalancing.domain.advice_states import AdviceState
from rebalancing.models.runs import Run

__all__ = ["Advice"]

_UNASKED = [AdviceState.READY.value, AdviceState.NOT_ASKED.value]


class Advice(models.Model):
    """One generation's advice. The question never changes, the answer only until it is there, the
    verdict only until the plan is made; the database refuses the rest."""

    run = models.ForeignKey(
        Run, models.PROTECT, related_name="advice", verbose_name=_("실행"), db_index=False
    )
    generation = models.PositiveSmallIntegerField(_("세대"))
    state = models.CharField(_("상태"), max_length=10)
    model = models.CharField(_("모델"), max_length=100, blank=True)
    request = models.JSONField(default=dict)
    """`system`, `parts`, `schema` as sent, and `briefing`, what they were made of."""
    look_ms = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(_("준비"))
    asked_at = models.DateTimeField(_("요청 시각"), null=True)
    ended_at = models.DateTimeField(_("끝난 시각"), null=True)
    response = models.TextField(blank=True)
    latency_ms = models.PositiveIntegerField(_("걸린 시간 ms"), null=True)
    tokens = models.JSONField(default=dict)
    items = models.JSONField(default=list)
    """What the answer says, cleaned for showing; never read to make an order."""
    reasons = models.JSONField(default=list)
    """Why it was not followed: `code` and facts each."""
    rules = models.JSONField(default=list)
    """The legs that the rules made of the same trades and books."""
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("AI 조언")
        verbose_name_plural = _("AI 조언")
        ordering = ("run", "generation")
        constraints = [
            models.UniqueConstraint(fields=["run", "generation"], name="advice_once_per_plan"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in AdviceState]), name="advice_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=_UNASKED, asked_at__isnull=True)
                | (~Q(state__in=_UNASKED) & Q(asked_at__isnull=False)),
                name="advice_asked_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.run_id}.{self.generation}"
