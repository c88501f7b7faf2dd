"""An attempt of ours as the broker would list it."""

from __future__ import annotations

from datetime import date

from trading.domain.reconciliation import Sought
from trading.domain.sessions import SEOUL
from trading.models import Attempt, BrokerOrder
from trading.models.prepared import Prepared

__all__ = ["sought_of"]


def sought_of(attempt: Attempt) -> Sought:
    intent = attempt.intent
    day = attempt.committed_at.astimezone(SEOUL).date()
    return Sought(
        ticker=intent.instrument_id,
        side=intent.side,
        quantity=intent.quantity,
        limit_price=intent.limit_price,
        known=frozenset(attempt.baseline) | frozenset(_TAKEN(account=intent.account_id, day=day)),
        sent_at=attempt.committed_at.astimezone(SEOUL),
        deadline=attempt.deadline_at.astimezone(SEOUL),
        cancels=intent.target_order.order_no if intent.target_order is not None else "",
    )


_TAKEN = Prepared(
    lambda value: (
        BrokerOrder.objects.filter(account=value.account, trade_date=value.day)
        .exclude(owner=None)
        .values_list("order_no", flat=True)
    ),
    account=int,
    day=date,
)
