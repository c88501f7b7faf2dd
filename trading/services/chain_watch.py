"""Watches the audit chain: what was added since the last look, and all of it once an hour.

A chain that does not follow means that somebody wrote into the record past the application: everything
stops until a person has looked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings

from trading.domain import audit as chain
from trading.models import Account, Alert, AuditEntry, AuditHead
from trading.services.alerts import alert
from trading.services.anchors import drop_anchor, lost_anchor
from trading.services.switches import GLOBAL, engage, file_state

__all__ = ["ChainWatch", "forget_chain", "stop_when_the_chain_breaks"]

log = structlog.get_logger(__name__)

WHOLE_EVERY_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Mark:
    """The last row that was found to follow."""

    seq: int = 0
    hash: str = ""


class ChainWatch:
    """One process's memory of how far it has read. Not shared: each process trusts its own reading."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.forget()

    def forget(self) -> None:
        """Read the whole chain at the next look."""
        self._mark = Mark()
        self._whole_at = self._monotonic()

    def next_break(self) -> int | None:
        """The first row since the last look that does not follow, or None."""
        if self._monotonic() - self._whole_at >= WHOLE_EVERY_SECONDS:
            self.forget()
        any_row = AuditEntry.objects.exists()
        # the head first: it moves in the transaction of its row, so all rows up to it are there
        head = AuditHead.objects.filter(pk=1).first()
        if head is None:
            return 1 if any_row else None
        broken = _first_break(self._mark, Mark(head.seq, head.hash))
        self._mark = Mark(head.seq, head.hash)  # beyond a break nothing is proven; it is known now
        return broken


def _first_break(mark: Mark, head: Mark) -> int | None:
    if head.seq < mark.seq:
        return head.seq + 1
    if mark.seq and not AuditEntry.objects.filter(seq=mark.seq, hash=mark.hash).exists():
        return mark.seq
    entries = AuditEntry.objects.filter(seq__gt=mark.seq, seq__lte=head.seq).order_by("seq")
    last = mark
    for entry in entries.iterator():
        row = chain.AuditRow(
            entry.seq,
            entry.at,
            entry.actor,
            entry.action,
            entry.object,
            entry.payload_hash,
            entry.key_id,
            entry.prev_hash,
            entry.hash,
        )
        whole = chain.payload_hash(entry.payload) == entry.payload_hash
        if not whole or not chain.follows(settings.AUDIT_KEY, row, last.seq, last.hash):
            return last.seq + 1
        last = Mark(entry.seq, entry.hash)
    return None if last == head else last.seq + 1


_watch = ChainWatch()


def forget_chain() -> None:
    """The database behind this process is another one: what was read of the old one proves nothing."""
    _watch.forget()


def stop_when_the_chain_breaks(watch: ChainWatch = _watch) -> int | None:
    """Halt everything when the audit chain does not follow, or is not the one that was anchored outside the
    database; returns the row, once for each break.

    A release after a person has looked holds: the same break does not stop again.
    """
    broken = watch.next_break()
    if broken is not None and _is_new("audit_broken", broken):
        return _stop("audit_broken", broken, f"the audit chain breaks at row {broken}")
    lost = lost_anchor()
    if lost is None:
        drop_anchor()
    elif _is_new("audit_lost", lost):
        return _stop("audit_lost", lost, f"the audit chain is not the one anchored at row {lost}")
    elif _was_looked_at("audit_lost", lost):
        drop_anchor()  # from here on the chain that is there now counts
    return None


def _is_new(code: str, seq: int) -> bool:
    return not Alert.objects.filter(code=code, facts__seq=seq).exists()


def _was_looked_at(code: str, seq: int) -> bool:
    return not Alert.objects.filter(code=code, facts__seq=seq, acknowledged_at=None).exists()


def _stop(code: str, seq: int, reason: str) -> int:
    log.error(code, seq=seq)
    for account in Account.objects.filter(is_active=True):
        alert(
            code, severity=Alert.Severity.PAGE, account=account, repeat_after=timedelta(0), seq=seq
        )
    if file_state() != "HALTED":
        engage(GLOBAL, "HALTED", "system", reason)
    return seq
