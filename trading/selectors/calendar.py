"""Which days trade: the built-in calendar, narrowed by the broker's own word."""

from __future__ import annotations

from datetime import date

from trading.domain.sessions import is_session
from trading.models import MarketDay

__all__ = ["is_trading_day"]


def is_trading_day(day: date) -> bool:
    """Open only when the built-in calendar and, where known, the broker both say so.

    A day outside the calendar is closed: trading on an unknown day is the worse mistake.
    """
    try:
        if not is_session(day):
            return False
    except ValueError:
        return False
    word = MarketDay.objects.filter(day=day).only("is_open").first()
    return word is None or word.is_open
