"""Is the market open for `account` now: the built-in calendar, narrowed by the broker's own word."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import structlog

from trading.domain.errors import BrokerError
from trading.domain.sessions import LAST_START, Calendar, Phase
from trading.models import Account, MarketDay
from trading.selectors.calendar import hours_on, known_calendar
from trading.services.brokers import broker_for
from trading.services.clock import market_clock

__all__ = [
    "LAST_BUY",
    "LAST_START",
    "market_phase",
    "refresh_market_days",
    "run_cutoffs",
]

log = structlog.get_logger(__name__)

LAST_BUY = timedelta(minutes=15)


def market_phase(moment: datetime, calendar: Calendar | None = None) -> Phase:
    """The phase of the regular KRX venue at `moment`; CLOSED on any day that is not surely open.

    `calendar` spares the question where the caller has just asked it.
    """
    try:
        return (calendar or known_calendar()).phase_at(moment)
    except ValueError:
        return Phase.CLOSED


def run_cutoffs(day: date) -> tuple[datetime, datetime, datetime]:
    """(last start of a run, last new buy, close) of `day`: 15:10, 15:15 and 15:30 on ordinary days."""
    close = hours_on(day).close
    return close - LAST_START, close - LAST_BUY, close


def refresh_market_days(account: Account) -> int:
    """Ask the broker for its calendar once a day; returns how many days it answered with."""
    now = market_clock(account).now()
    start_of_day = datetime.combine(now.date(), time.min, tzinfo=now.tzinfo)
    if MarketDay.objects.filter(day=now.date(), read_at__gte=start_of_day).exists():
        return 0
    try:
        words = broker_for(account).market_days(now.date())
    except BrokerError as error:
        log.warning("market_days_unread", error=str(error))
        return 0
    for word in words or ():
        MarketDay.objects.update_or_create(
            day=word.day, defaults={"is_open": word.is_open, "read_at": now}
        )
    return len(words or ())
