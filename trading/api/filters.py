"""What a list may be narrowed by: declared names, read strictly; what cannot be read is refused, never ignored.

A view names its `filters`; `DeclaredFilters` reads them from the query and tells the schema about them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from trading.domain.errors import InputError, Reason
from trading.domain.sessions import SEOUL

__all__ = [
    "PAGES",
    "DeclaredFilters",
    "Filter",
    "by_account",
    "choice",
    "day_span",
    "filtered",
    "flag",
    "identity",
    "plain_id",
    "plain_text",
    "refuse_unknown",
    "ticker",
    "words",
]

Rows = QuerySet[Any]
_DAY = re.compile(r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TICKER = re.compile(r"[0-9A-Z]{1,7}", re.ASCII)
_ALWAYS = frozenset({"format"})
"""The framework's own name for the form of an answer; it refuses what it does not know by itself."""


_EXAMPLES: Mapping[str, Sequence[str | Promise]] = {
    "boolean": ["true", "false"],
    "integer": ["1", "2", "3 …"],
    "date": [_("2026-11-20 같은 날짜")],
}


@dataclass(frozen=True, slots=True)
class Filter:
    """One name of a query. `read` raises ValueError for a text that it does not take; `narrow` leaves the
    rows that fit what was read."""

    name: str
    read: Callable[[str], Any]
    narrow: Callable[[Rows, Any], Rows]
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    text: str = ""

    @property
    def allowed(self) -> list[str]:
        """What it takes, for a refusal to say: every value, or examples of them."""
        if "enum" in self.schema:
            return list(self.schema["enum"])
        kind = str(self.schema.get("format") or self.schema["type"])
        return [str(one) for one in _EXAMPLES.get(kind, ("A-Z 0-9 …",))]


def filtered(rows: Rows, filters: Sequence[Filter], asked: QueryDict) -> Rows:
    """Raises InputError with every name that is unknown, given twice or cannot be read."""
    known = {each.name: each for each in filters}
    reasons = _unknown(asked, known)
    for name, each in known.items():
        if name not in asked:
            continue
        text, *more = asked.getlist(name)
        if more:
            reasons.append(Reason("filter_twice", {"name": name}))
            continue
        try:
            rows = each.narrow(rows, each.read(text))
        except (ValueError, OverflowError):
            facts: dict[str, object] = {"name": name, "value": text[:60]}
            facts["allowed"] = each.allowed
            reasons.append(Reason("filter", facts))
    if reasons:
        raise InputError(reasons)
    return rows


def refuse_unknown(asked: QueryDict, *names: str) -> None:
    """For an answer that is no list: raises InputError for every name but `names`, and for one given twice."""
    twice = [
        Reason("filter_twice", {"name": name}) for name in names if len(asked.getlist(name)) > 1
    ]
    if reasons := _unknown(asked, names) + twice:
        raise InputError(reasons)


def _unknown(asked: QueryDict, known: Iterable[str]) -> list[Reason]:
    names = sorted(known)
    allowed = _ALWAYS.union(names)
    return [
        Reason("filter_unknown", {"name": name[:60], "names": names})
        for name in asked
        if name not in allowed
    ]


class DeclaredFilters(BaseFilterBackend):
    """Narrows by the view's `filters`."""

    def filter_queryset(self, request: Request, queryset: Rows, view: Any) -> Rows:
        return filtered(queryset, view.filters, request.query_params)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": each.name,
                "in": "query",
                "required": False,
                "description": each.text,
                "schema": dict(each.schema),
            }
            for each in view.filters
        ]


# --- readers ------------------------------------------------------------------------------------
def plain_id(text: str) -> int:
    """A row's number in ASCII digits. Raises ValueError."""
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise ValueError(text)
    return int(text)


def plain_text(text: str) -> str:
    """One line of at most 150 characters. Raises ValueError."""
    if not text or len(text) > 150 or not text.isprintable():
        raise ValueError(text)
    return text


def _a_page(text: str) -> int:
    if (number := plain_id(text)) < 1:
        raise ValueError(text)
    return number


def _one_of(values: Iterable[str]) -> Callable[[str], str]:
    known = frozenset(values)

    def read(text: str) -> str:
        if text not in known:
            raise ValueError(text)
        return text

    return read


def _truth(text: str) -> bool:
    return _one_of(("true", "false"))(text) == "true"


def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _begins(text: str) -> datetime:
    return datetime.combine(_day(text), time(), SEOUL)


def _is_over(text: str) -> datetime:
    return datetime.combine(_day(text) + timedelta(days=1), time(), SEOUL)


def _a_ticker(text: str) -> str:
    if not _TICKER.fullmatch(text):
        raise ValueError(text)
    return text


# --- filters ------------------------------------------------------------------------------------
def _equal(path: str) -> Callable[[Rows, Any], Rows]:
    return lambda rows, value: rows.filter(**{path: value})


def identity(name: str, path: str, text: str = "") -> Filter:
    return Filter(name, plain_id, _equal(path), {"type": "integer"}, text)


def by_account(path: str = "account_id") -> Filter:
    """Somebody else's account narrows to nothing: for the caller it does not exist."""
    return identity("account", path, "the account's id")


def choice(name: str, values: Iterable[str], path: str = "") -> Filter:
    listed = [str(value) for value in values]
    return Filter(
        name, _one_of(listed), _equal(path or name), {"type": "string", "enum": listed}, ""
    )


def flag(name: str, fits: Q, text: str = "") -> Filter:
    """`true` leaves the rows that `fits` describes, `false` the others."""
    return Filter(
        name,
        _truth,
        lambda rows, wanted: rows.filter(fits if wanted else ~fits),
        {"type": "boolean"},
        text,
    )


def words(name: str, path: str = "", text: str = "") -> Filter:
    """The whole text, as it stands in the row."""
    return Filter(name, plain_text, _equal(path or name), text=text)


def ticker(path: str = "instrument_id") -> Filter:
    return Filter("ticker", _a_ticker, _equal(path))


def day_span(path: str, told: Callable[[datetime], Any] = lambda moment: moment) -> list[Filter]:
    """`since` and `until`, both included, by Korean days. `told` makes of a moment what the column holds."""
    day = {"type": "string", "format": "date"}
    return [
        Filter(
            "since",
            lambda text: told(_begins(text)),
            _equal(f"{path}__gte"),
            day,
            "on this day or later",
        ),
        Filter(
            "until",
            lambda text: told(_is_over(text)),
            _equal(f"{path}__lt"),
            day,
            "on this day or before",
        ),
    ]


PAGES = (
    Filter("page", _a_page, lambda rows, _page: rows, {"type": "integer"}),
    Filter(
        "page_size",
        _a_page,
        lambda rows, _size: rows,
        {"type": "integer"},
        "up to 200; 50 without it",
    ),
)
"""Read strictly here, used by the pagination."""
