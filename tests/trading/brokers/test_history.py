"""Candles and prices over real sockets: whole chains, in order, or an error that says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.trading.brokers.test_client import Budget, client, good, script
from trading.brokers.kis.auth import issue_token
from trading.brokers.kis.client import Credentials, KisClient
from trading.brokers.kis.history import KisHistory
from trading.domain.errors import BrokerError, BrokerGarbled, BrokerUnsupported
from trading.domain.ports import StoredToken
from trading.domain.sessions import KRX, SEOUL
from trading.simulator import DEMO_APPKEY, DEMO_APPSECRET, Simulator
from trading.simulator.prices import DEMO_LISTINGS

KEYS = Credentials(DEMO_APPKEY, DEMO_APPSECRET, "12345678-01")
FRIDAY = datetime(2026, 11, 20, 9, 35, tzinfo=SEOUL)


@dataclass
class OneToken:
    token: StoredToken

    fresh: Callable[[], StoredToken] | None = None
    """Where days pass: how to get another one."""

    def current(self) -> StoredToken:
        return self.token

    def renew(self, dead: str | None) -> StoredToken:
        self.token = self.fresh() if self.fresh else self.token
        return self.token


@dataclass
class Moment:
    """A clock that reads another one."""

    read: Callable[[], datetime]

    def now(self) -> datetime:
        return self.read()


Reader = Callable[..., tuple[KisHistory, Simulator]]


@pytest.fixture
def reader() -> Iterator[Reader]:
    """A history on a simulator of its own."""
    running: list[Any] = []

    def make(profile: str = "real", start: datetime = FRIDAY) -> tuple[KisHistory, Simulator]:
        sim = Simulator(seed=7, tame=True, throttled=False, profile=profile, start=start).start()
        http = httpx2.Client(trust_env=False)
        running.extend((sim.stop, http.close))

        def issued() -> StoredToken:
            return issue_token(sim.base_url, KEYS, sim.now(), http)

        kis = KisClient(
            base_url=sim.base_url,
            wire="real" if profile == "real" else "mock",
            credentials=KEYS,
            tokens=OneToken(issued(), issued),
            budget=Budget(),
            http=http,
        )
        return KisHistory(kis, Moment(sim.now)), sim

    yield make
    for end in running:
        end()


def test_two_years_of_days_are_one_chain(reader: Reader) -> None:
    history, sim = reader()
    since, until = date(2024, 11, 20), date(2026, 11, 20)
    found = history.daily("005930", since, until)
    assert [c.day for c in found] == list(KRX.sessions_between(since, until))
    assert [c.is_final for c in found] == [True] * (len(found) - 1) + [False]
    shown = sim.world.market.shown("005930", sim.now())
    last = found[-1]
    assert (last.close, last.volume, last.turnover) == (shown.last, shown.volume, shown.turnover)


def test_days_are_those_asked_for_and_no_others(reader: Reader) -> None:
    history, _sim = reader()
    assert [c.day for c in history.daily("069500", date(2026, 11, 18), date(2026, 11, 19))] == [
        date(2026, 11, 18),
        date(2026, 11, 19),
    ]
    assert history.daily("069500", date(2026, 11, 14), date(2026, 11, 15)) == [], "a weekend"


@pytest.mark.parametrize("profile", ["real", "mock"])
def test_todays_minutes_reach_from_the_open_to_now(reader: Reader, profile: str) -> None:
    history, sim = reader(profile)
    sim.advance(90 * 60)
    found = history.minutes("005930", sim.now().date())
    first = FRIDAY.replace(hour=9, minute=0)
    assert [m.at for m in found] == [first + timedelta(minutes=n) for n in range(126)]
    assert [m.is_final for m in found] == [True] * 125 + [False]
    assert sum(m.volume for m in found) == sim.world.market.shown("005930", sim.now()).volume


def test_past_minutes_are_a_whole_session(reader: Reader) -> None:
    history, _sim = reader()
    found = history.minutes("005930", date(2026, 11, 18))
    assert (len(found), found[0].at.hour, found[-1].at.strftime("%H%M")) == (380, 9, "1519")
    exam = history.minutes("005930", date(2026, 11, 19))
    assert (len(exam), exam[0].at.hour, exam[-1].at.strftime("%H%M")) == (380, 10, "1619")


def test_many_prices_come_in_the_order_asked_for(reader: Reader) -> None:
    history, sim = reader()
    codes = [listing.code for listing in reversed(DEMO_LISTINGS)]
    found = history.glances(codes)
    assert [g.ticker for g in found] == codes
    for glance in found:
        shown = sim.world.market.shown(glance.ticker, sim.now())
        assert (glance.last, glance.volume) == (shown.last, shown.volume)


def test_what_the_mock_environment_lacks_is_said(reader: Reader) -> None:
    history, sim = reader("mock")
    with pytest.raises(BrokerUnsupported):
        history.glances(["005930"])
    with pytest.raises(BrokerUnsupported):
        history.minutes("005930", date(2026, 11, 18))
    assert history.daily("005930", date(2026, 11, 18), date(2026, 11, 19))


def test_an_unknown_instrument_is_an_error_and_no_empty_list(reader: Reader) -> None:
    history, _sim = reader()
    for ask in (
        lambda: history.daily("999999", date(2026, 11, 1), date(2026, 11, 20)),
        lambda: history.minutes("999999", date(2026, 11, 20)),
        lambda: history.glances(["005930", "999999"]),
    ):
        with pytest.raises(BrokerError):
            ask()


# --- answers that cannot be -------------------------------------------------------------------
DAY = {
    "stck_bsop_date": "20261118",
    "stck_oprc": "100",
    "stck_hgpr": "110",
    "stck_lwpr": "90",
    "stck_clpr": "105",
    "acml_vol": "5",
    "acml_tr_pbmn": "500",
}


def told(*pages: list[dict[str, str]]) -> Any:
    replies = [good(output1={}, output2=page) for page in pages]
    history = KisHistory(client(script(*replies)), Moment(lambda: FRIDAY))
    return history.daily("005930", date(2026, 11, 1), date(2026, 11, 20))


def test_empty_rows_at_the_end_are_no_candles() -> None:
    assert [c.close for c in told([DAY, {}, dict.fromkeys(DAY, "")], [])] == [105]


@pytest.mark.parametrize("other", ["20251118", "20261031", "20261121", "20271118"])
def test_a_day_of_another_range_and_a_day_told_twice_are_left_out(other: str) -> None:
    stray = DAY | {"stck_bsop_date": other}
    assert [c.day for c in told([DAY, DAY, stray], [DAY])] == [date(2026, 11, 18)]


def test_a_day_told_again_with_other_prices_is_what_it_was_at_first() -> None:
    again = DAY | {"stck_clpr": "99"}
    older = DAY | {"stck_bsop_date": "20261117"}
    found = told([DAY, again], [again, older], [again])
    assert [(c.day.day, c.close) for c in found] == [(17, 105), (18, 105)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"stck_hgpr": "104"},
        {"stck_lwpr": "101"},
        {"stck_lwpr": "0"},
        {"stck_clpr": "1,050"},
        {"acml_vol": "-1"},
        {"acml_vol": ""},
        {"stck_bsop_date": "20261199"},
    ],
    ids=str,
)
def test_a_candle_that_cannot_be_is_an_error(wrong: dict[str, str]) -> None:
    with pytest.raises(BrokerGarbled):
        told([DAY | wrong])
