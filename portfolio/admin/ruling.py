"""Which portfolios an account of the reader's follows now."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portfolio.models import ModelPortfolio, TargetDecision
from trading.selectors.people import accounts_of

__all__ = ["Ruling"]


class Ruling(admin.SimpleListFilter):
    """By whether the newest decision of one's own accounts names the portfolio: what others' accounts follow
    is theirs."""

    title = _("쓰는 중")
    parameter_name = "ruling"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("yes", _("예")), ("no", _("아니요"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        newer = TargetDecision.objects.filter(account=OuterRef("account"), pk__gt=OuterRef("pk"))
        own = accounts_of(request.user).values("pk")
        ruling = TargetDecision.objects.filter(~Exists(newer), account__in=own)
        named = (
            "model_version__portfolio"
            if queryset.model is ModelPortfolio
            else "sub_versions__portfolio"
        )
        found = ruling.values(named)
        return (
            queryset.filter(pk__in=found)
            if self.value() == "yes"
            else queryset.exclude(pk__in=found)
        )
