"""Named places where a test may end the process, as a power cut would. Inert outside test settings."""

from __future__ import annotations

import os
import signal

from django.conf import settings

__all__ = ["crashpoint"]


def crashpoint(name: str) -> None:
    """SIGKILL this process when the test armed `name`: `NAME` or `NAME:k` for its k-th passing."""
    if not settings.CRASHPOINTS:
        return
    armed = settings.CRASH_AT
    if not armed:
        return
    wanted, _, nth = armed.partition(":")
    if wanted != name:
        return
    _passed[name] = _passed.get(name, 0) + 1
    if _passed[name] == int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)


_passed: dict[str, int] = {}
