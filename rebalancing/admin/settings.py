"""리밸런싱 설정: a change is a new row."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rebalancing.models import RebalancingConfig
from trading.admin.lists import period
from trading.admin.read_only import AddOnlyAdmin
from trading.services.audit import audit

__all__ = ["RebalancingConfigAdmin"]

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
        "in_force",
        "mp_threshold_percent",
        "sub_mp_threshold_percent",
        "min_trade_won",
        "cash_buffer_percent",
        "updated_by",
    )
    list_filter = (period("updated_at"),)
    search_fields = ("^updated_by",)
    search_help_text = _("바꾼 사람의 앞부분으로 찾습니다.")
    past_as = "config"

    @admin.display(description=_("적용"))
    def in_force(self, row: RebalancingConfig) -> str:
        return "–" if row.newer else gettext("지금 적용")  # type: ignore[attr-defined]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        newer = RebalancingConfig.objects.filter(pk__gt=OuterRef("pk"))
        return super().get_queryset(request).annotate(newer=Exists(newer))

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        messages.info(
            request,
            _("설정은 고치지 않고 새로 추가합니다. 목록에서 추가를 누르면 지금 값에서 시작합니다."),
        )
        return super().change_view(request, *args, **kwargs)

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
        messages.info(request, _("새 설정은 다음 리밸런싱부터 적용됩니다."))
