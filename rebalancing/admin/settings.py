"""리밸런싱 설정: a change is a new row; and when accounts are looked at by themselves."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from rebalancing.models import RebalancingConfig, RunSchedule
from trading.admin.read_only import AddOnlyAdmin, StampedAdmin
from trading.services.audit import audit

__all__ = ["RebalancingConfigAdmin", "RunScheduleAdmin"]

_PLAIN = re.compile(r"\d{1,3}(\.\d{1,2})?", re.ASCII)


class PlainDecimalField(forms.DecimalField):
    """3.0, and neither "3,0" nor another script's digits: a guess about a threshold moves money."""

    default_error_messages = {"invalid": _("숫자와 점만 쓰세요. 예: 3.0")}

    def to_python(self, value: Any) -> Any:
        text = str(value).strip() if value is not None else ""
        if text and not _PLAIN.fullmatch(text):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(text)


class ConfigForm(forms.ModelForm):
    class Meta:
        model = RebalancingConfig
        fields = (
            "mp_threshold_percent",
            "sub_mp_threshold_percent",
            "min_trade_won",
            "cash_buffer_percent",
        )
        field_classes = {
            "mp_threshold_percent": PlainDecimalField,
            "sub_mp_threshold_percent": PlainDecimalField,
            "cash_buffer_percent": PlainDecimalField,
        }
        widgets = {
            name: UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"})
            for name in (
                "mp_threshold_percent",
                "sub_mp_threshold_percent",
                "cash_buffer_percent",
            )
        }


@admin.register(RebalancingConfig)
class RebalancingConfigAdmin(AddOnlyAdmin):
    """The newest row rules from the next run on; a running one keeps the row it started with."""

    form = ConfigForm
    list_display = (
        "updated_at",
        "mp_threshold_percent",
        "sub_mp_threshold_percent",
        "min_trade_won",
        "cash_buffer_percent",
        "updated_by",
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Keep the strict fields of the form: the theme would put its own in their place."""
        if db_field.name in ConfigForm.Meta.field_classes:
            return db_field.formfield(
                form_class=PlainDecimalField,
                widget=ConfigForm.Meta.widgets[db_field.name],
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start from the row that rules now."""
        newest = RebalancingConfig.objects.first() or RebalancingConfig()
        return {name: getattr(newest, name) for name in ConfigForm.Meta.fields}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.updated_by = request.user.get_username()
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            audit(
                obj.updated_by,
                "rebalancing_config",
                f"config:{obj.pk}",
                {name: str(getattr(obj, name)) for name in ConfigForm.Meta.fields},
            )


@admin.register(RunSchedule)
class RunScheduleAdmin(StampedAdmin):
    account_path = "account"
    list_display = ("account", "at", "enabled", "planner")
    list_filter = ("enabled",)
    list_select_related = ("account",)
    fields = ("account", "at", "enabled")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            audit(
                request.user.get_username(),
                "schedule_changed",
                f"schedule:{obj.pk}",
                {"at": f"{obj.at:%H:%M}", "enabled": obj.enabled},
            )
