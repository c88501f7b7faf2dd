"""What a list of runs may be narrowed by; a filter that cannot be read is refused, never ignored."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from rebalancing.domain.states import RunState
from rebalancing.models import Run
from trading.domain.errors import InputError, Reason
from trading.domain.sessions import SEOUL

__all__ = ["RUN_FILTERS", "filtered_runs", "plain_id"]

RUN_FILTERS = [
    OpenApiParameter("account", int, description="the account's id"),
    OpenApiParameter("state", str, enum=[s.value for s in RunState]),
    OpenApiParameter("dry_run", bool),
    OpenApiParameter("planner", str, enum=list(Run.Planner.values)),
    OpenApiParameter("since", OpenApiTypes.DATE, description="asked for on this day or later"),
    OpenApiParameter("until", OpenApiTypes.DATE, description="asked for on this day or before"),
    OpenApiParameter("page", int),
    OpenApiParameter("page_size", int, description="up to 200; 50 without it"),
]
_DAY = re.compile(r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}", re.ASCII)
Narrow = Callable[[QuerySet[Run], str], QuerySet[Run]]


def filtered_runs(rows: QuerySet[Run], asked: Mapping[str, str]) -> QuerySet[Run]:
    """Raises InputError with every filter that cannot be read; an unknown name is one, too."""
    reasons = [
        Reason("filter", {"name": name})
        for name in asked
        if name not in {p.name for p in RUN_FILTERS} | {"format"}
    ]
    for name, narrow in _NARROW.items():
        if name not in asked:
            continue
        try:
            rows = narrow(rows, asked[name])
        except ValueError:
            reasons.append(Reason("filter", {"name": name}))
    if reasons:
        raise InputError(reasons)
    return rows


def plain_id(text: str) -> int:
    """A row's number in ASCII digits. Raises ValueError."""
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise ValueError(text)
    return int(text)


def _one_of(text: str, known: Any) -> str:
    if text not in known:
        raise ValueError(text)
    return text


def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _midnight(text: str, days: int = 0) -> datetime:
    return datetime.combine(_day(text) + timedelta(days=days), time(), SEOUL)


def _paged(rows: QuerySet[Run], text: str) -> QuerySet[Run]:
    if plain_id(text) < 1:
        raise ValueError(text)
    return rows


_NARROW: Mapping[str, Narrow] = {
    "account": lambda rows, text: rows.filter(account_id=plain_id(text)),
    "state": lambda rows, text: rows.filter(state=_one_of(text, {s.value for s in RunState})),
    "dry_run": lambda rows, text: rows.filter(dry_run=_one_of(text, {"true", "false"}) == "true"),
    "planner": lambda rows, text: rows.filter(planner=_one_of(text, Run.Planner.values)),
    "since": lambda rows, text: rows.filter(created_at__gte=_midnight(text)),
    "until": lambda rows, text: rows.filter(created_at__lt=_midnight(text, 1)),
    "page": _paged,
    "page_size": _paged,
}
