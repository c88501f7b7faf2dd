"""Figures that somebody publishes day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

__all__ = ["Observation"]


@dataclass(frozen=True, slots=True)
class Observation:
    """What `series` was on `day`, as its source published it."""

    series: str
    day: date
    value: Decimal
