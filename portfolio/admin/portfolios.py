"""MP and Sub-MP in the admin: every save of weights makes a new version, none is changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from portfolio.admin.ruling import Ruling
from portfolio.admin.tables import models_table, subs_table
from portfolio.admin.weight_forms import ModelPortfolioForm, SubPortfolioForm, sub_form_with
from portfolio.models import (
    AssetClass,
    ModelPortfolio,
    ModelPortfolioVersion,
    SubPortfolio,
    SubPortfolioVersion,
)
from portfolio.selectors.targets import weights_said
from portfolio.selectors.versions import NoVersion, compare_versions, versions_of
from portfolio.services import create_model_version, create_sub_version
from trading.admin.read_only import ReadOnlyInline, StampedAdmin

__all__ = ["ModelPortfolioAdmin", "SubPortfolioAdmin"]

_SPARE_ROWS, _FEWEST_ROWS = 3, 6


def _compare_name(portfolio: Model) -> str:
    return f"admin:portfolio_{portfolio._meta.model_name}_compare"


def _pairs(codes: list[str]) -> tuple[tuple[str, ...], ...]:
    """Weight fields two by two, so that a row fits a phone."""
    names = [f"weight_{code}" for code in codes]
    return tuple(tuple(names[i : i + 2]) for i in range(0, len(names), 2))


def _of_classes(version: ModelPortfolioVersion) -> str:
    labels = dict(AssetClass.choices)
    return weights_said((labels.get(k, k), w) for k, w in version.weights_by_class().items())


def _of_names(version: SubPortfolioVersion) -> str:
    rows = version.weights.select_related("instrument")
    return weights_said((row.instrument.name, row.weight) for row in rows)


class _History(ReadOnlyInline):
    """Every version, to read; each leads to what it changed."""

    max_num = 0
    fields = ("number", "shown", "note", "created_by", "created_at", "changes")
    ordering = ("-number",)
    verbose_name_plural = _("버전 기록")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related("portfolio").prefetch_related("weights")

    @admin.display(description=_("비교"))
    def changes(self, version: Any) -> str:
        if version.number < 2:
            return "–"
        page = reverse(_compare_name(version.portfolio), args=[version.portfolio_id])
        query = f"?from={version.number - 1}&to={version.number}"
        told = gettext("v%(n)s에서 바뀐 것") % {"n": version.number - 1}
        return format_html('<a class="jeoul-link" href="{}{}">{}</a>', page, query, told)


class ModelHistory(_History):
    model = ModelPortfolioVersion

    @admin.display(description=_("비중"))
    def shown(self, version: ModelPortfolioVersion) -> str:
        return _of_classes(version)


class SubHistory(_History):
    model = SubPortfolioVersion

    @admin.display(description=_("비중"))
    def shown(self, version: SubPortfolioVersion) -> str:
        return _of_names(version)


class _VersionedAdmin(StampedAdmin):
    """Saves the portfolio, then makes a version when the weights were changed."""

    actions_detail = ("compare", "open_desk")
    actions_list = ("import_csv", "export_csv")

    _make_version: Callable[..., None]
    """Writes a version from `(form, by, note)`; each portfolio has its own kind."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.weights_changed:
            with transaction.atomic():
                self._make_version(form, request.user.get_username(), form.cleaned_data["note"])
            messages.info(
                request,
                gettext("새 버전입니다. 계좌는 ‘목표 결정’에서 이 버전을 고른 뒤에 따릅니다."),
            )

    @action(description=_("계좌 목표를 CSV로 가져오기"), url_path="import-csv", permissions=["add"])
    def import_csv(self, request: HttpRequest) -> HttpResponse:
        """A file holds an MP with its Sub-MPs: one way in for all of them."""
        return redirect("admin:portfolio_targetdecision_import_csv")

    @action(description=_("CSV로 내려받기"), url_path="export-csv")
    def export_csv(self, request: HttpRequest) -> HttpResponse:
        """What the list holds; an account's own targets go out with its decisions."""
        of_models = self.model is ModelPortfolio
        rows = self.get_queryset(request)
        text = models_table(rows) if of_models else subs_table(rows)
        answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
        name = "mp.csv" if of_models else "sub-mp.csv"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    @admin.display(description=_("지금 버전"))
    def current(self, portfolio: Any) -> str:
        version = portfolio.versions.first()
        return f"v{version.number}" if version else "–"

    @action(description=_("비교"), url_path="compare", permissions=["view"])
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Two versions side by side; the address keeps which."""
        portfolio = self.get_object(request, str(object_id))
        if portfolio is None:
            raise Http404
        try:
            found = compare_versions(
                portfolio, request.GET.get("from", "").strip(), request.GET.get("to", "").strip()
            )
        except NoVersion as unknown:
            raise Http404 from unknown
        context = self.admin_site.each_context(request) | {
            "title": gettext("%(portfolio)s 버전 비교") % {"portfolio": portfolio},
            "portfolio": portfolio,
            "opts": self.opts,
            "versions": versions_of(portfolio),
            "found": found,
            "by_ticker": isinstance(portfolio, SubPortfolio),
            "back": reverse(f"admin:portfolio_{self.opts.model_name}_change", args=[portfolio.pk]),
        }
        return TemplateResponse(request, "admin/portfolio/compare.html", context)

    @action(description=_("데스크에서 보기"), url_path="desk")
    def open_desk(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect(reverse("portfolio:portfolio") + "#targets")


@admin.register(ModelPortfolio)
class ModelPortfolioAdmin(_VersionedAdmin):
    form = ModelPortfolioForm
    list_display = ("code", "name", "current", "shown", "description")
    list_filter = (Ruling,)
    search_fields = ("code", "name", "description")
    past_as = "mp"
    inlines = (ModelHistory,)
    fieldsets = (
        (None, {"fields": ("code", "name", "description")}),
        (
            _("비중 % (합계 100)"),
            {
                "fields": (*_pairs(AssetClass.values), "note"),
                "description": _("저장하면 새 버전이 됩니다. 지난 버전은 그대로 남습니다."),
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may not change the weights reads them; the form's own fields exist only to be typed in."""
        if obj is not None and not self.has_change_permission(request, obj):
            return ((None, {"fields": ("code", "name", "description", "current", "shown")}),)
        return super().get_fieldsets(request, obj)

    def _make_version(self, form: Any, by: str, note: str) -> None:
        create_model_version(form.instance, form.weights(), by=by, note=note)

    @admin.display(description=_("비중"))
    def shown(self, portfolio: ModelPortfolio) -> str:
        version = portfolio.versions.first()
        return _of_classes(version) if version else "–"


