"""Searching lists of any length: by key and by subquery, where the admin's own way joins every row.

A field is written as the admin writes it: `^name` begins with the word, `=name` is it, `name` contains it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import messages
from django.db.models import CharField, Model, Q, QuerySet, TextField
from django.http import HttpRequest
from django.utils.translation import gettext as _

__all__ = ["MOST_WORDS", "BoundedSearch", "searched"]

MOST_WORDS = 10
"""Each word is a condition of its own: with hundreds no database answers at all."""

_NOTHING = Q(pk__in=[])
_LAST = "\U0010ffff"
_ORDER_DIGITS = 10


def searched(
    rows: QuerySet[Any],
    fields: Sequence[str],
    term: str,
    also: Callable[[str], Q] | None = None,
) -> tuple[QuerySet[Any], bool]:
    """The rows in which every word of `term` is found in some field, or in what `also` says that it means,
    and whether a row may come twice."""
    model = rows.model
    indexed = all(_is_indexed(model, field) for field in fields)
    for word in term.split():
        found = reduce(or_, (_where(model, field, word) for field in fields))
        if also is not None:
            found |= also(word)
        if indexed:  # asked by itself, so that each field's own index answers and not the account's
            found = Q(pk__in=model._default_manager.filter(found).order_by().values("pk"))
        rows = rows.filter(found)
    return rows, any(_goes_back(model, field.lstrip("^=")) for field in fields)


class BoundedSearch:
    """For a model's admin: a search of too many words finds nothing and says so."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if len(search_term.split()) > MOST_WORDS:
            told = _("낱말 %(most)s개까지 찾을 수 있습니다.") % {"most": MOST_WORDS}
            messages.warning(request, told)
            return queryset.none(), False
        return self.find(request, queryset, search_term)

    def find(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """As the admin does by itself."""
        found: tuple[QuerySet[Any], bool] = super().get_search_results(  # type: ignore[misc]
            request, queryset, search_term
        )
        return found


def _where(model: type[Model], field: str, word: str) -> Q:
    how, path = (field[0], field[1:]) if field[0] in "^=" else ("", field)
    first, _dots, rest = path.partition("__")
    column: Any = model._meta.get_field(first)
    if not rest:
        return _own(column, first, how, word)
    if not _leads_on(column):  # a short table's way back to what it is named in
        same = how == "="
        return Q(**{f"{path}__in": _spellings(word)} if same else {f"{path}__icontains": word})
    other = column.related_model
    if how == "=" and rest == other._meta.pk.name:  # the key stands in the row itself
        return _own(other._meta.pk, f"{first}_id", how, word)
    found = other._default_manager.filter(_where(other, how + rest, word))
    return Q(**{f"{first}__in": found.order_by().values("pk")})


def _own(column: Any, name: str, how: str, word: str) -> Q:
    if how == "=" and not _is_text(column):
        number = word.isascii() and word.isdigit() and len(word) <= 18
        return Q(**{name: int(word)}) if number else _NOTHING
    if how == "=":
        return Q(**{f"{name}__in": _spellings(word)})
    if how == "^" and _is_keyed(column):  # a range is read from the index, LIKE is not
        ranges = (Q(**{f"{name}__gte": one, f"{name}__lt": one + _LAST}) for one in _cases(word))
        return reduce(or_, ranges)
    return Q(**{f"{name}__{'istartswith' if how == '^' else 'icontains'}": word})


def _is_keyed(column: Any) -> bool:
    return _is_text(column) and (column.unique or column.db_index)


def _is_text(column: Any) -> bool:
    return isinstance(column, CharField | TextField)


def _leads_on(column: Any) -> bool:
    """True for a column that names one row of another table."""
    return bool(column.many_to_one or (column.one_to_one and column.concrete))


def _is_indexed(model: type[Model], field: str) -> bool:
    """True where an index finds the rows of a field: its own, or the one of the way to another table."""
    how, path = (field[0], field[1:]) if field[0] in "^=" else ("", field)
    first, _dots, rest = path.partition("__")
    column: Any = model._meta.get_field(first)
    if rest:
        return _leads_on(column)
    by_index = {index.fields[0] for index in model._meta.indexes if index.fields}
    if how == "^":
        return _is_keyed(column)
    return bool(how) and (column.unique or column.db_index or first in by_index)


def _cases(word: str) -> list[str]:
    """As typed, and in capitals as tickers are."""
    return sorted({word, word.upper()})


def _spellings(word: str) -> list[str]:
    """As typed, in capitals as tickers are, and with the zeros before an order's number."""
    found = {word, word.upper()}
    if word.isascii() and word.isdigit():
        found.add(word.zfill(_ORDER_DIGITS))
    return sorted(found)


def _goes_back(model: type[Model], path: str) -> bool:
    """True where the way leads over many rows, each of which would bring this one again."""
    first, _dots, rest = path.partition("__")
    column: Any = model._meta.get_field(first)
    if not rest:
        return False
    return not _leads_on(column) or _goes_back(column.related_model, rest)
