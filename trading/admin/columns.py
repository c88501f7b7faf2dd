"""How a column of a record is shown: codes in words, amounts with their unit, long hashes by their beginning.

A moment of the wall's clock is marked where the accounts of the process live on another one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    DateTimeField,
    Field,
    JSONField,
    Model,
)
from django.utils.html import format_html
from django.utils.translation import gettext as _

from trading.selectors.moments import wall_moment_said
from trading.selectors.said import (
    actor_said,
    order_time_said,
    order_type_said,
    policy_said,
    proof_said,
    reason_said,
    slot_said,
    version_said,
)
from trading.services.clock import has_two_clocks
from trading.templatetags.jeoul import shares, won

__all__ = ["PLAIN", "WALL", "ShownColumns", "folded", "shortened", "shown_columns"]

PLAIN = frozenset({"seq", "object_id", "origin_id", "leg_id", "intent_id", "run_id", "lease_epoch"})
"""Whole numbers that are names of rows and no amounts."""
WALL: Mapping[str, frozenset[str]] = {
    "auth.user": frozenset({"last_login", "date_joined"}),
    "admin.logentry": frozenset({"action_time"}),
    "django_celery_beat.periodictask": frozenset({"last_run_at"}),
    "portfolio.modelportfolioversion": frozenset({"created_at"}),
    "portfolio.subportfolioversion": frozenset({"created_at"}),
    "portfolio.targetdecision": frozenset({"decided_at"}),
    "rebalancing.rebalancingconfig": frozenset({"updated_at"}),
    "trading.alert": frozenset({"acknowledged_at"}),
    "trading.apitoken": frozenset({"created_at", "last_used_at", "expires_at", "revoked_at"}),
    "trading.approvalpolicy": frozenset({"created_at", "agreed_at"}),
    "trading.credentialchange": frozenset({"at"}),
    "trading.kistoken": frozenset({"issued_at", "expires_at", "last_attempt_at", "issuing_until"}),
    "trading.marketday": frozenset({"changed_at"}),
    "trading.processepoch": frozenset({"started_at", "ended_at"}),
    "trading.proposal": frozenset({"at", "expires_at", "closed_at"}),
    "trading.releaserequest": frozenset({"at", "expires_at", "closed_at"}),
    "trading.transition": frozenset({"recorded_at"}),
}
"""Moments that are read from the wall's clock, whatever clock an account lives on."""
_PEOPLE = frozenset(
    {
        "acknowledged_by",
        "actor",
        "agreed_by",
        "approver",
        "by",
        "changed_by",
        "created_by",
        "decided_by",
        "requester",
        "second",
        "updated_by",
    }
)
_SAID: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(_PEOPLE, actor_said),
    "approval_policy": policy_said,
    "auth_level": proof_said,
    "note": reason_said,
    "order_time": order_time_said,
    "order_type": order_type_said,
    "policy": policy_said,
    "reason": reason_said,
    "rule_set_version": version_said,
    "slot": slot_said,
}
_SHARES = frozenset(
    {
        "cancelled_quantity",
        "cum_after",
        "cum_before",
        "filled_quantity",
        "open_quantity",
        "quantity",
        "rejected_quantity",
        "remaining_quantity",
        "resized_quantity",
        "shares",
    }
)
_SHORT = 12
Column = str | Callable[[Any], str]


def shown_columns(
    model: type[Model], names: Iterable[Any], told: Mapping[str, str] | None = None
) -> list[Any]:
    """`names` in their order. `told` is column → the method that tells it in words; a column whose kind is
    known here is told as that kind is, and keeps its heading and its order."""
    words = told or {}
    return [words.get(name) or _column(model, name) or name for name in names]


class ShownColumns:
    """For a model's admin: its lists show columns as `shown_columns` tells them."""

    def get_list_display(self, request: Any) -> list[Any]:
        names = super().get_list_display(request)  # type: ignore[misc]
        return shown_columns(self.model, names)  # type: ignore[attr-defined]


def shortened(text: str) -> str:
    """A long hash by its beginning; the whole of it on touch and to copy."""
    if len(text) <= _SHORT:
        return text or "–"
    return format_html('<span class="jeoul-short num" title="{}">{}…</span>', text, text[:_SHORT])


def folded(value: Any) -> str:
    """What a program kept, as it kept it, for who wants to see that too."""
    if value in (None, {}, [], ""):
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    return format_html(
        '<details class="jeoul-raw"><summary>{}</summary><pre>{}</pre></details>',
        _("저장된 그대로 보기"),
        text,
    )


def _column(model: type[Model], name: Any) -> Column | None:
    if not isinstance(name, str) or name in PLAIN:
        return None
    try:
        column = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    say = _way(model, column) if isinstance(column, Field) else None
    if say is None and isinstance(column, DateTimeField) and _is_wall(model, name):
        # asked for anew each time: a process learns only when it starts which clocks there are
        say = wall_moment_said if has_two_clocks() else None
    return _told(model, name, say) if say is not None else None


def _is_wall(model: type[Model], name: str) -> bool:
    return name in WALL.get(model._meta.label_lower, ())


def _way(model: type[Model], column: Field[Any, Any]) -> Callable[[Any], str] | None:
    """How values of a column are told; None for what the admin tells well by itself."""
    name = column.name
    if type(column) is BigIntegerField:
        return _shares if name in _SHARES else _won
    if isinstance(column, BooleanField):
        return _yes_or_no
    if isinstance(column, JSONField):
        return folded
    if isinstance(column, CharField) and not column.choices:
        if name == "hash" or name.endswith("_hash"):
            return shortened
        return _SAID.get(name)
    return None


def _won(value: Any) -> str:
    return format_html('<span class="jeoul-amount num">{}</span>', won(value))


def _shares(value: Any) -> str:
    return format_html('<span class="jeoul-amount num">{}</span>', shares(value))


def _yes_or_no(value: bool | None) -> str:
    """In words: a red cross would make a fault of what is only not so."""
    return "–" if value is None else _("예") if value else _("아니요")


@cache
def _told(model: type[Model], name: str, say: Callable[[Any], str]) -> Column:
    column: Any = model._meta.get_field(name)

    @admin.display(description=column.verbose_name, ordering=name)
    def told(row: Any) -> str:
        value = getattr(row, name)
        return "–" if value is None else say(value) or "–"

    told.__name__ = name  # the class of its cells, and the heading on a phone
    return told