@admin.register(SubPortfolio)
class SubPortfolioAdmin(_VersionedAdmin):
    form = SubPortfolioForm
    list_display = ("code", "name", "asset_class", "current", "shown")
    list_filter = ("asset_class", Ruling)
    search_fields = ("code", "name", "=versions__weights__instrument__ticker")
    search_help_text = _("코드, 이름, 담은 종목의 코드로 찾습니다.")
    past_as = "sub"
    inlines = (SubHistory,)

    def _rows(self, obj: Any) -> int:
        version = obj.versions.first() if obj else None
        return max(_FEWEST_ROWS, (version.weights.count() if version else 0) + _SPARE_ROWS)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return super().get_form(
            request, obj, change, **(kwargs | {"form": sub_form_with(self._posted(request, obj))})
        )

    def _posted(self, request: HttpRequest, obj: Any) -> int:
        numbers = [
            int(m[1]) for key in request.POST if (m := re.fullmatch(r"weight_(\d{1,3})", key))
        ]
        return min(100, max([self._rows(obj), *numbers]))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return ((None, {"fields": ("code", "name", "asset_class", "current", "shown")}),)
        rows = tuple(
            (f"instrument_{n}", f"weight_{n}") for n in range(1, self._posted(request, obj) + 1)
        )
        return (
            (None, {"fields": ("code", "name", "asset_class")}),
            (
                _("종목과 비중 % (합계 100)"),
                {
                    "fields": (*rows, "note"),
                    "description": _(
                        "빈 줄은 무시합니다. 저장하면 새 버전이 되고, 줄이 모자라면 저장한 뒤 더 생깁니다."
                    ),
                },
            ),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("asset_class",) if obj else ()

    def _make_version(self, form: Any, by: str, note: str) -> None:
        create_sub_version(form.instance, form.weights(), by=by, note=note)

    @admin.display(description=_("비중"))
    def shown(self, portfolio: SubPortfolio) -> str:
        version = portfolio.versions.first()
        return _of_names(version) if version else "–"
