"""리밸런싱 설정: a change is a new row."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rebalancing.models import RebalancingConfig
from rebalancing.services.configs import CONFIG_VALUES, add_config
from rebalancing.services.keepers import config_change
from trading.admin.lists import period
from trading.admin.read_only import AddOnlyAdmin
from trading.admin.seen import SeenForm
from trading.admin.two_people import note_for_everything
from trading.services.proposals import SecondPersonNeeded, takes_two

__all__ = ["RebalancingConfigAdmin"]

_VALUES = CONFIG_VALUES


class ConfigForm(SeenForm, forms.ModelForm):
    """Starts from what rules now; writes what was changed, and refuses what somebody else changed meanwhile."""

    seen_on_add = True

    class Meta:
        model = RebalancingConfig
        fields = CONFIG_VALUES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        newest = RebalancingConfig.objects.first() or RebalancingConfig()
        ruling = {name: getattr(newest, name) for name in CONFIG_VALUES}
        kwargs["initial"] = ruling | dict(kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)

    def wanted(self) -> dict[str, Any]:
        """What this person changed; everything where the page did not say what it showed."""
        names = self.changed_here() if self.carries_seen else CONFIG_VALUES
        return {name: self.cleaned_data[name] for name in CONFIG_VALUES if name in names}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not self.wanted():
            self.add_error(None, _("바뀐 값이 없습니다."))
        return cleaned


@admin.register(RebalancingConfig)
class RebalancingConfigAdmin(AddOnlyAdmin):
    """The newest row rules from the next run on; a running one keeps the row it started with."""

    form = ConfigForm
    fields = _VALUES
    list_display = (
        "updated_at",
        "in_force",
        "mp_threshold_percent",
        "sub_mp_threshold_percent",
        "min_trade_won",
        "cash_buffer_percent",
        "updated_by",
        "agreed_by",
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

    def before_saving(self, request: HttpRequest) -> str:
        return note_for_everything("config")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if takes_two(None):
            raise SecondPersonNeeded(config_change(form.wanted()))
        made = add_config(form.wanted(), by=request.user.get_username())
        obj.pk, obj.updated_by = made.pk, made.updated_by
        messages.info(request, _("새 설정은 다음 리밸런싱부터 적용됩니다."))
