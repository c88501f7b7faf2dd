"""Indices, rankings, investors and headlines: read over real sockets, and from the broker's own examples."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from tests.conftest import SHARED
from tests.trading.brokers.test_client import client, good, script
from tests.trading.brokers.test_history import FRIDAY, Moment, Reader, reader
from trading.brokers.kis.markets import KisMarkets
from trading.domain.errors import BrokerGarbled, BrokerUnsupported
from trading.domain.sessions import KRX
from trading.simulator import Simulator

__all__ = ["reader"]

CAPTURED = SHARED / "data" / "kis_rest"


def markets_of(reader: Reader, profile: str = "real") -> tuple[KisMarkets, Simulator]:
    history, sim = reader(profile)
    return KisMarkets(history._client, history._clock), sim


def told(**body: Any) -> KisMarkets:
    """Markets on a broker that gives this one answer."""
    return KisMarkets(client(script(good(**body))), Moment(lambda: FRIDAY))


def test_an_index_now_is_the_last_session_of_its_days(reader: Reader) -> None:
    markets, sim = markets_of(reader)
    now = markets.index("0001")
    days = markets.index_days("0001", date(2026, 5, 20), sim.now().date())
    assert [day.day for day in days] == list(
        KRX.sessions_between(date(2026, 5, 20), date(2026, 11, 20))
    )
    today = days[-1]
    assert (today.close, today.open, today.high, today.low) == (
        now.last,
        now.open,
        now.high,
        now.low,
    )
    assert (today.volume, today.turnover) == (now.volume, now.turnover)
    assert [day.is_final for day in days[-2:]] == [True, False]
    assert now.last - now.change == days[-2].close
    assert now.risers + now.unchanged + now.fallers > 5 and now.at <= sim.now()


def test_the_most_traded_come_first_and_are_what_their_quotes_say(reader: Reader) -> None:
    markets, sim = markets_of(reader)
    rows = markets.most_traded()
    assert [row.rank for row in rows] == list(range(1, len(rows) + 1)) and len(rows) > 10
    assert [row.volume for row in rows] == sorted((row.volume for row in rows), reverse=True)
    shown = sim.world.market.shown(rows[0].ticker, sim.now())
    assert (rows[0].last, rows[0].volume, rows[0].name) == (
        shown.last,
        shown.volume,
        shown.listing.name,
    )


@pytest.mark.parametrize("falling", [False, True])
def test_movers_are_sorted_by_their_change(reader: Reader, falling: bool) -> None:
    markets, _sim = markets_of(reader)
    changes = [row.change_percent for row in markets.movers(falling=falling)]
    assert len(changes) > 5 and changes == sorted(changes, reverse=not falling)


def test_what_some_bought_others_sold(reader: Reader) -> None:
    markets, sim = markets_of(reader)
    flows = markets.flows("005930", sim.now().date() - timedelta(days=1))
    days = [flow.day for flow in flows]
    assert len(flows) > 20 and days == sorted(days) and days[-1] == date(2026, 11, 19)
    assert markets.flows("005930", sim.now().date()) == flows, "the session that is on is not told"
    assert all(flow.people + flow.foreigners + flow.institutions == 0 for flow in flows)
    assert any(flow.foreigners_won < 0 for flow in flows)


def test_headlines_are_newest_first_and_name_their_instruments(reader: Reader) -> None:
    markets, sim = markets_of(reader)
    found = markets.headlines()
    times = [headline.at for headline in found]
    assert len(found) > 5 and times == sorted(times, reverse=True) and times[0] <= sim.now()
    assert len({headline.number for headline in found}) == len(found)
    named = next(ticker for headline in found for ticker in headline.tickers)
    assert all(named in headline.tickers for headline in markets.headlines(named))


def test_in_mock_only_the_days_of_an_index_are_offered(reader: Reader) -> None:
    markets, sim = markets_of(reader, "mock")
    until = sim.now().date()
    assert markets.index_days("0001", until - timedelta(days=20), until)
    for ask in (
        lambda: markets.index("0001"), markets.most_traded, markets.movers,
        lambda: markets.flows("005930", until), markets.headlines,
    ):  # fmt: skip
        with pytest.raises(BrokerUnsupported):
            ask()


@pytest.mark.skipif(not CAPTURED.exists(), reason="the broker's example bodies are not here")
def test_the_brokers_own_examples_read_as_what_they_say() -> None:
    def body(name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((CAPTURED / name).read_text(encoding="utf-8"))["body"]
        return found

    now = told(**body("05_kr.quotations.inquire-index-price.json")).index("1001")
    assert (now.last, now.change, now.change_percent) == (
        Decimal("857.60"), Decimal("-1.61"), Decimal("-0.19"),
    )  # fmt: skip
    assert (now.volume, now.turnover) == (1_312_496_000, 11_507_962_000_000)
    assert (now.risers, now.unchanged, now.fallers) == (828, 94, 716)
    flows = told(**body("07_kr.quotations.investor-trade-by-stock-daily.json")).flows(
        "005930", date(2025, 8, 12)
    )
    last = flows[-1]
    assert (last.day, last.people, last.foreigners, last.institutions) == (
        date(2025, 8, 11), 1_686_273, -2_029_800, -571_822,
    )  # fmt: skip
    assert last.foreigners_won == -144_363_000_000
    first = told(**body("08_kr.quotations.volume-rank.json")).most_traded()[0]
    assert (first.rank, first.ticker, first.name, first.last, first.volume) == (
        1, "005930", "삼성전자", 65_100, 8_958_147,
    )  # fmt: skip


INDEX = {
    "bstp_nmix_prpr": "857.60", "bstp_nmix_prdy_vrss": "-1.61", "bstp_nmix_prdy_ctrt": "-0.19",
    "bstp_nmix_oprc": "863.69", "bstp_nmix_hgpr": "864.24", "bstp_nmix_lwpr": "854.72",
    "acml_vol": "1", "acml_tr_pbmn": "1", "ascn_issu_cnt": "1", "stnr_issu_cnt": "1",
    "down_issu_cnt": "1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bstp_nmix_prpr", ""),
        ("bstp_nmix_prpr", "0"),
        ("bstp_nmix_prpr", "8,57"),
        ("bstp_nmix_prpr", "８５７"),
        ("acml_vol", "1.5"),
        ("down_issu_cnt", "-"),
    ],
)
def test_a_number_that_is_none_is_never_a_zero(field: str, value: str) -> None:
    assert told(output=INDEX).index("0001").last == Decimal("857.60")
    with pytest.raises(BrokerGarbled):
        told(output=INDEX | {field: value}).index("0001")


def test_days_that_never_end_are_given_up() -> None:
    day = iter(date(2026, 11, 20) - timedelta(days=n) for n in range(10_000))

    def answer(request: httpx2.Request) -> httpx2.Response:
        one = next(day)
        row = {"stck_bsop_date": f"{one:%Y%m%d}", "acml_vol": "1", "acml_tr_pbmn": "1"} | {
            f"bstp_nmix_{name}": "100" for name in ("oprc", "hgpr", "lwpr", "prpr")
        }
        return httpx2.Response(200, json={"rt_cd": "0", "output1": {}, "output2": [row]})

    markets = KisMarkets(client(answer), Moment(lambda: FRIDAY))
    with pytest.raises(BrokerGarbled, match="never end"):
        markets.index_days("0001", date(2000, 1, 1), date(2026, 11, 20))
