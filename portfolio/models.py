"""What we intend: model portfolios and sub-portfolios in versions, and the decision that binds them.

A version never changes; editing makes the next one, so that an old run still shows what it followed.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from trading.models import Account, Instrument

__all__ = [
    "AssetClass",
    "ModelPortfolio",
    "ModelPortfolioVersion",
    "ModelPortfolioWeight",
    "SubPortfolio",
    "SubPortfolioVersion",
    "SubPortfolioWeight",
    "TargetDecision",
]

HUNDRED = Decimal("100.00")


class AssetClass(models.TextChoices):
    STOCK = "STOCK", _("주식")
    BOND = "BOND", _("채권")
    ALTERNATIVE = "ALTERNATIVE", _("대체자산")
    CASH = "CASH", _("현금")


def _weight_law(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(weight__gte=0, weight__lte=100), name=name)


def _total_law(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(total=HUNDRED), name=name)


class _Version(models.Model):
    """What versions of either kind have: a number that goes up, who made it when, and their total."""

    portfolio: models.ForeignKey
    number = models.PositiveIntegerField(_("버전"))
    total = models.DecimalField(_("합계 %"), max_digits=6, decimal_places=2)
    note = models.CharField(_("메모"), max_length=200, blank=True)
    created_by = models.CharField(_("작성"), max_length=150)
    created_at = models.DateTimeField(_("작성 시각"), auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"{self.portfolio.code} v{self.number}"


class ModelPortfolio(models.Model):
    """MP: how much of the account each asset class gets."""

    code = models.SlugField(_("코드"), max_length=20, unique=True)
    name = models.CharField(_("이름"), max_length=60)
    description = models.CharField(_("설명"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("MP")
        verbose_name_plural = _("MP")
        ordering = ("code",)

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class ModelPortfolioVersion(_Version):
    portfolio = models.ForeignKey(
        ModelPortfolio, models.CASCADE, related_name="versions", verbose_name=_("MP")
    )

    class Meta(_Version.Meta):
        verbose_name = _("MP 버전")
        verbose_name_plural = _("MP 버전")
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "number"], name="mp_version_once"),
            _total_law("mp_weights_sum_to_100"),
        ]

    def weights_by_class(self) -> dict[str, Decimal]:
        return {row.asset_class: row.weight for row in self.weights.all()}


class ModelPortfolioWeight(models.Model):
    version = models.ForeignKey(
        ModelPortfolioVersion, models.CASCADE, related_name="weights", verbose_name=_("버전")
    )
    asset_class = models.CharField(_("자산군"), max_length=12, choices=AssetClass)
    weight = models.DecimalField(_("비중 %"), max_digits=5, decimal_places=2)

    class Meta:
        verbose_name = _("자산군 비중")
        verbose_name_plural = _("자산군 비중")
        constraints = [
            models.UniqueConstraint(fields=["version", "asset_class"], name="mp_class_once"),
            _weight_law("mp_weight_0_to_100"),
            models.CheckConstraint(
                condition=Q(asset_class__in=AssetClass.values), name="mp_class_known"
            ),
        ]


class SubPortfolio(models.Model):
    """Sub-MP: which instruments make up one asset class, and in which local weights."""

    code = models.SlugField(_("코드"), max_length=20, unique=True)
    name = models.CharField(_("이름"), max_length=60)
    asset_class = models.CharField(_("자산군"), max_length=12, choices=AssetClass)

    class Meta:
        verbose_name = _("Sub-MP")
        verbose_name_plural = _("Sub-MP")
        ordering = ("asset_class", "code")
        constraints = [
            models.CheckConstraint(
                condition=Q(asset_class__in=["STOCK", "BOND", "ALTERNATIVE"]),
                name="sub_class_holds_instruments",
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class SubPortfolioVersion(_Version):
    portfolio = models.ForeignKey(
        SubPortfolio, models.CASCADE, related_name="versions", verbose_name=_("Sub-MP")
    )

    class Meta(_Version.Meta):
        verbose_name = _("Sub-MP 버전")
        verbose_name_plural = _("Sub-MP 버전")
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "number"], name="sub_version_once"),
            _total_law("sub_weights_sum_to_100"),
        ]

    def weights_by_ticker(self) -> dict[str, Decimal]:
        return {row.instrument_id: row.weight for row in self.weights.all()}


class SubPortfolioWeight(models.Model):
    version = models.ForeignKey(
        SubPortfolioVersion, models.CASCADE, related_name="weights", verbose_name=_("버전")
    )
    instrument = models.ForeignKey(
        Instrument, models.PROTECT, related_name="+", verbose_name=_("종목")
    )
    weight = models.DecimalField(_("비중 %"), max_digits=5, decimal_places=2)

    class Meta:
        verbose_name = _("종목 비중")
        verbose_name_plural = _("종목 비중")
        constraints = [
            models.UniqueConstraint(fields=["version", "instrument"], name="sub_instrument_once"),
            _weight_law("sub_weight_0_to_100"),
        ]


class TargetDecision(models.Model):
    """The targets of one account from one moment on: the chosen versions and a copy of their weights.

    The newest row rules. `snapshot` = {"mp": {class: "60.00"}, "sub": {class: {ticker: "50.00"}}}.
    """

    class Source(models.TextChoices):
        PERSON = "person", pgettext_lazy("one", "사람")
        STRATEGY = "strategy", _("전략")

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="target_decisions", verbose_name=_("계좌")
    )
    model_version = models.ForeignKey(
        ModelPortfolioVersion, models.PROTECT, related_name="+", verbose_name=_("MP 버전")
    )
    sub_versions = models.ManyToManyField(
        SubPortfolioVersion, related_name="+", verbose_name=_("Sub-MP 버전")
    )
    snapshot = models.JSONField(_("비중 사본"))
    source = models.CharField(_("출처"), max_length=10, choices=Source, default=Source.PERSON)
    reason = models.CharField(_("이유"), max_length=300, blank=True)
    decided_by = models.CharField(_("결정"), max_length=150)
    agreed_by = models.CharField(_("동의한 사람"), max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(_("결정 시각"), auto_now_add=True)

    class Meta:
        db_table = "ai_strategy_decisions"
        verbose_name = _("목표 결정")
        verbose_name_plural = _("목표 결정")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"#{self.pk} {self.model_version}"
