"""Published figures, from the source that the installation has a key for."""

from __future__ import annotations

from datetime import date

from django.conf import settings

from trading.domain.errors import ConfigurationError
from trading.domain.series import Observation
from trading.sources import fred

__all__ = ["newest_vix"]


def newest_vix(until: date) -> Observation:
    """The last close of the VIX up to a day. Raises ConfigurationError without a key, SourceError when it
    cannot be read; takes at most three seconds."""
    if not settings.FRED_API_KEY:
        raise ConfigurationError("set FRED_API_KEY")
    return fred.newest(
        fred.VIX, until, base_url=settings.FRED_BASE_URL, api_key=settings.FRED_API_KEY
    )
