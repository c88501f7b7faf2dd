"""KIS's strings as values, strictly: what cannot be read is never a zero.

The broker's dialect (`stck_prpr`) ends in this package. Every function raises BrokerGarbled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from trading.domain.errors import BrokerGarbled

__all__ = ["code", "day", "decimal", "decode", "document", "flag", "integer", "rows", "text", "won"]

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,10})?")

Row = Mapping[str, Any]


def decode(body: bytes) -> dict[str, Any] | None:
    """The JSON object in `body`, or None when it is anything else."""
    try:
        found = json.loads(body.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def document(body: bytes) -> dict[str, Any]:
    found = decode(body)
    if found is None:
        raise BrokerGarbled("the answer is not a JSON object")
    return found


def rows(reply: Row, key: str) -> list[Row]:
    """The array `key`; a single object counts as one row, an empty string as none."""
    found = reply.get(key)
    if found == "":
        return []
    if isinstance(found, Mapping):
        return [found]
    if isinstance(found, list) and all(isinstance(row, Mapping) for row in found):
        return found
    raise BrokerGarbled(f"{key} is missing or not a list of rows")


def text(row: Row, name: str) -> str:
    found = row.get(name)
    if not isinstance(found, str):
        raise BrokerGarbled(f"{name} is missing")
    return found.strip()


def code(row: Row, name: str, pattern: str) -> str:
    """A code that matches `pattern` whole."""
    found = text(row, name)
    if not re.fullmatch(pattern, found, re.ASCII):
        raise BrokerGarbled(f"{name} is not a code of the expected form")
    return found


def integer(row: Row, name: str) -> int:
    """A whole number as the broker writes it: no separator, no blank, no zero with a sign."""
    found = row.get(name)
    if not isinstance(found, str):
        raise BrokerGarbled(f"{name} is missing")
    if not _INTEGER.fullmatch(found) or _is_signed_zero(found):
        raise BrokerGarbled(f"{name} is not a whole number")
    return int(found)


def decimal(row: Row, name: str) -> Decimal:
    found = text(row, name)
    if not _DECIMAL.fullmatch(found):
        raise BrokerGarbled(f"{name} is not a number")
    return Decimal(found)


def won(row: Row, name: str) -> int:
    """Whole won; decimals are allowed only when they are zero ("248750.0000"), blanks and a zero with a sign
    are not."""
    found = decimal(row, name)
    if row[name] != row[name].strip() or _is_signed_zero(row[name]):
        raise BrokerGarbled(f"{name} is not a number as the broker writes it")
    if found != found.to_integral_value():
        raise BrokerGarbled(f"{name} has a fraction of a won")
    return int(found)


def _is_signed_zero(found: str) -> bool:
    return found.startswith("-") and not found.strip("-0.")


def flag(row: Row, name: str) -> bool:
    found = text(row, name)
    if found not in ("Y", "N", ""):
        raise BrokerGarbled(f"{name} is neither Y nor N")
    return found == "Y"


def day(row: Row, name: str) -> date:
    found = code(row, name, r"[0-9]{8}")
    try:
        return datetime.strptime(found, "%Y%m%d").date()
    except ValueError as error:
        raise BrokerGarbled(f"{name} is not a date") from error
