"""US quotes, sessions, holdings and buying power, over real sockets: what truth says, in dollars."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.brokers.test_client import client, good, script
from tests.trading.brokers.test_history import Moment, Reader, reader
from tests.trading.simulator.kis import Hand
from trading.brokers.kis.us import KisUs
from trading.domain.errors import BrokerError, BrokerGarbled
from trading.domain.sessions import SEOUL
from trading.domain.us import UsExchange
from trading.simulator import Simulator

__all__ = ["reader"]

NIGHT = datetime(2026, 11, 20, 23, 45, tzinfo=SEOUL)
NASDAQ, NYSE, AMEX = UsExchange.NASDAQ, UsExchange.NYSE, UsExchange.AMEX


def us_of(reader: Reader, profile: str = "real") -> tuple[KisUs, Simulator]:
    history, sim = reader(profile, NIGHT)
    return KisUs(history._client, history._clock), sim


def told(**body: Any) -> KisUs:
    return KisUs(client(script(good(**body))), Moment(lambda: NIGHT))


@pytest.mark.parametrize("profile", ["real", "mock"])
@pytest.mark.parametrize(("symbol", "exchange"), [("AAPL", NASDAQ), ("KO", NYSE), ("SPY", AMEX)])
def test_a_quote_is_what_truth_says(
    reader: Reader, profile: str, symbol: str, exchange: UsExchange
) -> None:
    us, sim = us_of(reader, profile)
    quote = us.quote(symbol, exchange)
    shown = Hand(sim).login().us_price(symbol)
    assert (quote.last, quote.base) == (Decimal(shown["last"]), Decimal(shown["base"]))
    assert quote.volume > 0 and quote.at <= sim.now()


def test_a_symbol_of_another_exchange_is_not_quoted_as_nothing(reader: Reader) -> None:
    us, _sim = us_of(reader)
    with pytest.raises(BrokerError):
        us.quote("KO", NASDAQ)


def test_sessions_are_one_chain_by_new_yorks_date(reader: Reader) -> None:
    us, sim = us_of(reader)
    since, until = date(2025, 11, 20), date(2026, 11, 20)
    found = us.days("AAPL", NASDAQ, since, until)
    days = [one.day for one in found]
    assert 245 <= len(days) <= 256 and days == sorted(set(days))
    assert date(2025, 12, 25) not in days and date(2026, 7, 3) not in days
    assert (found[-1].day, found[-1].is_final, found[-2].is_final) == (until, False, True)
    assert found[-1].close == us.quote("AAPL", NASDAQ).last
    assert us.days("AAPL", NASDAQ, until + timedelta(days=1), until + timedelta(days=2)) == []


@pytest.mark.parametrize("profile", ["real", "mock"])
def test_what_was_bought_is_held_and_the_power_shrinks_by_it(reader: Reader, profile: str) -> None:
    us, sim = us_of(reader, profile)
    hand = Hand(sim).login()
    sim.control.cash({"account": hand.account, "amount": 20_000, "currency": "USD"})
    price = us.quote("AAPL", NASDAQ).last + 1
    before = us.power("AAPL", NASDAQ, price)
    assert before.shares == before.dollars // price or before.shares + 1 == before.dollars // price
    assert 1_000 < before.rate < 2_000
    for symbol in ("AAPL", "KO"):
        hand.us_order("buy", symbol, 2, f"{Decimal(hand.us_price(symbol)['last']) + 1:.2f}")
    sim.advance(10)
    balance = us.balance()
    held = {h.symbol: (h.exchange, h.quantity, h.sellable) for h in balance.holdings}
    assert held == {"AAPL": (NASDAQ, 2, 2), "KO": (NYSE, 2, 2)}
    assert balance.value == sum(
        h.quantity * us.quote(h.symbol, h.exchange).last for h in balance.holdings
    )
    assert us.power("AAPL", NASDAQ, price).dollars < before.dollars


QUOTE = {"rsym": "DNASAAPL", "zdiv": "4", "base": "230.10", "last": "231.55", "tvol": "100"}
HOLDING = {
    "ovrs_pdno": "AAPL", "ovrs_item_name": "애플", "pchs_avg_pric": "230.1000", "ovrs_cblc_qty": "3",
    "ord_psbl_qty": "3", "now_pric2": "231.5500", "ovrs_excg_cd": "NASD",
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [("last", ""), ("last", "0"), ("last", "231,5"), ("base", "-1"), ("tvol", "1.5")],
)
def test_a_number_that_is_none_is_never_a_zero(field: str, value: str) -> None:
    assert told(output=QUOTE).quote("AAPL", NASDAQ).last == Decimal("231.55")
    with pytest.raises(BrokerGarbled):
        told(output=QUOTE | {field: value}).quote("AAPL", NASDAQ)


@pytest.mark.parametrize(
    "rows",
    [
        [HOLDING, HOLDING],
        [HOLDING | {"ovrs_excg_cd": "SEHK"}],
        [HOLDING | {"ovrs_pdno": ""}],
        [HOLDING | {"ovrs_cblc_qty": "3.5"}],
        [HOLDING | {"now_pric2": "0"}],
    ],
    ids=["twice", "another exchange", "no symbol", "part of a share", "no price"],
)
def test_a_balance_that_contradicts_itself_is_none(rows: list[dict[str, str]]) -> None:
    assert told(output1=[HOLDING]).balance().holdings[0].quantity == 3
    with pytest.raises(BrokerGarbled):
        told(output1=rows).balance()


@pytest.mark.parametrize(
    "change", [{"tr_crcy_cd": "KRW"}, {"exrt": ""}, {"exrt": "0"}, {"exrt": "nan"}]
)
def test_buying_power_in_another_currency_or_without_a_rate_is_none(change: dict[str, str]) -> None:
    row = {
        "tr_crcy_cd": "USD",
        "ord_psbl_frcr_amt": "100.25",
        "max_ord_psbl_qty": "1",
        "exrt": "1390.5",
    }
    power = told(output=row).power("AAPL", NASDAQ, Decimal("90"))
    assert (power.dollars, power.shares, power.rate) == (Decimal("100.25"), 1, Decimal("1390.5"))
    with pytest.raises(BrokerGarbled):
        told(output=row | change).power("AAPL", NASDAQ, Decimal("90"))
