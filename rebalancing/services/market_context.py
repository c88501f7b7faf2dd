"""The market as far as it is known now, for whoever advises: read quickly or said to be unknown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog

from rebalancing.domain.context import MOST_HEADLINES, Fact, MarketContext, Title
from trading.domain.errors import BrokerError, BrokerUnsupported, ConfigurationError
from trading.domain.ports import Clock, MarketReader
from trading.models import Account
from trading.services.brokers import markets_for

__all__ = ["market_context"]

log = structlog.get_logger(__name__)
KOSPI = "0001"
Provider = Callable[[MarketReader], Fact]


def market_context(account: Account, clock: Clock) -> MarketContext:
    """Facts and headlines. Never raises: what cannot be read is missing, with the reason."""
    try:
        reader = markets_for(account)
    except (BrokerError, ConfigurationError):
        missing = [Fact(name, None, "KIS", missing="context_unreadable") for name in _FACTS]
        return MarketContext(tuple(missing), headlines_missing="context_unreadable")
    facts = tuple(_read(partial(provider, reader), name) for name, provider in _FACTS.items())
    try:
        titles = _titles(reader, clock.now())
    except BrokerError as error:
        return MarketContext(facts, headlines_missing=_why(error, "headlines"))
    return MarketContext(facts, titles)


def _kospi(reader: MarketReader) -> Fact:
    now = reader.index(KOSPI)
    return Fact("kospi_change_percent", str(now.change_percent), "KIS", now.at)


def _vix(_reader: MarketReader) -> Fact:
    """Nothing collects it yet; a number would be made up."""
    return Fact("vix", None, "CBOE", missing="context_no_collector")


_FACTS: dict[str, Provider] = {"kospi_change_percent": _kospi, "vix": _vix}


def _read(ask: Callable[[], Fact], name: str) -> Fact:
    try:
        return ask()
    except BrokerError as error:
        return Fact(name, None, "KIS", missing=_why(error, name))


def _titles(reader: MarketReader, now: datetime) -> tuple[Title, ...]:
    found = reader.headlines()[:MOST_HEADLINES]
    return tuple(Title(one.title, one.source or "KIS", one.at) for one in found if one.at <= now)


def _why(error: BrokerError, name: str) -> str:
    if isinstance(error, BrokerUnsupported):
        return "context_not_offered"
    log.warning("context_unreadable", name=name, error=type(error).__name__)
    return "context_unreadable"
