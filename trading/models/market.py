"""Instruments and the calendar as the broker reports them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from trading.domain.instruments import InstrumentKind

__all__ = ["Instrument", "MarketDay"]


class Instrument(models.Model):
    """Something tradable on KRX, by its code. `last_price` is for pages, never for an order."""

    KINDS = [(kind.value, kind.name) for kind in InstrumentKind]

    ticker = models.CharField(_("종목코드"), max_length=7, primary_key=True)
    name = models.CharField(_("종목명"), max_length=60)
    kind = models.CharField(_("구분"), max_length=8, choices=KINDS)
    tradable = models.BooleanField(_("거래 허용"), default=True)
    halted = models.BooleanField(_("거래정지"), default=False)
    last_price = models.BigIntegerField(_("현재가"), null=True, blank=True)
    priced_at = models.DateTimeField(_("시각"), null=True, blank=True)

    class Meta:
        verbose_name = _("종목")
        verbose_name_plural = _("종목")
        ordering = ("ticker",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in InstrumentKind]),
                name="instrument_kind_known",
            ),
            models.CheckConstraint(
                condition=models.Q(last_price__isnull=True) | models.Q(last_price__gt=0),
                name="instrument_price_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.ticker})"

    @property
    def instrument_kind(self) -> InstrumentKind:
        return InstrumentKind(self.kind)


class MarketDay(models.Model):
    """What is known about one day beside the built-in calendar: the broker's own word, and a person's.

    `is_open` is the broker's, empty until it answered; it only ever closes a day. `override` is a
    person's and rules hours and closing; it opens a day only where the broker says that it is open.
    """

    class Override(models.TextChoices):
        NONE = "", _("없음")
        CLOSED = "closed", _("휴장")
        OPEN = "open", _("개장")
        NORMAL = "normal", _("보통 시간 (09:00–15:30)")
        LATE_DAY = "late_day", _("한 시간 늦게 (10:00–16:30)")
        LATE_OPEN = "late_open", _("한 시간 늦게 개장 (10:00–15:30)")

    day = models.DateField(_("날짜"), primary_key=True)
    is_open = models.BooleanField(_("증권사의 답"), null=True, blank=True)
    read_at = models.DateTimeField(_("조회 시각"), null=True, blank=True)
    override = models.CharField(
        _("바로잡음"), max_length=9, choices=Override, default=Override.NONE, blank=True
    )
    reason = models.CharField(_("이유"), max_length=200, blank=True)
    changed_by = models.CharField(_("변경"), max_length=150, blank=True)
    changed_at = models.DateTimeField(_("변경 시각"), null=True, blank=True)

    class Meta:
        verbose_name = _("개장일")
        verbose_name_plural = _("개장일")
        ordering = ("-day",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    override__in=["", "closed", "open", "normal", "late_day", "late_open"]
                ),
                name="market_day_override_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"
