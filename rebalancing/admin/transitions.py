"""Changes of state, to read: here, because what the states of runs are called is known on this floor."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from rebalancing.domain.states import TERMINAL
from rebalancing.selectors.words import STATE_NAMES, WORDS, run_state_name
from trading.admin.lists import known_values, period
from trading.admin.read_only import ReadOnlyAdmin
from trading.admin.subjects import names_of
from trading.models import Attempt, Intent, Transition
from trading.selectors.order_words import ATTEMPT_STATES, ORDER_STATES
from trading.selectors.people import Role, accounts_of, has_role

__all__ = ["TransitionAdmin"]

_OBJECTS = {"run": _("리밸런싱 실행"), "intent": _("주문 의도"), "attempt": _("전송 시도")}
_STATES = {"run": STATE_NAMES, "intent": ORDER_STATES, "attempt": ATTEMPT_STATES}


@admin.register(Transition)
class TransitionAdmin(ReadOnlyAdmin):
    roles = (Role.APPROVER, Role.ADMIN)
    told = {
        "object_type": "kind",
        "object_id": "about_what",
        "from_state": "before",
        "to_state": "after",
        "reason": "why",
    }
    list_display = ("at", "about_what", "before", "after", "by", "why")
    list_filter = (period("at"), known_values("object_type", _("대상"), _OBJECTS))
    ordering = ("-id",)
    search_fields = ("^to_state", "=object_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transition]:
        """Of things of one's own accounts; an admin sees all."""
        rows = super().get_queryset(request)
        if has_role(request.user, Role.ADMIN):
            return rows
        own = accounts_of(request.user)
        intents = Intent.objects.filter(account__in=own)
        return rows.filter(
            Q(object_type="run", object_id__in=own.values("runs"))
            | Q(object_type="intent", object_id__in=intents.values("pk"))
            | Q(
                object_type="attempt",
                object_id__in=Attempt.objects.filter(intent__account__in=own).values("pk"),
            )
        )

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        codes = {row.pk: f"{row.object_type}:{row.object_id}" for row in rows}
        names = names_of(codes.values(), request)
        for row in rows:
            row.jeoul_name = names[codes[row.pk]]

    @admin.display(description=_("대상"), ordering="object_id")
    def about_what(self, row: Transition) -> str:
        return row.jeoul_name  # type: ignore[attr-defined,no-any-return]

    @admin.display(description=_("대상 종류"), ordering="object_type")
    def kind(self, row: Transition) -> str:
        return str(_OBJECTS.get(row.object_type, row.object_type))

    @admin.display(description=_("이전 상태"), ordering="from_state")
    def before(self, row: Transition) -> str:
        return _named(row, row.from_state)

    @admin.display(description=_("다음 상태"), ordering="to_state")
    def after(self, row: Transition) -> str:
        if row.object_type == "run" and row.to_state in TERMINAL:  # the reason is that of its end
            return run_state_name(row.to_state, row.reason)
        return _named(row, row.to_state)

    @admin.display(description=_("이유"))
    def why(self, row: Transition) -> str:
        return WORDS.say(row.reason) if row.reason else "–"


def _named(row: Transition, state: str) -> str:
    return str(_STATES.get(row.object_type, {}).get(state, state)) or "–"
