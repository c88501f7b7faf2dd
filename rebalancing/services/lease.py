"""One worker at a time drives a run: a lease taken by conditional UPDATE and checked at commit.

Losing the lease does no harm to orders, which have guards of their own; it only saves double reads.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db.models import Case, Q, Value, When
from django.utils import timezone

from rebalancing.domain.states import RunState
from rebalancing.models import Run
from rebalancing.services.news import announce
from trading.domain.errors import StateConflict
from trading.models.prepared import Prepared, PreparedUpdate
from trading.services import epochs
from trading.services.states import record_transition

__all__ = ["Driver", "lease"]

LEASE = timedelta(seconds=45)


class Driver:
    """The right to move one run for a while. `run` is the row as read under the lease."""

    def __init__(self, run: Run, token: str) -> None:
        self.run = run
        self.due_at: datetime | None = None
        """When the next step is due; written when the lease is given back, unless the run has ended."""
        self._token = token

    def move(
        self,
        to: RunState | str,
        *,
        at: datetime,
        by: str = "engine",
        reason: str = "",
        **fields: object,
    ) -> None:
        """Move the run inside a transaction; raises StateConflict when the lease or state was lost."""
        move_run(self.run, to, at=at, by=by, reason=reason, lease_token=self._token, **fields)

    def update(self, **fields: object) -> None:
        """Set fields without moving, under the same condition."""
        hit = Run.objects.filter(pk=self.run.pk, state=self.run.state, lease=self._token).update(
            **fields
        )
        if not hit:
            raise StateConflict("run_moved", run=self.run.pk)
        for name, value in fields.items():
            setattr(self.run, name, value)


def move_run(
    run: Run,
    to: RunState | str,
    *,
    at: datetime,
    by: str,
    reason: str = "",
    lease_token: str | None = None,
    **fields: object,
) -> None:
    """The conditional UPDATE behind every change of a run's state. Raises StateConflict."""
    old = str(run.state)
    rows = Run.objects.filter(pk=run.pk, state=old)
    if lease_token is not None:
        rows = rows.filter(lease=lease_token)
    values = {"state": str(to), "state_since": at, **fields}
    if not rows.update(**values):
        raise StateConflict("run_moved", run=run.pk, expected=old)
    record_transition("run", run.pk, old, str(to), at, by, reason)
    for name, value in values.items():
        setattr(run, name, value)
    announce(run.pk, run.account_id)


@contextmanager
def lease(run_id: int) -> Iterator[Driver | None]:
    """Yield a Driver, or None when somebody alive holds the run."""
    token, wall = secrets.token_hex(16), timezone.now()
    epoch = epochs.current_epoch()
    hit = _TAKE(run=run_id, wall=wall, token=token, until=wall + LEASE, epoch=epoch.pk)
    if not hit and (dead := _dead_holder(run_id)) is not None:
        hit = Run.objects.filter(pk=run_id, terminal_at=None, lease_epoch=dead).update(
            lease=token, lease_until=wall + LEASE, lease_epoch=epoch.pk
        )
    if not hit:
        yield None
        return
    driver = Driver(_RUN.first(run=run_id), token)
    try:
        yield driver
    finally:
        if driver.due_at is None:
            _GIVE_BACK(run=run_id, token=token)
        else:
            _GIVE_BACK_DUE(run=run_id, token=token, due=driver.due_at)


_RUN = Prepared(
    lambda value: Run.objects.filter(pk=value.run).select_related("account", "config"), run=int
)
_TAKE = PreparedUpdate(
    lambda value: (
        Run.objects.filter(
            Q(lease="") | Q(lease_until__lt=value.wall) | Q(lease_until__isnull=True),
            pk=value.run,
            terminal_at=None,
        ),
        {"lease": value.token, "lease_until": value.until, "lease_epoch": value.epoch},
    ),
    run=int,
    wall=datetime,
    token=str,
    until=datetime,
    epoch=int,
)
_GIVE_BACK = PreparedUpdate(
    lambda value: (
        Run.objects.filter(pk=value.run, lease=value.token),
        {"lease": "", "lease_until": None},
    ),
    run=int,
    token=str,
)
_GIVE_BACK_DUE = PreparedUpdate(
    lambda value: (
        Run.objects.filter(pk=value.run, lease=value.token),
        {
            "lease": "",
            "lease_until": None,
            "due_at": Case(When(terminal_at=None, then=Value(value.due))),
        },
    ),
    run=int,
    token=str,
    due=datetime,
)


def _dead_holder(run_id: int) -> int | None:
    """The epoch that holds the lease, if its process is proven to have ended."""
    holder = Run.objects.filter(pk=run_id).values_list("lease_epoch", flat=True).first()
    return holder if holder is not None and epochs.has_ended(holder) else None
