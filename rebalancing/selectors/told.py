"""One sentence of a story with the row that says so, and how its numbers are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model

from trading.selectors.words import shown

__all__ = ["Told", "count", "won"]


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence, when it happened by the market's clock, and the row that says so."""

    text: str
    row: Model
    at: datetime | None = None


def won(amount: int) -> str:
    return shown("won", amount)


def count(number: int) -> str:
    return shown("quantity", number)
