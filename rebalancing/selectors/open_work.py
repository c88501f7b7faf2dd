"""Whether an account has something half done: the question before its market may move on."""

from __future__ import annotations

from rebalancing.models import Run
from trading.models import Account, Attempt, BrokerOrder

__all__ = ["has_open_work"]


def has_open_work(account: Account) -> bool:
    """A run without an end, a request without an answer, or an order that still works."""
    return (
        Run.objects.filter(account=account, terminal_at=None).exists()
        or Attempt.objects.filter(
            intent__account=account, state__in=["SENDING", "UNKNOWN"]
        ).exists()
        or BrokerOrder.objects.filter(account=account, is_final=False).exists()
    )
