"""Cancels of a run that the broker refused, with its own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from rebalancing.models import Run
from rebalancing.selectors.told import Told
from trading.models import Attempt, Intent, OrderAction

__all__ = ["RefusedCancel", "refusal_text", "refused_cancels", "told_refusals"]


@dataclass(frozen=True, slots=True)
class RefusedCancel:
    """`said` is what the broker answered: its code and message, as they came."""

    at: datetime
    order_no: str
    said: str


def refused_cancels(run: Run) -> dict[int, list[RefusedCancel]]:
    """Leg → its refused cancels, oldest first; a leg without one has no entry."""
    found: dict[int, list[RefusedCancel]] = {}
    for attempt in _attempts(run):
        leg = attempt.intent.leg_id or 0
        target = attempt.intent.target_order
        found.setdefault(leg, []).append(
            RefusedCancel(
                attempt.answered_at or attempt.committed_at,
                target.order_no if target else "",
                refusal_text(attempt),
            )
        )
    return found


def told_refusals(run: Run) -> list[Told]:
    """The same as sentences of the run's story."""
    told = []
    for attempt in _attempts(run):
        target = attempt.intent.target_order
        text = _("%(name)s 주문 %(no)s의 취소를 증권사가 거부했습니다: %(why)s") % {
            "name": attempt.intent.instrument.name,
            "no": target.order_no if target else "–",
            "why": refusal_text(attempt),
        }
        told.append(Told(text, attempt, attempt.answered_at or attempt.committed_at))
    return told


def refusal_text(attempt: Attempt) -> str:
    return f"{attempt.msg_cd} {attempt.message}".strip() or "–"


def _attempts(run: Run) -> list[Attempt]:
    return list(
        Attempt.objects.filter(
            intent__origin=Intent.Origin.RUN,
            intent__origin_id=run.pk,
            action=OrderAction.CANCEL,
            state="REJECTED",
        )
        .select_related("intent__instrument", "intent__target_order")
        .order_by("id")
    )
