"""Candles and many prices at once from KIS: dates are moved to page, nothing of another day is let in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from trading.brokers.kis import parsing
from trading.brokers.kis.backwards import backwards
from trading.brokers.kis.client import KisClient
from trading.brokers.kis.many import read_many
from trading.domain.candles import Candle, MinuteCandle
from trading.domain.errors import BrokerGarbled, BrokerUnsupported
from trading.domain.ports import Clock
from trading.domain.quotes import Glance

__all__ = ["KisHistory"]

SEOUL = ZoneInfo("Asia/Seoul")
CLOSE = time(15, 30)
AT_ONCE = 30
ADJUSTED, RAW = "0", "1"


class KisHistory:
    """Reads of the past and of many instruments. Raises BrokerError; BrokerGarbled when rows contradict
    each other or themselves."""

    def __init__(self, client: KisClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def daily(
        self, ticker: str, since: date, until: date, *, adjusted: bool = True
    ) -> list[Candle]:
        """Sessions from `since` to `until`, the oldest first, without days that had no trade."""

        def page(last: date) -> list[Candle]:
            params = self._of(ticker) | {
                "FID_INPUT_DATE_1": f"{since:%Y%m%d}",
                "FID_INPUT_DATE_2": f"{last:%Y%m%d}",
                "FID_PERIOD_DIV_CODE": "D",
                "FID_ORG_ADJ_PRC": ADJUSTED if adjusted else RAW,
            }
            body = self._client.read("inquire_daily_itemchartprice", params).body
            return [self._candle(ticker, row) for row in _filled(body, "output2")]

        return backwards(page, lambda candle: candle.day, since, until, timedelta(days=1))

    def minutes(self, ticker: str, day: date) -> list[MinuteCandle]:
        """Every minute of a session so far, the oldest first.

        Raises BrokerUnsupported for a past day where the environment offers none.
        """
        today = self._clock.now().astimezone(SEOUL).date() == day
        if not today and not self._client.offers("inquire_time_dailychartprice"):
            raise BrokerUnsupported("minutes of past days are not offered in this environment")
        return backwards(
            lambda upto: self._minute_page(ticker, day, upto, today),
            lambda minute: minute.at,
            datetime.combine(day, time(), SEOUL),
            self._last_minute(day),
            timedelta(minutes=1),
        )

    def glances(self, tickers: Sequence[str]) -> list[Glance]:
        """The last prices of many instruments, thirty to a call, in the order asked for.

        Raises BrokerUnsupported where the environment offers none, BrokerGarbled when one is missing.
        """
        if not self._client.offers("intstock_multprice"):
            raise BrokerUnsupported("many prices at once are not offered in this environment")
        asked = [_of_many(tickers[n : n + AT_ONCE]) for n in range(0, len(tickers), AT_ONCE)]
        found: dict[str, Glance] = {}
        for at, answer in read_many(self._client, "intstock_multprice", asked, self._clock.now):
            for row in parsing.rows(answer.body, "output"):
                glance = _glance(row, at)
                found[glance.ticker] = glance
        missing = [ticker for ticker in tickers if ticker not in found]
        if missing:
            raise BrokerGarbled(f"no price for {', '.join(missing[:5])}")
        return [found[ticker] for ticker in tickers]

    def _last_minute(self, day: date) -> datetime:
        """The minute to begin with: the present one today, one after every close on other days."""
        now = self._clock.now().astimezone(SEOUL).replace(second=0, microsecond=0)
        late = datetime.combine(day, time(18, 0), SEOUL)
        return min(now, late) if now.date() == day else late

    def _minute_page(
        self, ticker: str, day: date, upto: datetime, today: bool
    ) -> Iterator[MinuteCandle]:
        params = self._of(ticker) | {
            "FID_INPUT_HOUR_1": f"{upto:%H%M%S}",
            "FID_PW_DATA_INCU_YN": "N",
        }
        if today:
            name, params = "inquire_time_itemchartprice", params | {"FID_ETC_CLS_CODE": ""}
        else:
            name = "inquire_time_dailychartprice"
            params |= {"FID_INPUT_DATE_1": f"{day:%Y%m%d}", "FID_FAKE_TICK_INCU_YN": ""}
        now = self._clock.now()
        for row in _filled(self._client.read(name, params).body, "output2"):
            at = _minute(row)
            prices = _prices(row, "stck_prpr")
            yield MinuteCandle(
                ticker,
                at,
                *prices,
                volume=_volume(row, "cntg_vol"),
                is_final=now >= at + timedelta(minutes=1),
            )

    def _candle(self, ticker: str, row: Mapping[str, Any]) -> Candle:
        day = parsing.day(row, "stck_bsop_date")
        now = self._clock.now().astimezone(SEOUL)
        return Candle(
            ticker,
            day,
            *_prices(row, "stck_clpr"),
            volume=_volume(row, "acml_vol"),
            turnover=_volume(row, "acml_tr_pbmn"),
            is_final=day < now.date(),
        )

    @staticmethod
    def _of(ticker: str) -> dict[str, str]:
        return {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": ticker}


def _filled(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Rows that say something: the broker fills up short lists with empty objects."""
    return [row for row in parsing.rows(body, key) if any(row.values())]


def _prices(row: Mapping[str, Any], close: str) -> tuple[int, int, int, int]:
    """(open, high, low, close) in won. Raises BrokerGarbled when they contradict each other."""
    names = ("stck_oprc", "stck_hgpr", "stck_lwpr", close)
    opened, high, low, closed = (parsing.won(row, name) for name in names)
    if not 0 < low <= min(opened, closed) or not max(opened, closed) <= high:
        raise BrokerGarbled("a candle whose prices contradict each other")
    return opened, high, low, closed


def _volume(row: Mapping[str, Any], name: str) -> int:
    found = parsing.integer(row, name)
    if found < 0:
        raise BrokerGarbled(f"{name} is below zero")
    return found


def _minute(row: Mapping[str, Any]) -> datetime:
    day = parsing.day(row, "stck_bsop_date")
    hour = parsing.code(row, "stck_cntg_hour", r"[0-9]{6}")
    try:
        return datetime.strptime(f"{day:%Y%m%d}{hour[:4]}", "%Y%m%d%H%M").replace(tzinfo=SEOUL)
    except ValueError as error:
        raise BrokerGarbled("stck_cntg_hour is not a time") from error


def _of_many(chunk: Sequence[str]) -> dict[str, str]:
    """Every pair is sent, empty ones too."""
    params = {}
    for number in range(1, AT_ONCE + 1):
        ticker = chunk[number - 1] if number <= len(chunk) else ""
        params[f"FID_COND_MRKT_DIV_CODE_{number}"] = "J" if ticker else ""
        params[f"FID_INPUT_ISCD_{number}"] = ticker
    return params


def _glance(row: Mapping[str, Any], at: datetime) -> Glance:
    last = parsing.won(row, "inter2_prpr")
    if last <= 0:
        raise BrokerGarbled("inter2_prpr is not positive")
    return Glance(
        ticker=parsing.code(row, "inter_shrn_iscd", r"[0-9A-Z]{6,7}"),
        last=last,
        reference=parsing.won(row, "inter2_sdpr"),
        open=parsing.won(row, "inter2_oprc"),
        high=parsing.won(row, "inter2_hgpr"),
        low=parsing.won(row, "inter2_lwpr"),
        volume=_volume(row, "acml_vol"),
        turnover=_volume(row, "acml_tr_pbmn"),
        at=at,
    )
