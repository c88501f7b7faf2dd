"""Indices, auctions, programs, funds and the US: heard over the simulator's sockets, and read strictly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.brokers.stream.test_line import ACCOUNT, listener, running, until
from tests.trading.brokers.stream.test_messages import read
from tests.trading.simulator.kis import Hand
from trading.brokers.kis.stream.messages import BadFrame
from trading.brokers.kis.stream.registrations import Wish
from trading.domain.sessions import SEOUL
from trading.domain.ticks import (
    BookTick,
    ExpectedTick,
    FundTick,
    HaltTick,
    IndexProgramTick,
    IndexTick,
    ProgramTick,
    Tick,
    UsBookTick,
    UsOrderNotice,
    UsTick,
)
from trading.simulator import DEMO_APPKEY, DEMO_APPSECRET, Simulator

Act = Callable[[Simulator], None]
FRIDAY = datetime(2026, 11, 20, 9, 35, tzinfo=SEOUL)


def started(start: datetime) -> Simulator:
    rich = {
        "appkey": DEMO_APPKEY,
        "appsecret": DEMO_APPSECRET,
        "account": ACCOUNT,
        "cash": 1_000_000,
        "usd": "20000.00",
    }
    return Simulator(seed=7, tame=True, throttled=False, start=start, accounts=[rich])


def heard(sim: Simulator, kinds: set[type], *wishes: Wish, act: Act | None = None) -> Any:
    """Everything that a listener with these wishes heard, once it has heard one of each of `kinds`."""

    async def story() -> Any:
        ear = listener(sim)
        ear.wish(*wishes)
        async with running(ear.line):
            await until(lambda: ear.living == len(wishes))
            if act:
                await asyncio.to_thread(act, sim)
            async with asyncio.timeout(30):
                while not all(ear.of(kind) for kind in kinds):
                    await asyncio.to_thread(sim.advance, 2)
                    await asyncio.sleep(0.01)
        assert not ear.line.bad, ear.line.bad
        return ear

    with sim:
        return asyncio.run(story())


def _buy_us(sim: Simulator) -> None:
    hand = Hand(sim).login()
    price = Decimal(hand.us_price("AAPL")["last"]) + 1
    hand.us_order("buy", "AAPL", 2, f"{price:.2f}")


def test_an_index_its_programs_and_a_funds_value_are_heard() -> None:
    sim = started(FRIDAY)
    ear = heard(
        sim,
        {IndexTick, ProgramTick, FundTick},
        Wish("index_ccnl", "0001"),
        Wish("program_trade_krx", "005930"),
        Wish("etf_nav_trend", "069500"),
    )
    index, fund, program = ear.of(IndexTick)[-1], ear.of(FundTick)[-1], ear.of(ProgramTick)[-1]
    assert (index.code, index.at.date()) == ("0001", FRIDAY.date())
    assert index.level > 0 and index.volume > 0 and abs(index.change_percent) < 30
    shown = sim.world.market.shown("069500", sim.now())
    assert abs(fund.value - shown.last) / shown.last < Decimal("0.01"), (
        "a fund trades near its value"
    )
    assert program.ticker == "005930" and program.net_shares * program.net_won >= 0


def test_what_an_auction_would_end_at_is_heard_before_the_open() -> None:
    sim = started(FRIDAY.replace(hour=8, minute=45))
    ear = heard(sim, {ExpectedTick}, Wish("exp_ccnl_krx", "005930"))
    tick = ear.of(ExpectedTick)[-1]
    assert tick.price > 0 and tick.at.date() == FRIDAY.date()


@pytest.mark.parametrize(
    ("hour", "phase"), [(8, "PRE"), (10, "REGULAR"), (16, "AFTER")], ids=["before", "in", "after"]
)
def test_nxt_is_heard_at_its_hours_and_says_which_market_it_is(hour: int, phase: str) -> None:
    sim = started(FRIDAY.replace(hour=hour, minute=10))
    ear = heard(
        sim,
        {Tick, BookTick, ProgramTick},
        Wish("ccnl_nxt", "005930"),
        Wish("asking_price_nxt", "005930"),
        Wish("program_trade_nxt", "005930"),
    )
    tick, book = ear.of(Tick)[-1], ear.of(BookTick)[-1]
    assert tick.phase == phase and tick.at.date() == FRIDAY.date()
    assert tick.price > 0 and tick.volume >= tick.quantity > 0
    assert book.bids[0][0] < book.asks[0][0]


def test_a_halt_on_nxt_and_a_market_s_programs_are_heard() -> None:
    sim = started(FRIDAY)
    ear = heard(
        sim,
        {HaltTick, IndexProgramTick},
        Wish("market_status_nxt", "005930"),
        Wish("index_program_trade", "0001"),
        act=lambda sim: sim.halt("005930"),
    )
    assert ear.of(HaltTick)[-1] == HaltTick("005930", True)
    programs = ear.of(IndexProgramTick)[-1]
    assert programs.code == "0001" and programs.net_quantity * programs.net_turnover > 0


def test_us_trades_books_and_the_fills_of_our_orders_are_heard() -> None:
    sim = started(FRIDAY.replace(hour=23, minute=45))
    ear = heard(
        sim,
        {UsTick, UsBookTick, UsOrderNotice},
        Wish("overseas_delayed_ccnl", "DNASAAPL"),
        Wish("overseas_asking_price", "DNASAAPL"),
        Wish("overseas_ccnl_notice", "me", 0),
        act=_buy_us,
    )
    tick, book = ear.of(UsTick)[-1], ear.of(UsBookTick)[-1]
    assert (tick.symbol, tick.phase) == ("AAPL", "REGULAR")
    assert abs(tick.at - sim.now()) < timedelta(seconds=30)
    assert book.bids[0][0] < book.asks[0][0] and len(book.asks) == 10
    notices = ear.of(UsOrderNotice)
    assert notices[0].kind == "RECEIPT" and notices[0].side == "BUY"
    filled = [one for one in notices if one.kind == "FILL"]
    assert all(one.price and one.symbol == "AAPL" and one.quantity for one in filled)


INDEX = (
    "0001^091240^2624.54^2^32.68^63952^1650684^439^10335^1.26^2615.72^2624.82^2610.00^23.86^2^32.96"
    "^2^18.14^2^0.92^1.27^0.70^0^670^72^177^0^0^0^19"
)
FUND = "069500^37235.46^5^-381.26^-1.01^37646.25^37646.25^37202.10"
PROGRAM = "005930^093354^100^7190000^150^10785000^50^3595000^0^0^0"
ZEROS = "^".join(["0"] * 64)
TOTALS = "0^0.00^1^0.00^1^0.00^10^0.00^1^0.00^9^0.00"
MARKET_PROGRAMS = f"0001^085913^{ZEROS}^{TOTALS}^0^0^0^0^1^9^0^0^0^0"
"""The sums of the documents' example: one unit bought for ten, less than one sold for one."""
US = (
    "DNASAAPL^AAPL^4^20230502^20230502^091912^20230502^221912^169.9200^170.1000^169.4200^169.7850^2"
    "^0.1950^+0.11^169.7700^169.7900^201^5^1^108464^18414163^24757^20513^82.86^1"
)
NOTICE = (
    "me^1234567801^0030000001^^02^0^2^AAPL^0000000002^231.5500^234501^0^2^2^06010^000000002^홍길동^애플"
    "^6^10^^^^^231.5500"
)


