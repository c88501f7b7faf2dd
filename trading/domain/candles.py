"""Candles: what an instrument did in a day or a minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

__all__ = ["Candle", "MinuteCandle"]


@dataclass(frozen=True, slots=True)
class Candle:
    """A session. Prices in won, volume in shares, turnover in won. `is_final` is False while the session
    it tells of may still change."""

    ticker: str
    day: date
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int
    is_final: bool = True


@dataclass(frozen=True, slots=True)
class MinuteCandle:
    """The minute that began at `at` (aware, Seoul). `is_final` is False while it is forming."""

    ticker: str
    at: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int
    is_final: bool = True
