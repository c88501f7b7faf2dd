"""What waits for a person on one account: plans to decide, unknown orders, pauses, open alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from rebalancing.models import Run
from trading.models import Account, Alert, Attempt, Proposal, ReleaseRequest
from trading.selectors.scopes import GLOBAL, account_scope
from trading.selectors.unknown import unknown_attempts

__all__ = ["Attention", "attention_of", "open_alerts"]

MOST_ALERTS = 4
_PAUSED = ("PAUSED_UNKNOWN", "PAUSED_EXTERNAL")


@dataclass(frozen=True, slots=True)
class Attention:
    active: Run | None
    unknown: tuple[Attempt, ...]
    alerts: tuple[Alert, ...]
    """The newest of those that nobody has acknowledged; `alert_count` counts them all."""
    alert_count: int
    proposals: int = 0
    """Changes that wait for a second person's word."""
    releases: int = 0
    """Stops that somebody asked to release, for a second person."""
    external_pause: bool = False
    """Buying waits for a look at somebody else's order, and no paused run asks for it already."""

    @property
    def awaiting(self) -> Run | None:
        return self.active if self.active and self.active.state == "AWAITING_APPROVAL" else None

    @property
    def paused(self) -> Run | None:
        return self.active if self.active and self.active.state in _PAUSED else None

    @property
    def count(self) -> int:
        return (
            bool(self.awaiting)
            + bool(self.paused)
            + self.proposals
            + self.releases
            + self.external_pause
            + len(self.unknown)
            + self.alert_count
        )

    @property
    def alert_more(self) -> int:
        """How many open alerts are not shown."""
        return self.alert_count - len(self.alerts)


def open_alerts(account: Account, *, admin: bool = False) -> QuerySet[Alert]:
    """Alerts nobody has acknowledged, newest first: about this account, and for an admin about none."""
    about = Q(account=account) | Q(account=None) if admin else Q(account=account)
    return Alert.objects.filter(about, acknowledged_at=None)


def attention_of(
    account: Account, *, admin: bool = False, proposals: QuerySet[Proposal] | None = None
) -> Attention:
    """`proposals` are the changes that the reader is asked about. What there is none of is not read."""
    alerts, lost = open_alerts(account, admin=admin), unknown_attempts(account)
    waiting = Proposal.objects.none() if proposals is None else proposals
    counts = (
        Account.objects.filter(pk=account.pk)
        .values_list(_count(alerts), _count(lost), _count(waiting), _count(_asked(account)))
        .first()
    ) or (0, 0, 0, 0)
    active = Run.objects.filter(account=account, terminal_at=None).first()
    unknown = tuple(lost.select_related("intent__instrument")[:20]) if counts[1] else ()
    waits = account.paused_reason == Account.EXTERNAL_ORDER
    asked = active is not None and active.state == "PAUSED_EXTERNAL"
    newest = tuple(alerts[:MOST_ALERTS]) if counts[0] else ()
    return Attention(active, unknown, newest, counts[0], counts[2], counts[3], waits and not asked)


def _asked(account: Account) -> QuerySet[ReleaseRequest]:
    scopes = [GLOBAL, account_scope(account)]
    now = timezone.now()
    return ReleaseRequest.objects.filter(scope__in=scopes, outcome="", expires_at__gt=now)


def _count(rows: QuerySet[Any]) -> Coalesce:
    """How many rows, as a part of a question that asks for several such numbers at once."""
    counted = rows.order_by().annotate(one=Value(1)).values("one").annotate(many=Count("pk"))
    return Coalesce(Subquery(counted.values("many")), 0)
