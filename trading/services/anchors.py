"""Anchors of the audit chain: its head every ten minutes in a file outside the database.

The key alone does not protect the end of the chain: who has it, or who puts an older database back, has a
chain that follows. Against what was written down elsewhere such a chain is shorter, or another one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import structlog
from django.conf import settings
from django.utils import timezone

from trading.domain.audit import Anchor, anchor_of, key_id
from trading.models import Account, Alert, AuditEntry, AuditHead
from trading.services.alerts import alert

__all__ = ["anchors", "drop_anchor", "lost_anchor", "missed_anchors"]

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=10)
AGAIN = timedelta(minutes=15)
_TAIL = 4096


def anchors() -> Iterator[Anchor]:
    """Every anchor, oldest first; none where the file does not exist yet.

    Raises OSError where it cannot be read, ValueError for a line that is no anchor. A last line without an
    end was cut by a loss of power and is left out.
    """
    path = Path(settings.AUDIT_ANCHORS)
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from (anchor_of(line) for line in file if line.endswith("\n"))


def _last() -> Anchor | None:
    path = Path(settings.AUDIT_ANCHORS)
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        lines = file.read().split(b"\n")[:-1]
    return anchor_of(lines[-1].decode()) if lines else None


def lost_anchor() -> int | None:
    """The row of the newest anchor, when the chain has it no more or has another one there."""
    try:
        last = _last()
    except (OSError, ValueError) as error:
        _unreachable(error)
        return None
    return None if last is None or _holds(last) else last.seq


def missed_anchors() -> list[Anchor]:
    """Every anchor that the chain does not hold, and so what was cut off or written anew."""
    missed: list[Anchor] = []
    rest = anchors()
    while some := list(islice(rest, 500)):
        rows = AuditEntry.objects.filter(seq__in=[one.seq for one in some])
        hashes = dict(rows.values_list("seq", "hash"))
        missed += [one for one in some if hashes.get(one.seq) != one.hash]
    return missed


def _holds(anchor: Anchor) -> bool:
    return AuditEntry.objects.filter(seq=anchor.seq, hash=anchor.hash).exists()


def drop_anchor(now: datetime | None = None) -> bool:
    """Write the head down when it moved and ten minutes have passed; true when it was written.

    A file that cannot be written is paged, again every quarter hour. The chain goes on, and the next anchor
    that can be written covers all of it.
    """
    now = now or timezone.now()
    head = AuditHead.objects.filter(pk=1).first()
    try:
        last = _last()
        if head is None or not _is_due(last, head, now):
            return False
        _append(Anchor(now.isoformat(), head.seq, head.hash, key_id(settings.AUDIT_KEY)))
    except (OSError, ValueError) as error:
        _unreachable(error)
        return False
    return True


def _is_due(last: Anchor | None, head: AuditHead, now: datetime) -> bool:
    if head.seq == 0 or (last is not None and last.seq == head.seq):
        return False
    return last is None or now - datetime.fromisoformat(last.at) >= EVERY


def _append(anchor: Anchor) -> None:
    """One line, on the disk when this returns. A line that a loss of power cut before is taken away first."""
    path = Path(settings.AUDIT_ANCHORS)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        cut = file.read().rpartition(b"\n")[2]
        file.truncate(size - len(cut))
        file.write(f"{anchor.line()}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def _unreachable(error: Exception) -> None:
    log.error("anchor_unreachable", error=type(error).__name__)
    for account in Account.objects.filter(is_active=True):
        alert(
            "anchor_unreachable",
            severity=Alert.Severity.PAGE,
            account=account,
            repeat_after=AGAIN,
            path=str(settings.AUDIT_ANCHORS),
        )
