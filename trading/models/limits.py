"""What an account's orders may be at most: rows with history.

How often and how far from the price is never looser than the code's own. The won and the share of a day's
volume start from the code's own and are the account's: whoever has more to move may raise them, under four eyes
with a second person.
"""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from trading.models.account import Account
from trading.models.row import Row

__all__ = ["MOST_WON", "TradingLimits"]

MOST_WON = 10**12


def _won(name: object, default: int) -> models.BigIntegerField:  # type: ignore[type-arg]
    bounds = [MinValueValidator(0), MaxValueValidator(MOST_WON)]
    return models.BigIntegerField(name, default=default, validators=bounds)  # type: ignore[arg-type]


class TradingLimits(Row):
    """The newest row of an account rules its next orders; a plan that was approved before it follows whichever
    is tighter. Rows are only added. `created_at` is by the account's market clock."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="limits")
    max_order_won = _won(_("주문 한 건의 금액 (원)"), 5_000_000_000)
    max_ticker_day_won = _won(_("한 종목의 하루 금액 (원)"), 10_000_000_000)
    max_run_won = _won(_("리밸런싱 하나의 금액 (원)"), 20_000_000_000)
    max_day_won = _won(_("하루 금액 (원)"), 20_000_000_000)
    volume_share_percent = models.DecimalField(
        _("전일 거래량에 대한 주문 한 건의 비율 %"),
        max_digits=5,
        decimal_places=2,
        default=Decimal("10.00"),
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal("100"))],
    )
    collar_percent = models.DecimalField(
        _("지정가가 현재가에서 벗어난 폭 %"),
        max_digits=3,
        decimal_places=2,
        default=Decimal("3.00"),
        validators=[MinValueValidator(Decimal("0.10")), MaxValueValidator(Decimal("3"))],
    )
    per_minute = models.PositiveSmallIntegerField(
        _("1분 동안 주문 (건)"), default=60, validators=[MaxValueValidator(60)]
    )
    per_day = models.PositiveSmallIntegerField(
        _("하루 동안 주문 (건)"), default=200, validators=[MaxValueValidator(200)]
    )
    reason = models.CharField(_("이유"), max_length=300, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    agreed_by = models.CharField(_("동의한 사람"), max_length=150, blank=True, default="")

    class Meta:
        verbose_name = _("주문 한도")
        verbose_name_plural = _("주문 한도")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(max_order_won__gte=0, max_order_won__lte=MOST_WON)
                & Q(max_ticker_day_won__gte=0, max_ticker_day_won__lte=MOST_WON)
                & Q(max_run_won__gte=0, max_run_won__lte=MOST_WON)
                & Q(max_day_won__gte=0, max_day_won__lte=MOST_WON),
                name="limits_of_money",
            ),
            models.CheckConstraint(
                condition=Q(volume_share_percent__gt=0, volume_share_percent__lte=100)
                & Q(collar_percent__gt=0, collar_percent__lte=3)
                & Q(per_minute__lte=60, per_day__lte=200),
                name="limits_no_looser_than_the_code",
            ),
            models.CheckConstraint(
                condition=~Q(agreed_by=F("created_by")) | Q(agreed_by=""),
                name="limits_agreed_by_another",
            ),
        ]
