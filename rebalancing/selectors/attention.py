"""What waits for a person on one account: plans to decide, unknown orders, pauses, open alerts."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from rebalancing.models import Run
from trading.models import Account, Alert, Attempt
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


def attention_of(account: Account, *, admin: bool = False) -> Attention:
    active = Run.objects.filter(account=account, terminal_at=None).first()
    unknown = tuple(unknown_attempts(account).select_related("intent__instrument")[:20])
    waits = account.paused_reason == Account.EXTERNAL_ORDER
    asked = active is not None and active.state == "PAUSED_EXTERNAL"
    alerts = open_alerts(account, admin=admin)
    newest = tuple(alerts[:MOST_ALERTS])
    count = len(newest) if len(newest) < MOST_ALERTS else alerts.count()
    return Attention(active, unknown, newest, count, waits and not asked)
