"""변경 제안, to read: the desk's page is where somebody agrees."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from trading.admin.lists import of_account, period
from trading.admin.read_only import ReadOnlyAdmin
from trading.models import Proposal
from trading.selectors.proposals import proposals_seen

__all__ = ["ProposalAdmin"]


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin):
    fields = (
        "kind",
        "account",
        "by",
        "at",
        "reason",
        "expires_at",
        "outcome",
        "second",
        "second_reason",
        "closed_at",
    )
    list_display = ("at", "kind", "account", "by", "outcome", "second", "reason")
    list_filter = (of_account(), period("at"), "kind", "outcome")
    search_fields = ("^by", "^second", "reason", "^subject")
    search_help_text = _("제안하거나 동의한 사람, 이유, 대상의 앞부분으로 찾습니다.")
    list_select_related = ("account",)
    actions_list = ("open_desk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        return proposals_seen(request.user, super().get_queryset(request))

    @action(description=_("데스크에서 결정하기"), url_path="desk")
    def open_desk(self, request: HttpRequest) -> HttpResponse:
        return redirect("rebalancing:proposals")
