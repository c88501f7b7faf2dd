"""The market as far as it is known now, for whoever advises: read quickly or said to be unknown."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from rebalancing.domain.context import MOST_HEADLINES, Fact, MarketContext, Title
from trading.domain.errors import (
    BrokerError,
    BrokerUnsupported,
    ConfigurationError,
    SourceError,
)
from trading.domain.ports import Clock, MarketReader
from trading.domain.sessions import SEOUL
from trading.models import Account
from trading.services.brokers import markets_for
from trading.services.series import newest_vix

__all__ = ["market_context"]

log = structlog.get_logger(__name__)
KOSPI, KOSPI_FACT = "0001", "kospi_change_percent"
VIX_SOURCE = "CBOE, FRED VIXCLS"
CHICAGO, VIX_CLOSE = ZoneInfo("America/Chicago"), time(15, 15)
VIX_KEEPS = timedelta(days=7)


def market_context(account: Account, clock: Clock) -> MarketContext:
    """Facts and headlines. Never raises: what cannot be read is missing, with the reason."""
    today = clock.now().date()
    vix = _vix(today)
    try:
        reader = markets_for(account)
    except (BrokerError, ConfigurationError):
        kospi = Fact(KOSPI_FACT, None, "KIS", missing="context_unreadable")
        return MarketContext((kospi, vix), headlines_missing="context_unreadable")
    facts = (_kospi(reader), vix)
    try:
        titles = _titles(reader, clock.now())
    except BrokerError as error:
        return MarketContext(facts, headlines_missing=_why(error, "headlines"))
    return MarketContext(facts, titles)


def _kospi(reader: MarketReader) -> Fact:
    try:
        now = reader.index(KOSPI)
    except BrokerError as error:
        return Fact(KOSPI_FACT, None, "KIS", missing=_why(error, KOSPI_FACT))
    return Fact(KOSPI_FACT, str(now.change_percent), "KIS", now.at)


def _vix(today: date) -> Fact:
    """The last close in Chicago, with its day: hours old at best, and unknown when it is older than a week."""
    try:
        found = newest_vix(today)
    except ConfigurationError:
        return Fact("vix", None, VIX_SOURCE, missing="context_no_key")
    except SourceError as error:
        log.warning("context_unreadable", name="vix", error=str(error))
        return Fact("vix", None, VIX_SOURCE, missing="context_unreadable")
    if today - found.day > VIX_KEEPS:
        return Fact("vix", None, VIX_SOURCE, missing="context_too_old")
    closed = datetime.combine(found.day, VIX_CLOSE, CHICAGO)
    return Fact("vix", str(found.value), VIX_SOURCE, closed.astimezone(SEOUL))


def _titles(reader: MarketReader, now: datetime) -> tuple[Title, ...]:
    found = reader.headlines()[:MOST_HEADLINES]
    return tuple(Title(one.title, one.source or "KIS", one.at) for one in found if one.at <= now)


def _why(error: BrokerError, name: str) -> str:
    if isinstance(error, BrokerUnsupported):
        return "context_not_offered"
    log.warning("context_unreadable", name=name, error=type(error).__name__)
    return "context_unreadable"
