"""The database under a storm: a file put back for each seed, or one that PostgreSQL makes from a template."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["storm_place"]

Empty = Callable[[], None]
SCRATCH, BORN = "jeoul_storm", "jeoul_storm_born"


@contextmanager
def storm_place(postgres: bool) -> Iterator[Empty]:
    """Set Django up, once a process, and give what makes the database as it was when it was migrated.

    `postgres`: on the server of DATABASE_URL where that is set, in databases of its own; else on one that is
    started for it. Nothing that was there before is touched.
    """
    from benchmarks.place import django_place

    with ExitStack() as stack:
        if not postgres:
            stack.enter_context(django_place())
            _nobody_signs_in()
            yield _file()
            return
        url, redis_url = _servers(stack)
        _ask(url, f"DROP DATABASE IF EXISTS {SCRATCH} WITH (FORCE)", f"CREATE DATABASE {SCRATCH}")
        scratch = urlsplit(url)._replace(path=f"/{SCRATCH}").geturl()
        stack.enter_context(django_place({"DATABASE_URL": scratch, "REDIS_URL": redis_url}))
        _nobody_signs_in()
        yield _template(url)


def _servers(stack: ExitStack) -> tuple[str, str]:
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres") and os.environ.get("REDIS_URL"):
        return given, os.environ["REDIS_URL"]
    from tests.support.servers import private_servers

    servers = stack.enter_context(private_servers())
    return servers.database_url, servers.redis_url


def _nobody_signs_in() -> None:
    """A hash that is slow on purpose would be a sixth of a day's time."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def _file() -> Empty:
    """A storm kills processes and never the machine: what is committed need not reach the disk."""
    from django.db import connection

    connection.close()
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]
    options["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
    path = Path(str(connection.settings_dict["NAME"]))
    contents = path.read_bytes()

    def empty() -> None:
        connection.close()
        for left in ("-wal", "-shm"):
            path.with_name(path.name + left).unlink(missing_ok=True)
        path.write_bytes(contents)

    return empty


def _template(url: str) -> Empty:
    from django.db import connection

    def away() -> None:
        """Nobody may be connected to a database that is copied or dropped."""
        connection.close()
        connection.close_pool()

    away()
    _ask(
        url,
        f"DROP DATABASE IF EXISTS {BORN} WITH (FORCE)",
        f"CREATE DATABASE {BORN} TEMPLATE {SCRATCH}",
    )

    def empty() -> None:
        away()
        _ask(
            url,
            f"DROP DATABASE IF EXISTS {SCRATCH} WITH (FORCE)",
            f"CREATE DATABASE {SCRATCH} TEMPLATE {BORN}",
        )

    return empty


def _ask(url: str, *statements: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]
