"""That a person has just shown who they are a second time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["FRESH", "OWNER_FRESH", "Proof"]

FRESH = timedelta(minutes=5)
"""How long a code lets its person do dangerous things."""
OWNER_FRESH = timedelta(seconds=60)
"""How long where one person both asks and approves on their own account."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A code that was taken: when, by the wall's clock, and whether it was `totp` or `recovery`."""

    at: datetime
    level: str

    def is_fresh(self, now: datetime, within: timedelta = FRESH) -> bool:
        """False for a proof of the future too: a clock was set back."""
        return timedelta(0) <= now - self.at <= within
