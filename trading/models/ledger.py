"""What was booked: ledger rows are steps of the broker's cumulative numbers, each posted to lots."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from trading.models.account import Account, Sleeve
from trading.models.market import Instrument
from trading.models.orders import BrokerOrder
from trading.models.row import Row

__all__ = ["Ledger", "Lot", "LotPosting", "Position"]


class Ledger(Row):
    """One step of an order's fills. `cum_before` and `cum_after` chain without gap or overlap."""

    order = models.ForeignKey(BrokerOrder, models.PROTECT, related_name="ledger")
    cum_before = models.BigIntegerField()
    cum_after = models.BigIntegerField()
    quantity = models.BigIntegerField()
    amount = models.BigIntegerField()
    fee = models.BigIntegerField()
    tax = models.BigIntegerField()
    posted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("체결 원장")
        verbose_name_plural = _("체결 원장")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["order", "cum_after"], name="ledger_step_once"),
            models.UniqueConstraint(fields=["order", "cum_before"], name="ledger_chain_unforked"),
            models.CheckConstraint(
                condition=Q(cum_after=F("cum_before") + F("quantity"))
                & Q(quantity__gt=0)
                & Q(amount__gt=0)
                & Q(cum_before__gte=0)
                & Q(fee__gte=0)
                & Q(tax__gte=0),
                name="ledger_step_adds_up",
            ),
        ]


class Lot(Row):
    """Shares bought together and owned by one sleeve."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="lots")
    sleeve = models.ForeignKey(Sleeve, models.PROTECT, related_name="lots")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    opened_by = models.OneToOneField(Ledger, models.PROTECT, null=True, related_name="opened_lot")
    quantity = models.BigIntegerField()
    open_quantity = models.BigIntegerField()
    cost = models.BigIntegerField()
    opened_at = models.DateTimeField()

    class Meta:
        verbose_name = _("로트")
        verbose_name_plural = _("로트")
        ordering = ("id",)
        indexes = [models.Index(fields=["account", "instrument"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(open_quantity__gte=0)
                & Q(open_quantity__lte=F("quantity"))
                & Q(cost__gte=0),
                name="lot_quantities_sane",
            )
        ]


class LotPosting(Row):
    """Which lot a ledger row touched, and by how much: + opens, − closes."""

    ledger = models.ForeignKey(Ledger, models.PROTECT, related_name="postings")
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="postings")
    quantity = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ledger", "lot"], name="posting_once_per_lot")
        ]


class Position(Row):
    """Shares held, as booked by us; the broker's balance is compared with it, never copied over it."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="positions")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    quantity = models.BigIntegerField(default=0)
    cost = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("보유")
        verbose_name_plural = _("보유")
        constraints = [
            models.UniqueConstraint(fields=["account", "instrument"], name="position_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="position_not_negative"),
        ]
