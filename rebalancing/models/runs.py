"""Why now, which trades, how executed, did it fill: configuration, runs, legs and their history."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from portfolio.models import TargetDecision
from rebalancing.domain.states import TERMINAL, RunState
from trading.models import Account, Instrument, Side, Snapshot
from trading.models.row import Row

__all__ = ["Campaign", "Leg", "RebalancingConfig", "RebalancingHistory", "Run"]

_PERCENT = [MinValueValidator(Decimal("0.1")), MaxValueValidator(Decimal("50"))]


class RebalancingConfig(models.Model):
    """Thresholds and limits of the engine. Rows are only added; the newest rules from the next run on."""

    mp_threshold_percent = models.DecimalField(
        _("MP 임계값 %p"),
        max_digits=4,
        decimal_places=1,
        default=Decimal("3.0"),
        validators=_PERCENT,
    )
    sub_mp_threshold_percent = models.DecimalField(
        _("Sub-MP 임계값 %p"),
        max_digits=4,
        decimal_places=1,
        default=Decimal("5.0"),
        validators=_PERCENT,
    )
    min_trade_won = models.BigIntegerField(
        _("최소 거래금액 (원)"), default=10_000, validators=[MinValueValidator(0)]
    )
    cash_buffer_percent = models.DecimalField(
        _("현금 버퍼 %"),
        max_digits=3,
        decimal_places=1,
        default=Decimal("1.0"),
        validators=[MinValueValidator(Decimal("1.0")), MaxValueValidator(Decimal("2.0"))],
    )
    updated_at = models.DateTimeField(_("변경 시각"), auto_now_add=True)
    updated_by = models.CharField(_("변경"), max_length=150)
    agreed_by = models.CharField(_("동의한 사람"), max_length=150, blank=True, default="")

    class Meta:
        db_table = "rebalancing_config"
        verbose_name = _("리밸런싱 설정")
        verbose_name_plural = _("리밸런싱 설정")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(mp_threshold_percent__gte=Decimal("0.1"), mp_threshold_percent__lte=50),
                name="mp_threshold_range",
            ),
            models.CheckConstraint(
                condition=Q(
                    sub_mp_threshold_percent__gte=Decimal("0.1"), sub_mp_threshold_percent__lte=50
                ),
                name="sub_mp_threshold_range",
            ),
            models.CheckConstraint(
                condition=Q(cash_buffer_percent__gte=1, cash_buffer_percent__lte=2)
                & Q(min_trade_won__gte=0),
                name="buffer_and_minimum_range",
            ),
        ]

    def __str__(self) -> str:
        return f"MP {self.mp_threshold_percent} / Sub-MP {self.sub_mp_threshold_percent}"


class Campaign(Row):
    """A target reached over several days: it opens one run a day."""

    class State(models.TextChoices):
        PREVIEW = "PREVIEW", _("미리보기")
        ACTIVE = "ACTIVE", _("진행")
        PAUSED = "PAUSED", _("중지")
        COMPLETED = "COMPLETED", _("완료")
        SUPERSEDED = "SUPERSEDED", _("대체됨")

    account = models.ForeignKey(Account, models.PROTECT, related_name="campaigns")
    target = models.ForeignKey(TargetDecision, models.PROTECT, related_name="+")
    scope = models.CharField(max_length=10, default="global")
    days_left = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=12, choices=State, default=State.PREVIEW)


class Run(models.Model):
    """One rebalancing from drift to fills. The row alone knows where it is; see `domain.states`."""

    class Requester(models.TextChoices):
        PERSON = "person", pgettext_lazy("one", "사람")
        SCHEDULE = "schedule", _("예약")

    class Planner(models.TextChoices):
        """Until there is a plan, who is to make it; then, who made it."""

        RULES = "rules", _("규칙")
        GEMINI = "gemini", _("Gemini 조언")
        FALLBACK = "fallback", _("규칙 (조언을 쓰지 않음)")

    account = models.ForeignKey(
        Account, models.PROTECT, related_name="runs", verbose_name=_("계좌")
    )
    strategy = models.CharField(_("전략"), max_length=20, default="mp_core")
    slot = models.CharField(_("예약 칸"), max_length=60)
    state = models.CharField(_("상태"), max_length=24, default=RunState.CREATED)
    state_since = models.DateTimeField()
    generation = models.PositiveSmallIntegerField(_("세대"), default=1)
    dry_run = models.BooleanField(_("모의 계산"), default=False)
    requester_kind = models.CharField(_("요청 방식"), max_length=8, choices=Requester)
    requester = models.CharField(_("요청"), max_length=150)
    set_by = models.CharField(_("예약을 바꾼 사람"), max_length=150, null=True, blank=True)
    """Of a schedule's run who had changed the schedule last when it was opened."""
    planner = models.CharField(
        _("계획한 이"), max_length=10, choices=Planner, default=Planner.RULES
    )
    approval_policy = models.CharField(_("승인 정책"), max_length=16)
    config = models.ForeignKey(RebalancingConfig, models.PROTECT, null=True, related_name="+")
    target = models.ForeignKey(TargetDecision, models.PROTECT, null=True, related_name="+")
    trigger_kind = models.CharField(_("동기"), max_length=10, null=True, blank=True)
    trigger_facts = models.JSONField(null=True, blank=True)
    campaign = models.ForeignKey(Campaign, models.PROTECT, null=True, related_name="runs")
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, null=True, related_name="+")
    outcome = models.JSONField(default=dict)
    plan = models.JSONField(default=dict)
    plan_hash = models.CharField(_("계획 해시"), max_length=64, blank=True)
    plan_expires_at = models.DateTimeField(_("승인 기한"), null=True)
    cash_confirmed = models.BigIntegerField(_("확인된 현금"), null=True)
    end_reason = models.CharField(_("끝난 이유"), max_length=60, blank=True)
    end_facts = models.JSONField(default=dict)
    stop_requested = models.CharField(_("중지 요청"), max_length=60, blank=True)
    created_at = models.DateTimeField(_("시작"))
    deadline_at = models.DateTimeField(_("마감 시각"))
    step_deadline_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    lease = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    lease_epoch = models.BigIntegerField(null=True)
    terminal_at = models.DateTimeField(_("종료"), null=True)

    class Meta:
        verbose_name = _("리밸런싱 실행")
        verbose_name_plural = _("리밸런싱 실행")
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["account", "-id"]),
            models.Index(fields=["account", "state"], name="run_states"),
            models.Index(fields=["due_at"], condition=Q(terminal_at__isnull=True), name="run_due"),
            models.Index(
                fields=["account", "state"], condition=Q(terminal_at__isnull=True), name="run_open"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in RunState]), name="run_state_known"
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=~Q(state__in=sorted(s.value for s in TERMINAL)),
                name="one_active_run_per_account",
            ),
            models.UniqueConstraint(
                fields=["account", "strategy", "slot"], name="one_run_per_slot"
            ),
            # a program's key names one wish, whatever the account
            models.UniqueConstraint(
                fields=["slot"], condition=Q(slot__startswith="api:"), name="one_run_per_api_key"
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(s.value for s in TERMINAL), terminal_at__isnull=False)
                | (~Q(state__in=sorted(s.value for s in TERMINAL)) & Q(terminal_at__isnull=True)),
                name="run_terminal_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_terminal(self) -> bool:
        return self.state in TERMINAL

    @property
    def wants_advice(self) -> bool:
        """Whether a model was to be asked; a fallback is what became of such a wish."""
        return self.planner in (self.Planner.GEMINI, self.Planner.FALLBACK)

    @property
    def subject(self) -> str:
        """How approvals name this run."""
        return f"run:{self.pk}"

    @property
    def ignores_bands(self) -> bool:
        """It trades to the targets although no threshold is reached: its schedule says so."""
        return bool((self.trigger_facts or {}).get("inside_bands"))

    @property
    def flow(self) -> int:
        """Won that came (+) or went (−) and that this run spreads; 0 for every other run."""
        return int((self.trigger_facts or {}).get("flow", 0))


