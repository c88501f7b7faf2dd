"""Triggers that hold in the database what no code may undo: legal moves of states, an unchangeable record.

The SQL is built from the domain's own transition tables, for SQLite and PostgreSQL alike. When a table
changes, a new migration calls `guard_states` again and names the new `fingerprint`; a test compares.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

__all__ = ["fingerprint", "guard_states", "make_append_only"]

Editor = Any  # Django's schema editor


def fingerprint(moves: Mapping[Any, Any]) -> str:
    """Names one transition table, so that a migration can say which one it installed."""
    pairs = sorted(f"{old}>{new}" for old, targets in moves.items() for new in targets)
    return hashlib.sha256("\n".join(pairs).encode()).hexdigest()[:16]


def guard_states(editor: Editor, table: str, moves: Mapping[Any, Any]) -> None:
    """Refuse any UPDATE of `table.state` that `moves` does not list; terminal states have no exit."""
    pairs = sorted(f"{old}>{new}" for old, targets in moves.items() for new in targets)
    allowed = ", ".join(f"'{pair}'" for pair in pairs)
    name = f"{table}_legal_moves"
    if editor.connection.vendor == "postgresql":
        editor.execute(
            f"""
            CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$
            BEGIN
              IF (OLD.state || '>' || NEW.state) NOT IN ({allowed}) THEN
                RAISE EXCEPTION 'illegal move of {table}: % to %', OLD.state, NEW.state
                  USING ERRCODE = 'check_violation';
              END IF;
              RETURN NEW;
            END $$ LANGUAGE plpgsql""".replace("%", "%%")
        )
        editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        editor.execute(
            f"CREATE TRIGGER {name} BEFORE UPDATE OF state ON {table} FOR EACH ROW"
            f" WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION {name}()"
        )
        return
    editor.execute(f"DROP TRIGGER IF EXISTS {name}")
    editor.execute(
        f"CREATE TRIGGER {name} BEFORE UPDATE OF state ON {table} FOR EACH ROW"
        f" WHEN OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ({allowed})"
        f" BEGIN SELECT RAISE(ABORT, 'illegal move of {table}'); END"
    )


def make_append_only(editor: Editor, table: str) -> None:
    """Refuse UPDATE and DELETE on `table`."""
    for verb in ("UPDATE", "DELETE"):
        name = f"{table}_no_{verb.lower()}"
        if editor.connection.vendor == "postgresql":
            editor.execute(
                f"""
                CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$
                BEGIN
                  RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'check_violation';
                END $$ LANGUAGE plpgsql"""
            )
            editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
            editor.execute(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW"
                f" EXECUTE FUNCTION {name}()"
            )
            continue
        editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        editor.execute(
            f"CREATE TRIGGER {name} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
