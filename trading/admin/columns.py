"""How a column of a record is shown: codes in words, and large numbers in groups of three digits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import BigIntegerField, Model

__all__ = ["PLAIN", "shown_columns"]

PLAIN = frozenset({"seq", "object_id", "origin_id", "leg_id", "intent_id", "run_id", "lease_epoch"})
"""Whole numbers that are names of rows and no amounts."""
Column = str | Callable[[Any], str]


def shown_columns(
    model: type[Model], names: Iterable[Any], told: Mapping[str, str] | None = None
) -> list[Any]:
    """`names` in their order. `told` is column → the method that tells it in words; an amount without one is
    told with separators, and keeps its heading and its order."""
    words = told or {}
    return [words.get(name) or _amount(model, name) or name for name in names]


def _amount(model: type[Model], name: Any) -> Column | None:
    if not isinstance(name, str) or name in PLAIN:
        return None
    try:
        column = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return _grouped(model, name) if type(column) is BigIntegerField else None


@cache
def _grouped(model: type[Model], name: str) -> Column:
    column: Any = model._meta.get_field(name)

    @admin.display(description=column.verbose_name, ordering=name)
    def amount(row: Any) -> str:
        value = getattr(row, name)
        return "–" if value is None else f"{value:,}"

    amount.__name__ = name  # the class of its cells, and the heading on a phone
    return amount
