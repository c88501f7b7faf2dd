"""Which proposed changes a person may read, and which of them still wait."""

from __future__ import annotations

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from trading.models import Attempt, Proposal
from trading.selectors.people import Person, Role, accounts_of, has_role

__all__ = ["closed_proposals", "open_proposals", "proposals_seen"]

MOST_CLOSED = 20


def proposals_seen(user: Person, rows: QuerySet[Proposal] | None = None) -> QuerySet[Proposal]:
    """Those of one's own accounts; those about no account for approvers, admins and whoever proposed them."""
    seen = Q(account__in=accounts_of(user).values("pk")) | Q(account=None, by=user.get_username())
    if has_role(user, Role.APPROVER, Role.ADMIN):
        seen |= Q(account=None)
    rows = Proposal.objects.all() if rows is None else rows
    return rows.filter(seen).select_related("account")


def open_proposals(user: Person) -> QuerySet[Proposal]:
    """Those that still wait, the oldest first; one about an order whose outcome is known by now is over."""
    lost = Attempt.objects.filter(state="UNKNOWN").annotate(
        name=Concat(Value("attempt:"), Cast("pk", CharField()))
    )
    waiting = proposals_seen(user).filter(outcome="", expires_at__gt=timezone.now())
    alive = ~Q(kind=Proposal.Kind.ATTEMPT) | Exists(lost.filter(name=OuterRef("subject")))
    return waiting.filter(alive).order_by("pk")


def closed_proposals(user: Person) -> list[Proposal]:
    """The newest that are decided or over."""
    over = ~Q(outcome="") | Q(expires_at__lte=timezone.now())
    return list(proposals_seen(user).filter(over)[:MOST_CLOSED])
