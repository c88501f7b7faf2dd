"""The only way a state changes: one conditional UPDATE that must hit one row, with its transition row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, models

from trading.domain.errors import StateConflict
from trading.models import Attempt, Intent, Transition

__all__ = ["born", "move", "record_transition"]

_NAMES: dict[type[models.Model], str] = {Intent: "intent", Attempt: "attempt"}


def record_transition(
    object_type: str, object_id: int, old: str, new: str, at: datetime, by: str, reason: str = ""
) -> None:
    Transition.objects.create(
        object_type=object_type,
        object_id=object_id,
        from_state=old,
        to_state=new,
        at=at,
        by=by[:150],
        reason=reason[:300],
    )


def born(row: Intent | Attempt, path: tuple[str, ...], *, at: datetime, by: str) -> None:
    """The transitions of a row that is created in the last state of `path`: it went through the others
    within the same transaction."""
    Transition.objects.bulk_create(
        Transition(
            object_type=_NAMES[type(row)],
            object_id=row.pk,
            from_state=str(old),
            to_state=str(new),
            at=at,
            by=by[:150],
        )
        for old, new in zip(("", *path), path, strict=False)
    )


def move(row: Any, to: str, *, at: datetime, by: str, reason: str = "", **fields: Any) -> None:
    """Move `row` from the state it was read in to `to`, setting `fields` in the same UPDATE.

    Raises StateConflict when somebody moved it first. The table's trigger refuses a move that the
    domain's transition table does not know. Must run inside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a state moves inside a transaction, together with its transition row")
    model, old = type(row), str(row.state)
    extra: dict[str, Any] = dict(fields)
    if model is Intent:
        extra |= {"state_since": at, "state_reason": reason[:300]}
    if not model._default_manager.filter(pk=row.pk, state=old).update(state=to, **extra):
        raise StateConflict("moved_meanwhile", object=f"{_NAMES[model]} {row.pk}", expected=old)
    record_transition(_NAMES[model], row.pk, old, to, at, by, reason)
    row.state = to
    for name, value in extra.items():
        setattr(row, name, value)
