"""What SQLite does with two writers: the second waits, it does not fail."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.db.utils import ConnectionHandler

from config.settings.base import _SQLITE

ROUNDS, WRITERS = 10, 2


def test_two_that_read_and_then_write_wait_for_each_other(
    tmp_path: Path, django_db_blocker: Any
) -> None:
    """A transaction that begins as a reader loses at once when another wrote after its reading; an
    order's record would be lost with it."""
    with django_db_blocker.unblock():  # a database of its own: nobody else's is touched
        assert counted_by_two(tmp_path / "two.sqlite3") == ROUNDS * WRITERS


def counted_by_two(path: Path) -> int:
    place = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}
    handler = ConnectionHandler({"default": place | {"OPTIONS": dict(_SQLITE)}})
    first = handler["default"]
    with first.cursor() as cursor:
        cursor.execute("CREATE TABLE counted (n INTEGER)")
        cursor.execute("INSERT INTO counted VALUES (0)")

    def write(_number: int) -> None:
        mine = handler["default"]  # each thread has a connection of its own
        try:
            for _ in range(ROUNDS):
                mine.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
                with mine.cursor() as cursor:
                    cursor.execute("SELECT n FROM counted")
                    (seen,) = cursor.fetchone()
                    time.sleep(0.01)
                    cursor.execute("UPDATE counted SET n = %s", [seen + 1])
                mine.commit()
                mine.set_autocommit(True)
        finally:
            mine.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    with first.cursor() as cursor:
        cursor.execute("SELECT n FROM counted")
        (found,) = cursor.fetchone()
    first.close()
    return int(found)
