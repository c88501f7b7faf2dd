"""Which processes say they are alive, by role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trading.models import ProcessEpoch

__all__ = ["LivingProcess", "living_processes"]


@dataclass(frozen=True, slots=True)
class LivingProcess:
    role: str
    host: str
    pid: int
    build_id: str
    started_at: datetime


def living_processes(most: int = 20) -> list[LivingProcess]:
    """Processes that began and have not ended, newest first."""
    rows = ProcessEpoch.objects.filter(ended_at=None).order_by("-pk")[:most]
    return [LivingProcess(r.role, r.host, r.pid, r.build_id, r.started_at) for r in rows]
