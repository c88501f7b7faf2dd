"""The market's clock: the wall's, or the simulator's for an account that lives on it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import httpx2
import structlog
from django.conf import settings

from trading.domain.errors import ConfigurationError
from trading.domain.ports import Clock
from trading.models import Account

__all__ = [
    "SEOUL",
    "SimulatedClock",
    "WallClock",
    "has_two_clocks",
    "market_clock",
    "simulated_clock",
    "wall_seconds",
]

SEOUL = ZoneInfo("Asia/Seoul")
RESYNC_SECONDS = 2.0
log = structlog.get_logger(__name__)


class WallClock:
    """Seoul time by this machine's clock."""

    def now(self) -> datetime:
        return datetime.now(SEOUL)


@dataclass(frozen=True, slots=True)
class _Reading:
    at: datetime
    speed: float
    monotonic: float

    def now(self) -> datetime:
        return self.at + timedelta(seconds=(time.monotonic() - self.monotonic) * self.speed)


class SimulatedClock:
    """The simulator's clock, read over its control port and carried on between readings.

    A stepped clock is read every time. While the simulator does not answer, the last reading goes on,
    so that deadlines still pass; before the first reading there is no time and ConfigurationError says so.
    """

    def __init__(self, url: str, http: httpx2.Client | None = None) -> None:
        self._url = url
        self._http = http or httpx2.Client(timeout=httpx2.Timeout(2.0))
        self._reading: _Reading | None = None
        self._lock = threading.Lock()

    def now(self) -> datetime:
        reading = self._reading
        if reading is None or self._is_stale(reading):
            with self._lock:
                reading = self._reading
                if reading is None or self._is_stale(reading):
                    reading = self._read() or reading
                    self._reading = reading
        if reading is None:
            raise ConfigurationError(
                "the simulator's clock does not answer; start it or unset SIM_CLOCK_URL"
            )
        return reading.now()

    @property
    def speed(self) -> float:
        """Seconds of this clock in one of the wall's; 0 for a stepped one."""
        self.now()
        return self._reading.speed if self._reading is not None else 1.0

    @staticmethod
    def _is_stale(reading: _Reading) -> bool:
        return reading.speed == 0 or time.monotonic() - reading.monotonic > RESYNC_SECONDS

    def _read(self) -> _Reading | None:
        started = time.monotonic()
        try:
            found = self._http.get(self._url).json()
            at = datetime.fromisoformat(found["vt"]).astimezone(SEOUL)
            speed = float(found["speed"])
        except (httpx2.HTTPError, ValueError, KeyError, TypeError):
            log.warning("simulated_clock_silent")
            return None
        return _Reading(at, speed, (started + time.monotonic()) / 2)


@cache
def simulated_clock(url: str) -> SimulatedClock:
    return SimulatedClock(url)


def market_clock(account: Account) -> Clock:
    """The clock that decides sessions, ages and deadlines for `account`."""
    if account.environment == Account.Environment.SIM and settings.SIM_CLOCK_URL:
        return simulated_clock(settings.SIM_CLOCK_URL)
    return WallClock()


def has_two_clocks() -> bool:
    """True where accounts of this process may live on the simulator's clock: a moment of the wall's is then
    marked as such, beside theirs."""
    return bool(settings.SIM_CLOCK_URL)


def wall_seconds(account: Account, market: timedelta) -> float:
    """How long `market` time of the account's clock lasts for a person; a stepped clock stands still."""
    clock = market_clock(account)
    speed = clock.speed if isinstance(clock, SimulatedClock) else 1.0
    return market.total_seconds() / max(speed, 1.0)
