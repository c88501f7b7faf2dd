"""Lives of processes: who is sending, which build, and whether the sender has ended."""

from __future__ import annotations

import os
import socket
import threading

from django.conf import settings
from django.utils import timezone

from trading.models import ProcessEpoch
from trading.models.prepared import Prepared

__all__ = ["close_dead_epochs", "current_epoch", "end_epoch", "has_ended", "is_of_this_machine"]

_lock = threading.Lock()
_epoch: ProcessEpoch | None = None
_epoch_pid = 0


def current_epoch(role: str = "process") -> ProcessEpoch:
    """This process's row, made at its first use; a forked child gets its own."""
    global _epoch, _epoch_pid
    with _lock:
        if _epoch is None or _epoch_pid != os.getpid():
            _epoch = ProcessEpoch.objects.create(
                host=socket.gethostname(),
                pid=os.getpid(),
                role=role,
                build_id=settings.BUILD_ID,
                started_at=timezone.now(),
            )
            _epoch_pid = os.getpid()
        return _epoch


def forget_epoch() -> None:
    """Start a new life in the same process (tests)."""
    global _epoch
    with _lock:
        _epoch = None


def end_epoch() -> None:
    if _epoch is not None and _epoch_pid == os.getpid():
        ProcessEpoch.objects.filter(pk=_epoch.pk, ended_at=None).update(ended_at=timezone.now())


def close_dead_epochs() -> list[int]:
    """Close the rows of this host whose process is gone; returns their ids."""
    closed = []
    for row in _OTHERS(host=socket.gethostname(), pid=os.getpid()):
        if not _is_alive(row):
            ProcessEpoch.objects.filter(pk=row.pk, ended_at=None).update(ended_at=timezone.now())
            closed.append(row.pk)
    return closed


_OTHERS = Prepared(
    lambda value: ProcessEpoch.objects.filter(ended_at=None, host=value.host).exclude(
        pid=value.pid
    ),
    host=str,
    pid=int,
)


def has_ended(epoch_id: int) -> bool:
    """True when the process is proven to have ended, so that nothing of it is still being sent."""
    row = ProcessEpoch.objects.get(pk=epoch_id)
    if row.ended_at is not None:
        return True
    if row.host != socket.gethostname() or _is_alive(row):
        return False
    ProcessEpoch.objects.filter(pk=row.pk, ended_at=None).update(ended_at=timezone.now())
    return True


def is_of_this_machine(epoch_id: int) -> bool:
    """Whether `has_ended` can tell a process that died from one that lives."""
    return ProcessEpoch.objects.filter(pk=epoch_id, host=socket.gethostname()).exists()


def _is_alive(row: ProcessEpoch) -> bool:
    """Whether the pid still belongs to the process of `row`: a reused pid started later."""
    if row.pid == os.getpid():
        return _epoch is not None and _epoch.pk == row.pk
    try:
        os.kill(row.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        started = os.stat(f"/proc/{row.pid}").st_ctime
    except OSError:
        return True
    return started <= row.started_at.timestamp() + 1
