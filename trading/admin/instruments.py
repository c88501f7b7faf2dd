"""Instruments: what a ticker is, and whether it may be traded; prices come from the broker."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest

from trading.admin.read_only import StampedAdmin
from trading.admin.seen import SeenForm
from trading.models import Instrument
from trading.services.audit import audit

__all__ = ["InstrumentAdmin"]


class InstrumentForm(SeenForm, forms.ModelForm):
    class Meta:
        model = Instrument
        fields = ("ticker", "name", "kind", "tradable")


@admin.register(Instrument)
class InstrumentAdmin(StampedAdmin):
    form = InstrumentForm
    list_display = ("ticker", "name", "kind", "tradable", "halted", "last_price", "priced_at")
    past_as = "instrument"
    list_filter = ("kind", "tradable", "halted")
    search_fields = ("ticker", "name")
    fields = ("ticker", "name", "kind", "tradable", "halted", "last_price", "priced_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        seen = ("halted", "last_price", "priced_at")
        return ("ticker", *seen) if obj else seen

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            audit(
                request.user.get_username(),
                "instrument_changed",
                f"instrument:{obj.pk}",
                {"kind": obj.kind, "tradable": obj.tradable},
            )
