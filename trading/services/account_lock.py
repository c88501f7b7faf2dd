"""What an account's money depends on happens one after the other: whoever changes it holds its row."""

from __future__ import annotations

from trading.models import Account

__all__ = ["lock_account"]


def lock_account(account_id: int) -> None:
    """Hold the account's row until the transaction ends, and read nothing of it: its keys stay sealed.

    Raises Account.DoesNotExist, and outside a transaction TransactionManagementError where the database locks.
    """
    Account.objects.select_for_update().order_by().values_list("pk").get(pk=account_id)
