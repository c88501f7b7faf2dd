"""What each parameter of a fault may be: checked when a fault is armed, told by the control port.

A value that nobody can act on must be refused where it is given. Found out later, in the middle of an answer,
it would look like a fault of the simulator's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

__all__ = ["check_values", "values_of"]

Test = Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_shares(value: Any) -> bool:
    return (_is_whole(value) and value >= 1) or (isinstance(value, str) and value.isdecimal())


def _is_time(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


KINDS: Mapping[str, tuple[str, Test]] = {
    "accepted": ("true or false", lambda value: isinstance(value, bool)),
    "amount": ("whole won, below zero for a withdrawal", _is_whole),
    "at": ("an ISO time", _is_time),
    "bytes": ("a whole number, 0 or more", lambda value: _is_whole(value) and value >= 0),
    "cut": ("true or false", lambda value: isinstance(value, bool)),
    "empty": ("true or false", lambda value: isinstance(value, bool)),
    "odno": ("any text, or null for none", lambda value: value is None or _is_text(value)),
    "percent": ("a number", _is_number),
    "quantity": ("shares, 1 or more", _is_shares),
    "seconds": ("seconds, 0 or more", lambda value: _is_number(value) and value >= 0),
    "share": ("a number from 0 to below 1", lambda value: _is_number(value) and 0 <= value < 1),
    "status": ("an HTTP status, 100 to 599", lambda value: _is_whole(value) and 100 <= value < 600),
    "times": ("a whole number, 1 or more", lambda value: _is_whole(value) and value >= 1),
}
"""By the name of the parameter; what is not here is text."""
CHOICES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("A01", "mode"): ("cut", "refuse"),
    ("A13", "whose"): ("ours", "foreign"),
    ("A20", "whose"): ("ours", "foreign"),
    ("A26", "answer"): ("first", "second"),
    ("B05", "shape"): ("repeat", "empty"),
    ("B10", "shape"): ("twice", "double", "phantom"),
    ("B11", "shape"): ("empty", "zero"),
    ("B17", "shape"): ("missing", "extra", "cased"),
    ("B18", "shape"): ("comma", "decimal", "minus", "blank", "wide", "null"),
    ("B19", "trace"): ("", "own"),
    ("C09", "shape"): ("truncated", "count", "extra", "garbage"),
    ("C16", "lie"): ("zero", "negative", "spike", "twice", "backwards"),
    ("D01", "shape"): ("error", "msg"),
    ("D05", "shape"): ("short", "empty", "no_expiry", "past", "html"),
}
"""The words that a fault knows; the first is what it does when none is given."""


def values_of(fault: str, params: frozenset[str]) -> dict[str, str]:
    """In words, what each parameter of a fault may be."""
    return {name: _allowed(fault, name) for name in sorted(params)}


def _allowed(fault: str, name: str) -> str:
    words = CHOICES.get((fault, name))
    if words is not None:
        return " or ".join(word or '""' for word in words)
    return KINDS[name][0] if name in KINDS else "text"


def check_values(fault: str, params: Mapping[str, Any]) -> None:
    """Raises ValueError naming every parameter whose value it may not have, and what it may be."""
    wrong = [
        f"{name} is {_allowed(fault, name)}, not {value!r}"
        for name, value in sorted(params.items())
        if not _fits(fault, name, value)
    ]
    if wrong:
        raise ValueError(f"{fault}: {'; '.join(wrong)}")


def _fits(fault: str, name: str, value: Any) -> bool:
    words = CHOICES.get((fault, name))
    if words is not None:
        return value in words
    return KINDS[name][1](value) if name in KINDS else _is_text(value)
