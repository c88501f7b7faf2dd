"""Rows that are made in the middle of their life, as only a test may make them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

__all__ = ["made_late"]


@contextmanager
def made_late(table: str) -> Iterator[None]:
    """Within it `table` takes new rows in any state; afterwards its law of birth holds again."""
    law = f"{table}_born"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # what still waits to be checked would keep the table from being altered
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {law}")
            try:
                yield
            finally:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {law}")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            return
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [law])
        (made,) = cursor.fetchone()
        cursor.execute(f"DROP TRIGGER {law}")
        try:
            yield
        finally:
            cursor.execute(made)
