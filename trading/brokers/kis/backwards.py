"""Rows that the broker tells a page at a time, the newest first, made one chain with the oldest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import TypeVar

from trading.domain.errors import BrokerGarbled

__all__ = ["PAGES", "backwards"]

PAGES = 200
Row = TypeVar("Row")
Moment = TypeVar("Moment", date, datetime)


def backwards(
    page: Callable[[Moment], Iterable[Row]],
    when: Callable[[Row], Moment],
    since: Moment,
    until: Moment,
    step: timedelta,
) -> list[Row]:
    """Every row from `since` to `until`; `page(last)` tells rows up to `last`, as many as it likes.

    A row told twice counts once, the first time it is told; what lies outside is left out. Raises
    BrokerGarbled when the pages never end.
    """
    found: dict[Moment, Row] = {}
    last = until
    for _page in range(PAGES):
        fresh: dict[Moment, Row] = {}
        for row in page(last):
            at = when(row)
            if since <= at <= last:
                fresh.setdefault(at, row)
        found |= fresh
        if not fresh:
            break
        last = min(found) - step
        if last < since:
            break
    else:
        raise BrokerGarbled(f"the pages back from {until} never end")
    return [found[at] for at in sorted(found)]
