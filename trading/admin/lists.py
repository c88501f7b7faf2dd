"""Long lists: counted as far as anybody pages, narrowed by spans of time, never by reading every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Paginator
from django.db.models import CharField, DateField, Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList

from trading.domain.sessions import SEOUL
from trading.selectors.people import accounts_of
from trading.selectors.scopes import of_accounts

__all__ = [
    "MOST",
    "BoundedPaginator",
    "RememberingList",
    "known_values",
    "of_account",
    "period",
    "plain_lookup",
]

MOST = 10_000
"""Nobody turns two hundred pages: beyond them a list is narrowed, and says so."""


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to `MOST` rows and pages no further; the cost of a list does not grow with its table."""

    most = MOST

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not isinstance(rows, QuerySet):
            return min(len(rows), self.most)
        return rows.order_by().values("pk")[: self.most].count()


class RememberingList(ChangeList):
    """Asks once for what the theme asks for again with every row: the address of each column's order. What
    the rows of a page need to be told in words is read for all of them together."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.model_admin.prepare(request, list(self.result_list))

    def get_query_string(
        self, new_params: Mapping[str, Any] | None = None, remove: Sequence[str] | None = None
    ) -> str:
        asked = repr((new_params, remove))  # values may be lists
        known: dict[str, str] = self.__dict__.setdefault("_addresses", {})
        if asked not in known:
            known[asked] = super().get_query_string(new_params, remove)
        return known[asked]


class _Period(admin.SimpleListFilter):
    """Spans that end now, by Seoul's days."""

    title = _("기간")
    parameter_name = "span"
    field = ""
    days: Mapping[str, int] = {"1": 1, "7": 7, "31": 31, "366": 366}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("1", _("오늘")), ("7", _("7일")), ("31", _("한 달")), ("366", _("한 해"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.days.get(self.value() or "")
        if days is None:
            return queryset
        today = timezone.now().astimezone(SEOUL).date()
        first = today - timedelta(days=days - 1)
        column = _column(queryset.model, self.field)
        if type(column) is DateField:
            return queryset.filter(**{f"{self.field}__gte": first})
        since = datetime.combine(first, datetime.min.time(), SEOUL)
        if isinstance(column, CharField):  # the audit chain's moments: texts of one form, in UTC
            return queryset.filter(**{f"{self.field}__gte": since.astimezone(UTC).isoformat()})
        return queryset.filter(**{f"{self.field}__gte": since})


_PLAIN = frozenset({"exact", "isnull", "isempty"})
_PARTS = frozenset({"year", "month", "day", "isempty"})


def plain_lookup(model: type[Model], lookup: str, hierarchy: str | None) -> bool:
    """True for what a filter of a list asks: that a column is a value or is empty, the year, month or day of
    a moment, and spans of `hierarchy`, the column that is paged by date. Ranges, containment and moments at
    the end of time reach the database as they are typed and break there."""
    path = lookup.split("__")
    column: Any = None
    while path:
        try:
            column = model._meta.get_field(path[0])
        except FieldDoesNotExist:
            break
        path.pop(0)
        if column.related_model is None:
            break
        model = column.related_model
    if column is None:  # a filter's own name, or nothing: read or ignored later
        return True
    if len(path) > 1:
        return False
    if isinstance(column, DateField):
        spans = {"gte", "lt"} if column.name == hierarchy else set()
        return bool(path) and path[0] in _PARTS | spans
    return not path or path[0] in _PLAIN


def _column(model: type[Model], path: str) -> Any:
    """The field at the end of a path of relations."""
    first, _dots, rest = path.partition("__")
    column = model._meta.get_field(first)
    return _column(column.related_model, rest) if rest else column  # type: ignore[arg-type]


def period(field: str) -> type[_Period]:
    """A filter of `field` by spans of time: what a date hierarchy offers without reading the whole table."""
    return type(f"Period_{field}", (_Period,), {"field": field})


def known_values(
    field: str, title: str | Promise, values: Mapping[str, str | Promise]
) -> type[admin.SimpleListFilter]:
    """A filter of `field` by values that are known without asking the table."""

    class Known(admin.SimpleListFilter):
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
            return list(values.items())

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            return queryset.filter(**{field: value}) if value in values else queryset

    Known.title = title  # type: ignore[assignment]
    return Known


def of_account(path: str = "account") -> type[admin.SimpleListFilter]:
    """A filter by the person's own accounts, never naming another; absent where there is no choice."""

    class OfAccount(admin.SimpleListFilter):
        title = _("계좌")
        parameter_name = "account"

        def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
            found = [(str(one.pk), str(one)) for one in accounts_of(request.user)]
            return found if len(found) > 1 else []

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            chosen = self.value()
            if chosen not in {key for key, _name in self.lookup_choices}:
                return queryset
            return queryset.filter(of_accounts(queryset.model, path, [int(chosen)]))

    return OfAccount
