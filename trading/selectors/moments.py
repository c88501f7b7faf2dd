"""How a moment is written, for programs and for people: everywhere the same, whichever clock it is of."""

from __future__ import annotations

from datetime import datetime
from typing import overload

from django.utils.translation import gettext as _

from trading.domain.sessions import SEOUL

__all__ = ["moment_said", "told_at", "wall_moment_said"]


def moment_said(moment: datetime | None) -> str:
    """2026-12-01 09:37:45 in Korean time, as every record and history shows it; a dash where there is none."""
    return f"{moment.astimezone(SEOUL):%Y-%m-%d %H:%M:%S}" if moment is not None else "–"


def wall_moment_said(moment: datetime | None) -> str:
    """A moment of the wall's clock where the page's own clock is another one."""
    said = moment_said(moment)
    return said if moment is None else _("%(at)s (실제 시각)") % {"at": said}


@overload
def told_at(moment: datetime) -> str: ...
@overload
def told_at(moment: None) -> None: ...
def told_at(moment: datetime | None) -> str | None:
    """ISO 8601 in Korean time. A row that was just made holds the market's clock, one that was read back
    holds UTC, and the same moment must be the same text in both."""
    return moment.astimezone(SEOUL).isoformat() if moment is not None else None
