"""Questions that are asked thousands of times an hour: their SQL is built once and only bound after that.

Django builds the text of a query anew each time that it is asked, which takes several times as long as the
database's answer. What is asked at every look at the broker and before every order is built once instead.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    ValuesListIterable,
    get_related_populators,
)
from django.db.models.sql import UpdateQuery
from django.db.transaction import mark_for_rollback_on_error

__all__ = ["Prepared", "PreparedUpdate"]

_STANDS_FOR: dict[type, Callable[[int], Any]] = {
    int: lambda n: 31_901 + n,  # fits every column of whole numbers
    str: lambda n: f"\N{WHITE SQUARE}{n}",
    datetime: lambda n: datetime(9000, 1, 1, 3, tzinfo=UTC) + timedelta(hours=n),
    date: lambda n: date(9000, 1, 1) + timedelta(days=n),
}
"""Values that no question really asks for: where one of them stands in the built query, its name is bound."""


Row = Sequence[Any]


class _Place(NamedTuple):
    """Where a name is bound, and as what the database's adapter takes it."""

    number: int
    name: str
    kind: type


@dataclass(frozen=True, slots=True)
class _Plan:
    """The text, its values with the places where names are bound, and how rows are read."""

    sql: str
    values: tuple[Any, ...]
    places: tuple[_Place, ...]
    read: Callable[[Sequence[Row]], list[Any]] | None = None


class _Built:
    """A statement that is built at its first use, once for each kind of database.

    `kinds` names the values that are bound with their types: int, str, date or aware datetime. Neither None nor
    a list can be bound, because both change the shape.
    """

    def __init__(self, kinds: dict[str, type]) -> None:
        self.kinds = kinds
        self._plans: dict[str, _Plan] = {}

    def _plan(self) -> _Plan:
        plan = self._plans.get(connection.vendor)
        if plan is None:
            plan, again = (
                self._built(
                    {n: _STANDS_FOR[k](i + at) for i, (n, k) in enumerate(self.kinds.items())}
                )
                for at in (0, 50)
            )
            if plan.places != again.places:
                raise ValueError("a constant of the query looks like one of its values")
            self._plans[connection.vendor] = plan
        return plan

    def _built(self, stand: dict[str, Any]) -> _Plan:
        raise NotImplementedError

    def _places(self, values: Row, stand: dict[str, Any]) -> tuple[_Place, ...]:
        named = {_bound(value): name for name, value in stand.items()}
        places = tuple(
            _Place(number, named[value], type(value))
            for number, value in enumerate(values)
            if isinstance(value, Hashable) and value in named
        )
        if {one.name for one in places} != set(self.kinds):
            raise ValueError("a value of the question is not in its query")
        return places

    @staticmethod
    def _filled(plan: _Plan, values: dict[str, Any]) -> list[Any]:
        bound = list(plan.values)
        for one in plan.places:
            value = _bound(values[one.name])
            if value is None:  # nothing equals NULL: the answer would be empty, and wrong
                raise TypeError(f"{one.name} cannot be None")
            # PostgreSQL's adapter tells whole numbers apart by their width
            bound[one.number] = one.kind(value) if isinstance(value, int) else value
        return bound


class Prepared(_Built):
    """A query whose shape never changes, whatever it is asked about.

    `build` gives the queryset for values that it reads as attributes: rows of a model, with related ones where
    it says so by name, or values_list().

    Every question of the program is one of `every`, so that a test can compare each with Django's own answer.
    """

    every: list[Prepared] = []

    def __init__(self, build: Callable[[Any], QuerySet[Any, Any]], **kinds: type) -> None:
        super().__init__(kinds)
        self.build = build
        self.every.append(self)

    def __call__(self, **values: Any) -> list[Any]:
        """Every row. Raises KeyError when a value is missing, TypeError when it is None."""
        plan = self._plan()
        assert plan.read is not None
        bound = self._filled(plan, values)
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, bound)
            return plan.read(cursor.fetchall())

    def first(self, **values: Any) -> Any:
        """The first row or None. The queryset limits itself."""
        found = self(**values)
        return found[0] if found else None

    def queryset(self, **values: Any) -> QuerySet[Any, Any]:
        """The same question as Django asks it."""
        return self.build(SimpleNamespace(**values))

    def _built(self, stand: dict[str, Any]) -> _Plan:
        rows = self.queryset(**stand)
        compiler = rows.query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        return _Plan(sql, tuple(values), self._places(values, stand), _reader(rows, compiler))


class PreparedUpdate(_Built):
    """A conditional UPDATE of one table whose shape never changes: `build` gives rows and new values."""

    def __init__(
        self, build: Callable[[Any], tuple[QuerySet[Any, Any], dict[str, Any]]], **kinds: type
    ) -> None:
        super().__init__(kinds)
        self.build = build

    def __call__(self, **values: Any) -> int:
        """How many rows it changed. Raises KeyError when a value is missing."""
        plan = self._plan()
        bound = self._filled(plan, values)
        with mark_for_rollback_on_error(), connection.cursor() as cursor:
            cursor.execute(plan.sql, bound)
            return int(cursor.rowcount)

    def _built(self, stand: dict[str, Any]) -> _Plan:
        rows, new = self.build(SimpleNamespace(**stand))
        query = rows.query.chain(UpdateQuery)
        query.add_update_values(new)  # type: ignore[attr-defined]
        sql, values = query.get_compiler(connection=connection).as_sql()
        return _Plan(sql, tuple(values), self._places(values, stand))


def _bound(value: Any) -> Any:
    """As the database takes it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, date):
        return connection.ops.adapt_datefield_value(value)
    return value


def _reader(rows: QuerySet[Any, Any], compiler: Any) -> Callable[[Sequence[Row]], list[Any]]:
    converters = compiler.get_converters([column for column, _sql, _alias in compiler.select])

    def converted(found: Sequence[Row]) -> list[Any]:
        return list(compiler.apply_converters(found, converters)) if converters else list(found)

    def row_of(values: Row) -> Any:
        made = model.from_db(rows.db, names, values[begin:end])
        for related in populators:
            related.populate(values, made)
        return made

    if compiler.klass_info is not None:
        fields = compiler.klass_info["select_fields"]
        begin, end = fields[0], fields[-1] + 1
        model = compiler.klass_info["model"]
        names = [column.target.attname for column, _sql, _alias in compiler.select[begin:end]]
        populators = get_related_populators(  # type: ignore[call-arg]
            compiler.klass_info, compiler.select, rows.db
        )
    made = rows._iterable_class  # type: ignore[attr-defined]
    if made is FlatValuesListIterable:
        return lambda found: [row[0] for row in converted(found)]
    if made is ValuesListIterable:
        return lambda found: [tuple(row) for row in converted(found)]
    if made is not ModelIterable:
        raise ValueError("rows of a model, or values_list()")
    return lambda found: [row_of(one) for one in converted(found)]
