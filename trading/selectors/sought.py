"""An attempt of ours as the broker would list it."""

from __future__ import annotations

from trading.domain.reconciliation import Sought
from trading.domain.sessions import SEOUL
from trading.models import Attempt, BrokerOrder

__all__ = ["sought_of"]


def sought_of(attempt: Attempt) -> Sought:
    intent = attempt.intent
    taken = BrokerOrder.objects.filter(
        account=intent.account, trade_date=attempt.committed_at.astimezone(SEOUL).date()
    ).exclude(owner=None)
    return Sought(
        ticker=intent.instrument_id,
        side=intent.side,
        quantity=intent.quantity,
        limit_price=intent.limit_price,
        known=frozenset(attempt.baseline) | frozenset(taken.values_list("order_no", flat=True)),
        sent_at=attempt.committed_at.astimezone(SEOUL),
        deadline=attempt.deadline_at.astimezone(SEOUL),
        cancels=intent.target_order.order_no if intent.target_order is not None else "",
    )
