"""Orders whose outcome nobody knows yet, with what a person needs in order to decide."""

from __future__ import annotations

from dataclasses import dataclass

from trading.models import Account, Attempt, BrokerOrder

__all__ = ["UnknownOrder", "unknown_attempts", "unknown_orders"]


@dataclass(frozen=True, slots=True)
class UnknownOrder:
    """One unanswered attempt and the broker's orders that might be it: same name, side and size,
    owned by nobody. The service looks again, with all rules, when a person decides."""

    attempt: Attempt
    candidates: tuple[BrokerOrder, ...]

    @property
    def may_be_absent(self) -> bool:
        return self.attempt.absent_presumed and not self.candidates


def unknown_attempts(account: Account):  # type: ignore[no-untyped-def]
    return Attempt.objects.filter(intent__account=account, state="UNKNOWN")


def unknown_orders(account: Account) -> list[UnknownOrder]:
    attempts = list(
        unknown_attempts(account).select_related("intent__instrument").order_by("committed_at")
    )
    if not attempts:
        return []
    free = list(
        BrokerOrder.objects.filter(account=account, owner=None, original_order_no="").order_by(
            "-pk"
        )[:200]
    )
    return [
        UnknownOrder(attempt, tuple(o for o in free if _fits(attempt, o))) for attempt in attempts
    ]


def _fits(attempt: Attempt, order: BrokerOrder) -> bool:
    intent = attempt.intent
    return (
        order.instrument_id == intent.instrument_id
        and order.side == intent.side
        and order.quantity == intent.quantity
        and order.order_no not in attempt.baseline
    )
