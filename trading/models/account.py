"""Accounts, who may see them, how their plans are approved, and the sleeves inside them."""

from __future__ import annotations

import hashlib
import hmac
import re
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from trading.domain.costs import CommissionRates
from trading.models.fields import EncryptedTextField
from trading.models.row import Row

__all__ = ["Account", "AccountMember", "ApprovalPolicy", "Sleeve"]

_ACCOUNT_NO = re.compile(r"[0-9]{8}-[0-9]{2}", re.ASCII)


def account_digest(account_no: str) -> str:
    """A keyed digest, so that uniqueness can be enforced without storing the number readable."""
    return hmac.new(settings.SECRET_KEY.encode(), account_no.encode(), hashlib.sha256).hexdigest()


class Account(models.Model):
    """One KIS account. Base URL and TR ids derive from `environment` and `wire` and nothing else."""

    class Environment(models.TextChoices):
        SIM = "sim", _("시뮬레이터")
        MOCK = "mock", _("모의투자")
        REAL = "real", _("실전투자")

    class Wire(models.TextChoices):
        """Which of the broker's two faces answers: rates, page sizes and TR ids differ."""

        REAL = "real", _("실전 규격")
        MOCK = "mock", _("모의 규격")

    class Wrapper(models.TextChoices):
        GENERAL = "general", _("일반")
        ISA = "isa", _("ISA")
        PENSION = "pension", _("연금저축")
        IRP = "irp", _("IRP")

    EXTERNAL_ORDER = "external_order"
    """Why an account is paused by itself: somebody else's order on a name that a run worked on."""

    name = models.CharField(_("이름"), max_length=60)
    environment = models.CharField(_("환경"), max_length=4, choices=Environment)
    wire = models.CharField(_("규격"), max_length=4, choices=Wire)
    account_no = EncryptedTextField(_("계좌번호"))
    account_digest = models.CharField(max_length=64, editable=False)
    account_tail = models.CharField(max_length=2, editable=False)
    app_key = EncryptedTextField(_("앱 키"))
    app_secret = EncryptedTextField(_("앱 시크릿"))
    wrapper = models.CharField(
        _("계좌 유형"), max_length=8, choices=Wrapper, default=Wrapper.GENERAL
    )
    commission_stock = models.DecimalField(
        _("주식 수수료율"), max_digits=9, decimal_places=9, default=Decimal("0.000140527")
    )
    commission_fund = models.DecimalField(
        _("ETF 수수료율"), max_digits=9, decimal_places=9, default=Decimal("0.000146527")
    )
    paused_reason = models.CharField(_("중지 사유"), max_length=80, blank=True)
    is_active = models.BooleanField(_("사용"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="AccountMember", related_name="accounts"
    )

    class Meta:
        verbose_name = _("계좌")
        verbose_name_plural = _("계좌")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "account_digest"], name="account_once_per_environment"
            ),
            models.CheckConstraint(
                condition=models.Q(environment="sim") | models.Q(environment=models.F("wire")),
                name="account_wire_follows_environment",
            ),
            models.CheckConstraint(
                condition=models.Q(environment__in=["sim", "mock", "real"]),
                name="account_environment_known",
            ),
            models.CheckConstraint(
                condition=models.Q(commission_stock__gte=0, commission_stock__lt="0.01")
                & models.Q(commission_fund__gte=0, commission_fund__lt="0.01"),
                name="account_commission_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.masked})"

    @property
    def masked(self) -> str:
        """What pages show: the environment's word and the last two digits."""
        return f"{self.get_environment_display()} …{self.account_tail}"

    @property
    def commission(self) -> CommissionRates:
        return CommissionRates(stock=self.commission_stock, fund=self.commission_fund)

    def clean(self) -> None:
        if not _ACCOUNT_NO.fullmatch(self.account_no or ""):
            raise ValidationError({"account_no": _("12345678-01 형식으로 입력하세요.")})

    def is_known(self) -> bool:
        """Whether another row of the same environment already has this number."""
        same = Account.objects.filter(
            environment=self.environment, account_digest=account_digest(self.account_no)
        )
        return same.exclude(pk=self.pk).exists()

    def save(self, *args: object, **kwargs: object) -> None:
        self.account_digest = account_digest(self.account_no)
        self.account_tail = self.account_no.split("-")[0][-2:]
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class AccountMember(Row):
    """Object-level access: without a row here the account does not exist for the person."""

    account = models.ForeignKey(Account, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)

    class Meta:
        verbose_name = _("계좌 구성원")
        verbose_name_plural = _("계좌 구성원")
        constraints = [
            models.UniqueConstraint(fields=["account", "user"], name="member_once_per_account")
        ]


class ApprovalPolicy(models.Model):
    """Who may approve what on an account; rows are only added, the newest rules."""

    class Kind(models.TextChoices):
        FOUR_EYES = "four_eyes", _("네 눈 원칙")
        OWNER = "owner", _("본인 (2차 인증)")
        OWNER_PRACTICE = "owner_practice", _("본인 (연습)")

    account = models.ForeignKey(Account, models.CASCADE, related_name="approval_policies")
    kind = models.CharField(_("정책"), max_length=16, choices=Kind)
    automatic = models.BooleanField(
        _("한도 안 자동 승인"),
        default=False,
        help_text=_("모든 점검을 통과하고 아래 한도 안이면 예약 실행을 사람 없이 승인합니다."),
    )
    max_turnover_percent = models.DecimalField(
        _("회전율 한도 %"), max_digits=5, decimal_places=2, default=Decimal("30.00")
    )
    max_cost_won = models.BigIntegerField(_("예상 비용 한도 (원)"), default=200_000)
    max_price_move_percent = models.DecimalField(
        _("가격 변동 한도 %"), max_digits=4, decimal_places=2, default=Decimal("2.00")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150)
    agreed_by = models.CharField(_("동의한 사람"), max_length=150, blank=True)
    agreed_at = models.DateTimeField(_("동의 시각"), null=True, blank=True)

    class Meta:
        verbose_name = _("승인 정책")
        verbose_name_plural = _("승인 정책")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["four_eyes", "owner", "owner_practice"]),
                name="approval_policy_known",
            ),
            models.CheckConstraint(
                condition=models.Q(max_turnover_percent__gte=0, max_turnover_percent__lte=100)
                & models.Q(max_cost_won__gte=0)
                & models.Q(max_price_move_percent__gte=0, max_price_move_percent__lte=2),
                name="approval_policy_limits",
            ),
            models.CheckConstraint(
                condition=models.Q(agreed_by="") | ~models.Q(agreed_by=models.F("created_by")),
                name="approval_policy_agreed_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} v{self.pk}"


SLEEVE_NAMES = {"mp_core": _("MP 코어"), "external": _("외부"), "manual": _("수동")}
"""Sleeves that every account has, by code; their rows keep the name in Korean."""


class Sleeve(models.Model):
    """A strategy's part of an account: it owns lots and has its own exit policy."""

    class ExitPolicy(models.TextChoices):
        NONE_UNTIL_REBALANCE = "none_until_rebalance", _("리밸런싱까지 보유")
        FVG_DYNAMIC = "fvg_dynamic", _("구조 손절")
        FIXED = "fixed", _("고정 손절")
        TRAILING = "trailing", _("추적 손절")
        MANUAL = "manual", _("사람이 결정")

    account = models.ForeignKey(Account, models.CASCADE, related_name="sleeves")
    code = models.SlugField(max_length=20)
    name = models.CharField(max_length=40)
    exit_policy = models.CharField(
        max_length=24, choices=ExitPolicy, default=ExitPolicy.NONE_UNTIL_REBALANCE
    )

    class Meta:
        verbose_name = _("슬리브")
        verbose_name_plural = _("슬리브")
        constraints = [
            models.UniqueConstraint(fields=["account", "code"], name="sleeve_once_per_account")
        ]

    def __str__(self) -> str:
        """Known sleeves in the reader's language, others by the name that a person gave them."""
        return str(SLEEVE_NAMES.get(self.code, self.name))
