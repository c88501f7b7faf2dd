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
    """The broker's own word on one day. It overrides the built-in calendar towards closed."""

    day = models.DateField(_("날짜"), primary_key=True)
    is_open = models.BooleanField(_("개장"))
    read_at = models.DateTimeField(_("조회 시각"))

    class Meta:
        verbose_name = _("개장일")
        verbose_name_plural = _("개장일")
        ordering = ("-day",)
