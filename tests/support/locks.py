"""Which rows a piece of code asks the database to lock; SQLite itself would not tell."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import Model, QuerySet

__all__ = ["Locks"]


class Locks:
    """Writes down every row lock that is asked for, in order; `refuse` makes one model's fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, refuse: type[Model] | None = None) -> None:
        self._asked: list[type[Model]] = []
        real = QuerySet.select_for_update

        def asked(rows: Any, *arguments: Any, **options: Any) -> Any:
            if rows.model is refuse:
                raise OperationalError("could not obtain the lock")
            self._asked.append(rows.model)
            return real(rows, *arguments, **options)

        monkeypatch.setattr(QuerySet, "select_for_update", asked)

    def of(self, *models: type[Model]) -> list[str]:
        """The names of those of `models` that were locked, in order."""
        return [model.__name__ for model in self._asked if model in models]
