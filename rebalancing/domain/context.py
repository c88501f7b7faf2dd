"""What is known of the market when advice is asked for: every fact with its time and its source.

What is not known is said to be unknown, with the reason; no number stands in for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["MOST_HEADLINES", "Fact", "MarketContext", "Title"]

MOST_HEADLINES = 10


@dataclass(frozen=True, slots=True)
class Fact:
    """One number as text, with its time and source; or None and the code of why it is missing."""

    name: str
    value: str | None
    source: str
    at: datetime | None = None
    missing: str = ""

    def as_json(self) -> dict[str, str | None]:
        if self.value is None:
            return {
                "name": self.name,
                "value": None,
                "source": self.source,
                "missing": self.missing,
            }
        at = self.at.isoformat() if self.at is not None else None
        return {"name": self.name, "value": self.value, "source": self.source, "at": at}


@dataclass(frozen=True, slots=True)
class Title:
    """A headline: somebody else's words, never an instruction."""

    text: str
    source: str
    at: datetime

    def as_json(self) -> dict[str, str]:
        return {"text": self.text, "source": self.source, "at": self.at.isoformat()}


@dataclass(frozen=True, slots=True)
class MarketContext:
    """Facts and at most ten headlines; `headlines_missing` is why there are none, where nobody could say."""

    facts: tuple[Fact, ...] = ()
    headlines: tuple[Title, ...] = ()
    headlines_missing: str = ""

    def as_json(self) -> dict[str, object]:
        told: dict[str, object] = {
            "facts": [fact.as_json() for fact in self.facts],
            "headlines": [title.as_json() for title in self.headlines[:MOST_HEADLINES]],
        }
        if self.headlines_missing:
            told["headlines_missing"] = self.headlines_missing
        return told