class Leg(Row):
    """One ticker of one plan: what was planned, what the confirmed cash allowed, what filled."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="legs", verbose_name=_("실행"))
    generation = models.PositiveSmallIntegerField(_("세대"))
    number = models.PositiveSmallIntegerField(_("순서"))
    instrument = models.ForeignKey(
        Instrument, models.PROTECT, related_name="+", verbose_name=_("종목")
    )
    side = models.CharField(_("방향"), max_length=4, choices=Side)
    quantity = models.BigIntegerField(_("수량"))
    resized_quantity = models.BigIntegerField(_("조정 수량"), null=True)
    reference_price = models.BigIntegerField(_("기준가"))
    order_type = models.CharField(_("주문 방식"), max_length=8)
    price_strategy = models.CharField(_("가격 규칙"), max_length=20, blank=True)
    limit_price = models.BigIntegerField(_("지정가"), null=True)
    slices = models.JSONField()
    reason = models.CharField(_("이유"), max_length=200, blank=True)
    expected_cost = models.BigIntegerField(_("예상 비용"), default=0)
    filled_quantity = models.BigIntegerField(_("체결 수량"), default=0)
    filled_amount = models.BigIntegerField(_("체결 금액"), default=0)
    fee = models.BigIntegerField(_("수수료"), default=0)
    tax = models.BigIntegerField(_("세금"), default=0)
    done = models.BooleanField(default=False)
    outcome = models.CharField(_("결과"), max_length=60, blank=True)

    class Meta:
        db_table = "rebalancing_trades"
        verbose_name = _("리밸런싱 매매")
        verbose_name_plural = _("리밸런싱 매매")
        ordering = ("run", "generation", "number")
        constraints = [
            models.UniqueConstraint(fields=["run", "generation", "number"], name="leg_once"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0)
                & Q(reference_price__gt=0)
                & Q(filled_quantity__gte=0)
                & Q(filled_quantity__lte=models.F("quantity")),
                name="leg_numbers_sane",
            ),
            models.CheckConstraint(
                condition=Q(resized_quantity__isnull=True)
                | (Q(resized_quantity__gte=0) & Q(resized_quantity__lte=models.F("quantity"))),
                name="leg_only_shrinks",
            ),
        ]

    @property
    def wanted(self) -> int:
        """What is to be traded after the resize."""
        return self.quantity if self.resized_quantity is None else self.resized_quantity


class RebalancingHistory(Row):
    """The record of a finished run: snapshot, targets, drift before and after, cost expected and real."""

    run = models.OneToOneField(Run, models.PROTECT, related_name="history", verbose_name=_("실행"))
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("계좌"))
    state = models.CharField(_("상태"), max_length=24)
    equity_before = models.BigIntegerField(_("이전 총자산"))
    equity_after = models.BigIntegerField(_("이후 총자산"), null=True)
    target = models.JSONField()
    drift_before = models.JSONField()
    drift_after = models.JSONField(default=dict)
    expected_cost = models.BigIntegerField(_("예상 비용"), default=0)
    real_cost = models.BigIntegerField(_("실제 비용"), default=0)
    fills = models.JSONField()
    created_at = models.DateTimeField(_("시각"))

    class Meta:
        db_table = "rebalancing_history"
        verbose_name = _("리밸런싱 이력")
        verbose_name_plural = _("리밸런싱 이력")
        ordering = ("-id",)
