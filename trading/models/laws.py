"""Triggers that hold in the database what no code may undo: legal moves of states, an unchangeable record.

The SQL is built from the domain's own transition tables, for SQLite and PostgreSQL alike. When a table
changes, a new migration calls `guard_states` again and names the new `fingerprint`; a test compares.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = [
    "chain_ledger",
    "fingerprint",
    "freeze_columns",
    "guard_states",
    "guard_values",
    "keep_rows",
    "make_append_only",
    "require_birth",
    "require_whole",
]

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
    _refuse_verbs(editor, table, ("UPDATE", "DELETE"))


def keep_rows(editor: Editor, table: str) -> None:
    """Refuse DELETE on `table`; what may be changed in its rows other laws say."""
    _refuse_verbs(editor, table, ("DELETE",))


def _refuse_verbs(editor: Editor, table: str, verbs: Iterable[str]) -> None:
    for verb in verbs:
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


def _refuse(editor: Editor, table: str, name: str, timing: str, condition: str, why: str) -> None:
    """A trigger `name` that refuses a row of `table` for which `condition` (NEW and OLD) holds."""
    if editor.connection.vendor == "postgresql":
        editor.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$ BEGIN"
            f" IF {condition} THEN RAISE EXCEPTION '{why}' USING ERRCODE = 'check_violation';"
            " END IF; RETURN NEW; END $$ LANGUAGE plpgsql".replace("%", "%%")
        )
        editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        editor.execute(
            f"CREATE TRIGGER {name} {timing} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
        return
    editor.execute(f"DROP TRIGGER IF EXISTS {name}")
    editor.execute(
        f"CREATE TRIGGER {name} {timing} ON {table} FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{why}'); END"
    )


def guard_values(editor: Editor, table: str, column: str, values: Iterable[str]) -> None:
    """Refuse any row of `table` whose `column` is none of `values`, new or changed."""
    known = ", ".join(f"'{value}'" for value in sorted(values))
    for verb in ("INSERT", "UPDATE"):
        _refuse(
            editor, table, f"{table}_{column}_known_{verb.lower()}", f"BEFORE {verb}",
            f"NEW.{column} NOT IN ({known})", f"{table}.{column} is not a known value",
        )  # fmt: skip


def freeze_columns(
    editor: Editor, table: str, columns: Iterable[str], unless: str = "", named: str = "frozen"
) -> None:
    """Refuse any change of `columns`; `unless` is a condition on OLD under which they may still change.

    A table has one law of each name: further ones are `named` differently.
    """
    changed = " OR ".join(f"OLD.{c} IS DISTINCT FROM NEW.{c}" for c in columns)
    if editor.connection.vendor != "postgresql":
        changed = changed.replace("IS DISTINCT FROM", "IS NOT")
    condition = f"({changed})" + (f" AND NOT ({unless})" if unless else "")
    _refuse(
        editor, table, f"{table}_{named}", "BEFORE UPDATE", condition,
        f"what {table} says does not change any more",
    )  # fmt: skip


def require_whole(editor: Editor, table: str, version: str, weights: str) -> None:
    """Refuse a row of `table` that names, in `version`, one whose rows in `weights` are not 100 together."""
    _refuse(
        editor, table, f"{table}_{version}_whole", "BEFORE INSERT",
        f"(SELECT COALESCE(SUM(weight), 0) FROM {weights}"  # noqa: S608  # nosec B608
        f" WHERE version_id = NEW.{version})"
        " NOT BETWEEN 99.999 AND 100.001",
        f"the weights that {table} names do not sum to 100",
    )  # fmt: skip


def require_birth(editor: Editor, table: str, states: Iterable[str]) -> None:
    """Refuse a new row of `table` that claims to be past its beginning."""
    first = ", ".join(f"'{state}'" for state in sorted(states))
    _refuse(
        editor, table, f"{table}_born", "BEFORE INSERT",
        f"NEW.state NOT IN ({first})", f"a new row of {table} is at its beginning",
    )  # fmt: skip


def chain_ledger(editor: Editor, table: str, orders: str) -> None:
    """Refuse a step of fills that does not begin where the order's last one ended, or ends beyond the
    order's quantity."""
    booked = f"(SELECT COALESCE(MAX(cum_after), 0) FROM {table} WHERE order_id = NEW.order_id)"  # noqa: S608  # nosec B608
    ordered = f"(SELECT quantity FROM {orders} WHERE id = NEW.order_id)"  # noqa: S608  # nosec B608
    _refuse(
        editor, table, f"{table}_chain", "BEFORE INSERT",
        f"NEW.cum_before <> {booked} OR NEW.cum_after > {ordered}",
        f"a row of {table} continues its order",
    )  # fmt: skip