def test_records_of_the_documents_are_read() -> None:
    assert read("H0UPCNT0", INDEX) == IndexTick(
        code="0001",
        at=FRIDAY.replace(hour=9, minute=12, second=40),
        level=Decimal("2624.54"),
        change_percent=Decimal("1.26"),
        volume=63_952,
        turnover=1_650_684,
    )
    assert read("H0STNAV0", FUND).value == Decimal("37235.46")
    assert read("H0STPGM0", PROGRAM).net_shares == 50
    assert read("H0UPPGM0", MARKET_PROGRAMS) == IndexProgramTick(
        code="0001",
        at=FRIDAY.replace(hour=8, minute=59, second=13),
        net_quantity=1,
        net_turnover=9,
        arbitrage_net_turnover=0,
    )
    assert read("HDFSCNT0", US) == UsTick(
        symbol="AAPL",
        at=datetime(2023, 5, 2, 22, 19, 12, tzinfo=SEOUL),
        price=Decimal("169.7850"),
        quantity=1,
        volume=108_464,
        phase="REGULAR",
    )
    notice = read("H0GSCNI0", NOTICE)
    assert (notice.kind, notice.quantity, notice.price) == ("FILL", 2, Decimal("231.5500"))


def test_a_price_without_its_point_is_left_to_the_list_of_orders() -> None:
    assert read("H0GSCNI0", NOTICE.replace("231.5500", "0002315500")).price is None


@pytest.mark.parametrize(
    ("tr_id", "record", "old", "new", "why"),
    [
        ("H0UPCNT0", INDEX, "^2624.54^", "^2700.00^", "own range"),
        ("H0UPCNT0", INDEX, "^2624.54^", "^2,624.54^", "not a number"),
        ("H0UPCNT0", INDEX, "^63952^", "^-63952^", "cannot be"),
        ("H0UPCNT0", INDEX, "0001^", "KOSPI^", "not a code"),
        ("H0STNAV0", FUND, "^37235.46^", "^0^", "worth nothing"),
        ("H0STPGM0", PROGRAM, "^50^", "^51^", "bought less"),
        ("H0UPPGM0", MARKET_PROGRAMS, "0001^", "KOSPI^", "not a code"),
        (
            "H0UPPGM0",
            MARKET_PROGRAMS,
            TOTALS,
            TOTALS.replace("^1^0.00^9", "^2^0.00^9"),
            "bought less",
        ),
        ("HDFSCNT0", US, "^169.7850^", "^170.2000^", "own range"),
        ("HDFSCNT0", US, "^169.7850^", "^0^", "own range"),
        ("HDFSCNT0", US, "^1^108464^", "^108465^108464^", "cannot be"),
        ("HDFSCNT0", US, "^82.86^1", "^82.86^4", "not a code"),
        ("HDFSCNT0", US, "^AAPL^", "^aapl^", "not a code"),
        ("HDFSCNT0", US, "^20230502^221912", "^20231302^221912", "not a date"),
        ("H0GSCNI0", NOTICE, "^0000000002^", "^0000000000^", "of nothing"),
        ("H0GSCNI0", NOTICE, "^231.5500^", "^0.0000^", "at nothing"),
        ("H0GSCNI0", NOTICE, "^234501^0^", "^234501^1^", "of nothing"),
        ("H0GSCNI0", NOTICE, "^1234567801^", "^12345678-01^", "not a code"),
    ],
)
def test_what_cannot_be_makes_the_record_bad(
    tr_id: str, record: str, old: str, new: str, why: str
) -> None:
    assert read(tr_id, record)
    with pytest.raises(BadFrame, match=why):
        read(tr_id, record.replace(old, new, 1))
