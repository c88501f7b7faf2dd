"""How a switch names what it rules."""

from __future__ import annotations

from trading.models import Account

__all__ = ["account_scope"]


def account_scope(account: Account) -> str:
    return f"account:{account.pk}"
