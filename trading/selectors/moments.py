"""How a moment is written for programs: everywhere the same, whichever clock it was read from."""

from __future__ import annotations

from datetime import datetime
from typing import overload

from trading.domain.sessions import SEOUL

__all__ = ["told_at"]


@overload
def told_at(moment: datetime) -> str: ...
@overload
def told_at(moment: None) -> None: ...
def told_at(moment: datetime | None) -> str | None:
    """ISO 8601 in Korean time. A row that was just made holds the market's clock, one that was read back
    holds UTC, and the same moment must be the same text in both."""
    return moment.astimezone(SEOUL).isoformat() if moment is not None else None
