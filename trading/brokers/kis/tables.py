"""Any call of the broker's table, read strictly by what its fields mean.

Blank numbers and dates are None, never zero. A field that the table does not know, or that is missing, is
drift: it is told once and breaks nothing. A value that is not what its field means raises BrokerGarbled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import structlog

from trading.brokers.kis import parsing
from trading.domain.errors import BrokerGarbled
from trading.kis_wire import Call, Field, Output, calls

__all__ = ["Drift", "Row", "Table", "number", "positive", "read_table", "whole"]

log = structlog.get_logger(__name__)
Value = str | int | Decimal | date | None
Row = dict[str, Value]

TOP_LEVEL = "(top level)"
"""The key of an output whose fields stand in the answer itself."""
_DATE = re.compile(r"[0-9]{8}|[0-9]{4}/[0-9]{2}/[0-9]{2}", re.ASCII)
"""The broker's calendar of rights writes slashes, everything else does not."""
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{0,10})?|[+-]?\.[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Drift:
    """How an answer differs from the table: names of fields by output."""

    missing: frozenset[str]
    unknown: frozenset[str]


@dataclass(frozen=True, slots=True)
class Table:
    """An answer: the rows of each output, a single object as one row."""

    rows: Mapping[str, tuple[Row, ...]]
    drift: Drift

    def only(self, key: str = "output") -> Row:
        """The single row of an output. Raises BrokerGarbled when there is none or more than one."""
        found = self.rows[key]
        if len(found) != 1:
            raise BrokerGarbled(f"{key} does not hold exactly one row")
        return found[0]


def read_table(name: str, body: Mapping[str, Any]) -> Table:
    """The answer `body` of call `name`, its outputs by key. Raises BrokerGarbled."""
    call = calls()[name]
    rows, missing, unknown = {}, set(), set()
    for output in call.outputs:
        found = _found(output, body)
        if found is None:
            missing.add(output.key)
            found = []
        known = {field.name: field for field in output.fields}
        for row in found:
            missing |= {f"{output.key}.{n}" for n in known.keys() - row.keys()}
            unknown |= {f"{output.key}.{n}" for n in row.keys() - known.keys()}
        rows[output.key] = tuple(_row(output, known, row) for row in found)
    drift = Drift(frozenset(missing), frozenset(unknown))
    _tell(call, drift)
    return Table(rows, drift)


def _found(output: Output, body: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """The rows of an output, None when the answer has no such output."""
    if output.key == TOP_LEVEL:
        return [{name: str(value) for name, value in body.items()}]
    return parsing.rows(body, output.key) if output.key in body else None


def _row(output: Output, known: Mapping[str, Field], row: Mapping[str, Any]) -> Row:
    return {
        name: _READERS.get(field.meaning or "", _text)(parsing.text(row, name), name)
        for name, field in known.items()
        if name in row
    }


def _text(text: str, name: str) -> Value:
    return text


def _number(text: str, name: str) -> Value:
    if not text or text == "-":
        return None
    if not _NUMBER.fullmatch(text):
        raise BrokerGarbled(f"{name} is not a number")
    return Decimal(text)


def _whole(text: str, name: str) -> Value:
    number = _number(text, name)
    if number is None:
        return None
    assert isinstance(number, Decimal)
    if number != number.to_integral_value():
        raise BrokerGarbled(f"{name} is not whole")
    return int(number)


def _day(text: str, name: str) -> Value:
    if not text.strip("0"):
        return None
    if not _DATE.fullmatch(text):
        raise BrokerGarbled(f"{name} is not a date")
    try:
        return datetime.strptime(text.replace("/", ""), "%Y%m%d").date()
    except ValueError as error:
        raise BrokerGarbled(f"{name} is not a date") from error


_READERS: Mapping[str, Callable[[str, str], Value]] = {
    "integer": _whole,
    "amount": _number,
    "price": _number,
    "decimal": _number,
    "decimal %": _number,
    "date": _day,
}
_told: set[str] = set()


def _tell(call: Call, drift: Drift) -> None:
    """Say once and process which fields came or went: the broker changes them without a word."""
    for kind, names in (("missing", drift.missing), ("unknown", drift.unknown)):
        new = {f"{call.name}:{name}" for name in names} - _told
        if new:
            _told.update(new)
            log.warning("kis_field_drift", call=call.name, kind=kind, fields=sorted(names)[:20])


def number(row: Row, name: str) -> Decimal:
    """A number that must be there. Raises BrokerGarbled when it is blank or missing."""
    found = row.get(name)
    if found is None or isinstance(found, str | date):
        raise BrokerGarbled(f"{name} is missing")
    return Decimal(found)


def positive(row: Row, name: str) -> Decimal:
    """A number above zero. Raises BrokerGarbled."""
    found = number(row, name)
    if found <= 0:
        raise BrokerGarbled(f"{name} is not positive")
    return found


def whole(row: Row, name: str) -> int:
    """A whole number. Raises BrokerGarbled."""
    found = number(row, name)
    if found != found.to_integral_value():
        raise BrokerGarbled(f"{name} is not whole")
    return int(found)
