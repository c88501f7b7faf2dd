"""How fast one key may ask: a sliding second for all calls, a stricter one for the ledger's.

A refused call does not count, so a client that slows down gets through at once.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

__all__ = ["MOCK_RATES", "REAL_RATES", "RateLimiter", "Rates", "UNTHROTTLED"]

WINDOW = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls a second and key; None switches that limit off."""

    calls: int | None
    ledger: int | None


REAL_RATES = Rates(calls=18, ledger=6)
MOCK_RATES = Rates(calls=1, ledger=None)
UNTHROTTLED = Rates(calls=None, ledger=None)


@dataclass
class RateLimiter:
    """Remembers each key's calls of the last second."""

    rates: Rates
    _calls: dict[str, deque[datetime]] = field(default_factory=dict)
    _ledger: dict[str, deque[datetime]] = field(default_factory=dict)

    def check(self, appkey: str, now: datetime, ledger: bool) -> str:
        """The EGW code that refuses this call, or an empty string after counting it."""
        calls = self._recent(self._calls, appkey, now)
        books = self._recent(self._ledger, appkey, now)
        if self.rates.calls is not None and len(calls) >= self.rates.calls:
            return "EGW00201"
        if ledger and self.rates.ledger is not None and len(books) >= self.rates.ledger:
            return "EGW00215"
        calls.append(now)
        if ledger:
            books.append(now)
        return ""

    @staticmethod
    def _recent(table: dict[str, deque[datetime]], key: str, now: datetime) -> deque[datetime]:
        recent = table.setdefault(key, deque())
        while recent and now - recent[0] >= WINDOW:
            recent.popleft()
        return recent
