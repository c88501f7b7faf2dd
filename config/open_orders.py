"""No migration over orders that are on their way: nobody has tested half of one schema against a live order.

Source: fault G21. Simulated accounts are left out: their exchange stands still meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections

__all__ = ["open_orders", "refuse_over_open_orders"]

# In SQL, because the models are already those of the schema that is to come.
OPEN = """
SELECT
  (SELECT count(*) FROM trading_brokerorder o JOIN trading_account a ON a.id = o.account_id
    WHERE a.environment <> 'sim' AND o.owner_id IS NOT NULL AND NOT o.is_final)
+ (SELECT count(*) FROM trading_attempt t JOIN trading_intent i ON i.id = t.intent_id
    JOIN trading_account a ON a.id = i.account_id
    WHERE a.environment <> 'sim' AND t.state IN ('SENDING', 'UNKNOWN'))
"""
TABLES = frozenset({"trading_brokerorder", "trading_attempt", "trading_intent", "trading_account"})


def refuse_over_open_orders(plan: Sequence[Any], using: str, **_given: Any) -> None:
    """Before a migration, with what it would do. Raises CommandError; the setting lets it through."""
    if not plan or settings.MIGRATE_OVER_OPEN_ORDERS:
        return
    if count := open_orders(using):
        raise CommandError(
            f"Orders at the broker that are open or have no answer: {count}. Let the version before finish "
            "them, or wait until it has read the list after the close; MIGRATE_OVER_OPEN_ORDERS=true goes ahead"
        )


def open_orders(using: str) -> int:
    """Orders of ours at a real broker that are not over; 0 in a database without our tables."""
    connection = connections[using]
    if not set(connection.introspection.table_names()) >= TABLES:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(OPEN)
        (count,) = cursor.fetchone()
    return int(count)
