"""What waits for a person on one account: plans to decide, unknown orders, pauses, open alerts."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from rebalancing.models import Run
from trading.models import Account, Alert, Attempt
from trading.selectors.unknown import unknown_attempts

__all__ = ["Attention", "attention_of", "open_alerts"]

_PAUSED = ("PAUSED_UNKNOWN", "PAUSED_EXTERNAL")


@dataclass(frozen=True, slots=True)
class Attention:
    active: Run | None
    unknown: tuple[Attempt, ...]
    alerts: tuple[Alert, ...]
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
            + len(self.alerts)
        )


def open_alerts(account: Account, *, admin: bool = False, most: int = 20) -> list[Alert]:
    """Alerts nobody has acknowledged, newest first: about this account, and for an admin about none."""
    about = Q(account=account) | Q(account=None) if admin else Q(account=account)
    return list(Alert.objects.filter(about, acknowledged_at=None)[:most])


def attention_of(account: Account, *, admin: bool = False) -> Attention:
    active = Run.objects.filter(account=account, terminal_at=None).first()
    unknown = tuple(unknown_attempts(account).select_related("intent__instrument")[:20])
    waits = account.paused_reason == Account.EXTERNAL_ORDER
    asked = active is not None and active.state == "PAUSED_EXTERNAL"
    return Attention(active, unknown, tuple(open_alerts(account, admin=admin)), waits and not asked)
