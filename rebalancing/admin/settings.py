"""리밸런싱 설정: a change is a new row; and when accounts are looked at by themselves."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from rebalancing.models import RebalancingConfig, RunSchedule
from trading.admin.read_only import AddOnlyAdmin, StampedAdmin
from trading.services.audit import audit

__all__ = ["RebalancingConfigAdmin", "RunScheduleAdmin"]

_VALUES = (
    "mp_threshold_percent",
    "sub_mp_threshold_percent",
    "min_trade_won",
    "cash_buffer_percent",
)


@admin.register(RebalancingConfig)
class RebalancingConfigAdmin(AddOnlyAdmin):
    """The newest row rules from the next run on; a running one keeps the row it started with."""

    fields = _VALUES
    list_display = (
        "updated_at",
        "mp_threshold_percent",
        "sub_mp_threshold_percent",
        "min_trade_won",
        "cash_buffer_percent",
        "updated_by",
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start from the row that rules now."""
        newest = RebalancingConfig.objects.first() or RebalancingConfig()
        return {name: getattr(newest, name) for name in _VALUES}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.updated_by = request.user.get_username()
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            audit(
                obj.updated_by,
                "rebalancing_config",
                f"config:{obj.pk}",
                {name: str(getattr(obj, name)) for name in _VALUES},
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
