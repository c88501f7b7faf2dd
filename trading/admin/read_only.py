"""Admin bases: rows that are only read, rows that are only added, and both only for members."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import flatten_fieldsets
from django.db import IntegrityError, connection
from django.db.models import AutoField, Exists, Model, Q, QuerySet
from django.db.models.lookups import In
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from trading.admin.columns import shown_columns
from trading.admin.lists import BoundedPaginator, RememberingList, plain_lookup
from trading.admin.numbers import plain_number
from trading.admin.past import WithPast
from trading.admin.search import BoundedSearch, searched
from trading.admin.seen import lock_row
from trading.domain.errors import InputError, StateConflict
from trading.selectors.people import Role, accounts_of, has_role
from trading.selectors.scopes import of_accounts
from trading.selectors.words import WORDS
from trading.services.proposals import SecondPersonNeeded, propose
from trading.views.proof import asked_first

__all__ = [
    "AddOnlyAdmin",
    "GuardedAdmin",
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "ScopedAdmin",
    "StampedAdmin",
    "in_lines",
]

_DATE_PART = re.compile(r"__(year|month|day)(__|$)")
_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)
_YEAR = re.compile(r"(?!0*[01]$|9999$)[0-9]{1,4}", re.ASCII)
"""A year begins and ends in Seoul and is asked for in UTC: before 1 and after 9999 there is nothing."""


def in_lines(lines: Iterable[str]) -> str:
    """One field of a row in several lines; a dash where there is none."""
    made = format_html_join("", "<li>{}</li>", ((line,) for line in lines))
    return format_html("<ul>{}</ul>", made) if made else "–"


class ReadOnlyInline(TabularInline):
    """Rows of a record on its page, to read, with columns told as in a list."""

    extra = 0
    can_delete = False
    hide_title = True
    told: Mapping[str, str] = {}

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return shown_columns(self.model, self.fields or (), self.told)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ScopedAdmin(BoundedSearch, WithPast, ModelAdmin):
    """Shows rows of the person's own accounts. `account_path` is how a row names its account; an empty
    one means that the row concerns nobody in particular."""

    account_path = ""
    roles: tuple[Role, ...] = tuple(Role)
    actions = None
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    list_before_template = "admin/_many.html"
    change_form_before_template = "admin/_before.html"
    bounds: Mapping[str, tuple[Any, Any]] = {}
    """The least and the most that a number's field takes, where its column does not say it."""

    is_live = False
    """Whether a list keeps itself fresh while somebody looks at it."""
    told: Mapping[str, str] = {}
    """Column → the method that tells it in words."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Numbers are read strictly everywhere: the theme's own fields take "1_0" for ten."""
        found = plain_number(db_field, self.bounds.get(db_field.name))
        return found or super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RememberingList]:
        return RememberingList

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        """Read at once what columns of `rows` need, before any of them is shown."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            self.prepare(request, [found])
        return found

    def find(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        fields = self.get_search_fields(request)
        if not fields:
            return queryset, False
        return searched(queryset, fields, search_term, partial(self.also, request))

    def also(self, request: HttpRequest, word: str) -> Q:
        """What a word of a search may mean beside what the fields hold; nothing where it means no more."""
        return Q()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        if not plain_lookup(self.model, lookup, self.date_hierarchy):
            return False
        return bool(super().lookup_allowed(lookup, value, request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A year of thirty digits is no year: the list then opens as it is, without the filter."""
        if any(
            (part := _DATE_PART.search(name))
            and not (_YEAR if part[1] == "year" else _NUMBER).fullmatch(value)
            for name, values in request.GET.lists()
            for value in values
        ):
            return redirect(f"{request.path}?e=1")
        return super().changelist_view(request, extra_context)

    def before_saving(self, request: HttpRequest) -> str:
        """What somebody should know before they save this form; shown above it."""
        return ""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What the database refuses after the form found nothing wrong is told, never a crash."""
        saves = object_id is None or self.has_change_permission(request)
        told = {"said_before": self.before_saving(request)} if saves else {}
        try:
            return super().changeform_view(
                request, object_id, form_url, {**told, **(extra_context or {})}
            )
        except SecondPersonNeeded as needed:
            return self._proposed(request, needed)
        except IntegrityError:
            messages.error(
                request,
                _("저장하지 않았습니다. 그 사이 같은 것이 생겼거나 값이 규칙에 맞지 않습니다."),
            )
            return redirect(request.path)

    def _proposed(self, request: HttpRequest, needed: SecondPersonNeeded) -> HttpResponse:
        """Nothing of the form was written; what it asks for waits for a second person."""
        try:
            propose(needed.change, by=request.user.get_username())
        except InputError as error:
            for reason in error.reasons:
                messages.error(request, WORDS.say(reason.code, reason.facts))
            return redirect(request.path)
        except StateConflict as conflict:
            messages.error(request, WORDS.say(conflict.code, conflict.facts))
            return redirect(request.path)
        messages.success(request, _("제안했습니다. 다른 승인자가 동의하면 적용됩니다."))
        return redirect("rebalancing:proposals")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if not self.account_path:
            return rows
        return rows.filter(self.in_scope(request))

    def in_scope(self, request: HttpRequest) -> Q | Exists | In:
        """Which rows are this person's to read."""
        return of_accounts(self.model, self.account_path, _own(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return has_role(request.user, *self.roles) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_role(request.user, *self.roles) and super().has_view_permission(request, obj)


def _in_words(one: ScopedAdmin, fieldsets: Any) -> Any:
    return [
        (title, {**more, "fields": shown_columns(one.model, more["fields"], one.told)})
        for title, more in fieldsets
    ]


def _own(request: HttpRequest) -> list[int]:
    return list(accounts_of(request.user).values_list("pk", flat=True))


class ReadOnlyAdmin(ScopedAdmin):
    """The record: nobody adds to it, changes it or deletes from it here."""

    is_live = True

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        left = self.exclude or ()
        columns = [
            column.name
            for column in self.opts.fields
            if column.editable and not isinstance(column, AutoField) and column.name not in left
        ]
        return list(self.fields or [*columns, *self.readonly_fields])  # type: ignore[list-item]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return _in_words(self, super().get_fieldsets(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class GuardedAdmin(ScopedAdmin):
    """Settings: whoever may change them shows a code first, where they have a second factor."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        may = self.has_change_permission(request) if object_id else self.has_add_permission(request)
        if may and (asked := asked_first(request)):
            return asked
        return super().changeform_view(request, object_id, *args, **kwargs)


class AddOnlyAdmin(GuardedAdmin):
    """Settings with history: a change is a new row, and an old row stays as it was. Admins only."""

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """An old row is told as a record is."""
        found = super().get_fieldsets(request, obj)
        return found if obj is None else _in_words(self, found)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return super().get_readonly_fields(request, obj)
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return has_role(request.user, Role.ADMIN) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class StampedAdmin(GuardedAdmin):
    """Rows an admin may change; nothing that has a past is deleted."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Locked while a form is taken: whoever changes the same row now is seen by the form's checks."""
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not connection.in_atomic_block:
            return found
        lock_row(found)
        return super().get_object(request, object_id, from_field)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return has_role(request.user, Role.ADMIN) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_role(request.user, Role.ADMIN) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
