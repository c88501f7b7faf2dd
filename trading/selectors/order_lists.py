"""How old our newest whole reading of the broker's order list is."""

from __future__ import annotations

from datetime import datetime, timedelta

from trading.models import Enumeration
from trading.models.prepared import Prepared

__all__ = ["FRESH", "LIST_AGE", "newest_whole_list"]

FRESH = timedelta(seconds=3)
"""A reading this young may be acted on, however long it took: a slow list is as good as a quick one,
and no list is worth waiting for for ever."""
LIST_AGE = timedelta(seconds=60)
"""A reading that was made for one act may be acted on until then: a fast clock must not outrun it."""


def newest_whole_list(account_id: int, now: datetime) -> datetime | None:
    """When the newest complete reading ended; None without one."""
    found: datetime | None = _NEWEST.first(account=account_id, now=now)
    return found


_NEWEST = Prepared(
    lambda value: (
        Enumeration.objects.filter(account=value.account, complete=True, ended_at__lte=value.now)
        .order_by("-id")
        .values_list("ended_at", flat=True)[:1]
    ),
    account=int,
    now=datetime,
)
