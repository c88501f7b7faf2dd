"""The past of one row: what people and the platform did to it, from the audit chain, its changes of state
and the admin's own log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from trading.models import AuditEntry, Transition
from trading.selectors.audit_scope import audit_seen_by
from trading.selectors.audit_words import ACTION_NAMES
from trading.selectors.fact_words import told_facts
from trading.selectors.people import Person
from trading.selectors.said import actor_said
from trading.selectors.words import WORDS

__all__ = ["MOST", "Past", "PastAct", "past_of"]

MOST = 200
"""Of each kind, the newest; who wants more reads the audit list."""
_MOVING = ("run", "intent", "attempt")
"""What the table of transitions keeps."""


@dataclass(frozen=True, slots=True)
class PastAct:
    """`at` is aware; `facts` are the act's own, as text, "" where it has none. `wall` says that `at` is the
    wall's time though the row lives on another clock; `order` is the wall's time by which acts of both clocks
    are put in order, None where nobody wrote it down."""

    at: datetime
    by: str
    what: str
    facts: str
    wall: bool = False
    order: datetime | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """Acts in their true order, newest first. `title` names the clock of what no order joins with the rest."""

    title: str
    acts: list[PastAct]


def past_of(
    row: Model,
    *,
    kind: str = "",
    about: Q | None = None,
    states: Mapping[str, Any] | None = None,
    chain: bool = True,
    reader: Person | None = None,
    two_clocks: bool = False,
) -> list[Past]:
    """`kind` is how the chain and the transitions call such a row, `about` narrows the chain where a row is
    told under another's name; `states` names the states in words; without `chain` the audit chain, which not
    everybody may read, is left out. With `two_clocks` states change by the market's clock and the rest is told
    by the wall's: all are in one order where each was also written down by the wall's, else each clock has its
    own list."""
    told = _logged(row)
    if about is None and kind:
        about = Q(object=f"{kind}:{row.pk}")
    if chain and about is not None:
        rows = AuditEntry.objects.all() if reader is None else audit_seen_by(reader)
        told += _audited(rows.filter(about), states or {})
    moved = _moved(kind, row, states or {}) if kind in _MOVING else []
    if not two_clocks:
        return [Past("", _newest_first([*moved, *told], lambda act: act.at))]
    told = [replace(act, wall=True, order=act.at) for act in told]
    if told and any(act.order is None for act in moved):
        return [
            Past(_("시뮬레이터 시각"), _newest_first(moved, lambda act: act.at)),
            Past(_("실제 시각"), _newest_first(told, lambda act: act.at)),
        ]
    return [Past("", _newest_first([*moved, *told], lambda act: act.order or act.at))]


def _newest_first(acts: list[PastAct], by: Callable[[PastAct], datetime]) -> list[PastAct]:
    return sorted(acts, key=by, reverse=True)


def _audited(rows: QuerySet[AuditEntry], states: Mapping[str, Any]) -> list[PastAct]:
    return [
        PastAct(
            datetime.fromisoformat(entry.at),
            actor_said(entry.actor),
            str(ACTION_NAMES.get(entry.action, entry.action)),
            _facts(entry.payload, states),
        )
        for entry in rows[:MOST]
    ]


def _facts(payload: str, states: Mapping[str, Any]) -> str:
    told = told_facts(payload, states)
    return " · ".join(f"{name}: {value}" if name else value for name, value in told)


def _moved(kind: str, row: Model, states: Mapping[str, Any]) -> list[PastAct]:
    rows = Transition.objects.filter(object_type=kind, object_id=row.pk).order_by("-id")[:MOST]
    return [
        PastAct(
            one.at,
            actor_said(one.by),
            " → ".join(
                str(states.get(name, name)) for name in (one.from_state, one.to_state) if name
            ),
            WORDS.say(one.reason) if one.reason else "",
            order=one.recorded_at,
        )
        for one in rows
    ]


def _logged(row: Model) -> list[PastAct]:
    """Changes made with the admin's own forms."""
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk)
    ).select_related("user")[:MOST]
    return [
        PastAct(entry.action_time, entry.user.get_username(), entry.get_change_message(), "")
        for entry in entries
    ]
