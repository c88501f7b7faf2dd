"""When an account is looked at without anybody asking."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rebalancing.domain.schedules import Edge, Kind, Period, Rule
from rebalancing.models.runs import Run
from trading.models import Account, Snapshot

__all__ = ["RunSchedule"]


class RunSchedule(models.Model):
    """When an account is looked at without anybody asking; by the market's clock."""

    class KindChoice(models.TextChoices):
        DRIFT = Kind.DRIFT, _("편차: 거래일마다")
        PERIODIC = Kind.PERIODIC, _("정기: 매월 또는 분기")
        CASH_FLOW = Kind.CASH_FLOW, _("입출금이 있을 때")

    class PeriodChoice(models.TextChoices):
        MONTH = Period.MONTH, _("매월")
        QUARTER = Period.QUARTER, _("분기 (1–3월, 4–6월, 7–9월, 10–12월)")

    class EdgeChoice(models.TextChoices):
        FIRST = Edge.FIRST, _("첫 거래일")
        LAST = Edge.LAST, _("마지막 거래일")

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="run_schedules", verbose_name=_("계좌")
    )
    kind = models.CharField(_("동기"), max_length=10, choices=KindChoice, default=Kind.DRIFT)
    at = models.TimeField(
        _("시각 (KST)"),
        help_text=_(
            "09:00부터 15:10 전까지. 수능일이나 새해 첫 거래일처럼 늦게 여는 날에는 그만큼 늦춥니다."
        ),
    )
    period = models.CharField(
        _("주기"),
        max_length=7,
        choices=PeriodChoice,
        default=Period.MONTH,
        help_text=_("정기일 때만 씁니다."),
    )
    edge = models.CharField(
        _("날"),
        max_length=5,
        choices=EdgeChoice,
        default=Edge.LAST,
        help_text=_("정기일 때만 씁니다. 거래소 달력으로 정합니다."),
    )
    inside_bands = models.BooleanField(
        _("임계값 안이어도 목표까지"),
        default=False,
        help_text=_(
            "정기일 때만 씁니다. 켜면 편차가 임계값보다 작아도 목표 비중까지 되돌려 비용이 듭니다."
            " 끄면 임계값을 넘은 때에만 거래합니다."
        ),
    )
    min_flow_won = models.BigIntegerField(
        _("최소 입출금액 (원)"),
        default=1_000_000,
        validators=[MinValueValidator(0)],
        help_text=_("입출금일 때만 씁니다. 이보다 적은 돈은 모였다가 함께 나눕니다."),
    )
    catch_up = models.BooleanField(
        _("놓치면 늦게라도"),
        default=False,
        help_text=_(
            "프로그램이 꺼져 있어 시각을 10분 넘게 지나쳤을 때 15:10 전이면 시작합니다."
            " 정기는 다음 거래일까지 한 번 시작합니다. 끄면 건너뛰고 알립니다."
        ),
    )
    planner = models.CharField(
        _("플래너"), max_length=10, choices=Run.Planner.choices[:2], default=Run.Planner.RULES
    )
    enabled = models.BooleanField(_("사용"), default=True)
    changed_by = models.CharField(
        _("바꾼 사람"), max_length=150, blank=True, default="", editable=False
    )
    since = models.DateTimeField(_("이때부터"), null=True, blank=True, editable=False)
    baseline = models.ForeignKey(
        Snapshot, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        verbose_name = _("예약")
        verbose_name_plural = _("예약")
        ordering = ("account", "at")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "at"],
                name="one_schedule_per_time",
                violation_error_message=_("이 계좌에는 같은 시각의 예약이 이미 있습니다."),
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[str(k) for k in Kind])
                & Q(period__in=[str(p) for p in Period])
                & Q(edge__in=[str(e) for e in Edge]),
                name="schedule_words_known",
            ),
            models.CheckConstraint(
                condition=Q(min_flow_won__gte=0) & (~Q(kind="cash_flow") | Q(min_flow_won__gt=0)),
                name="schedule_minimum_sane",
            ),
        ]

    def __str__(self) -> str:
        """What it waits for and when: a name that tells two schedules of one account apart."""
        return f"{self.waits_for} {self.at:%H:%M}" if self.at is not None else self.waits_for

    @property
    def waits_for(self) -> str:
        """What it waits for, in a few words of the reader's language."""
        if self.kind == Kind.CASH_FLOW:
            return gettext("입출금 %(won)s원부터") % {"won": f"{self.min_flow_won:,}"}
        if self.kind == Kind.DRIFT:
            return gettext("편차, 거래일마다")
        return str(_PERIODIC[Period(self.period), Edge(self.edge)])

    @property
    def job(self) -> str:
        """How fires name this schedule."""
        return f"rebalance:{self.pk}"

    @property
    def rule(self) -> Rule:
        """When it acts, as the domain decides it."""
        return Rule(
            at=self.at,
            kind=Kind(self.kind),
            period=Period(self.period),
            edge=Edge(self.edge),
            catch_up=self.catch_up,
        )


_PERIODIC = {
    (Period.MONTH, Edge.FIRST): _("정기, 매월 첫 거래일"),
    (Period.MONTH, Edge.LAST): _("정기, 매월 마지막 거래일"),
    (Period.QUARTER, Edge.FIRST): _("정기, 분기 첫 거래일"),
    (Period.QUARTER, Edge.LAST): _("정기, 분기 마지막 거래일"),
}
