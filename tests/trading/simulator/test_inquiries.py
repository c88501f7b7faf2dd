"""Inquiries: complete pages, filters, the lag between truth and screens, quotations."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import ACCOUNT, Hand, odno
from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import daily_limits, is_on_tick, tick_size
from trading.domain.sessions import SEOUL
from trading.kis_wire import calls
from trading.simulator import Simulator
from trading.simulator.prices import DEMO_LISTINGS


@pytest.mark.parametrize(("profile", "size"), [("real", 100), ("mock", 15)])
@pytest.mark.parametrize("direction", ["00", "01"])
@pytest.mark.parametrize("extra", [-1, 0, 1, 7])
def test_every_order_is_on_exactly_one_page(
    make: Make, profile: str, size: int, direction: str, extra: int
) -> None:
    sim = make(profile=profile)
    hand = Hand(sim).login()
    count = size + extra if size < 100 else size + extra
    for _ in range(count):
        sim.manual_order(ACCOUNT, "069500", "buy", 1, 40_000)
    pages = hand.pages("fills", hand.fills_query(INQR_DVSN=direction))
    assert len(pages) == -(-count // size)
    assert [p.headers["tr_cont"] for p in pages] == ["M"] * (len(pages) - 1) + ["D"]
    numbers = [row["odno"] for p in pages for row in p.json["output1"]]
    expected = [order["odno"] for order in sim.truth()["orders"]]
    assert numbers == sorted(expected, reverse=direction == "00")
    for page in pages:
        assert len(page.json["ctx_area_fk100"]) == len(page.json["ctx_area_nk100"]) == 100
        assert page.json["output2"]["tot_ord_qty"] == str(count)


def test_an_order_placed_between_pages_shifts_nothing(make: Make) -> None:
    sim = make(profile="mock")
    hand = Hand(sim).login()
    for _ in range(20):
        sim.manual_order(ACCOUNT, "069500", "buy", 1, 40_000)
    before = {order["odno"] for order in sim.truth()["orders"]}
    query = hand.fills_query()
    first = hand.get("fills", query)
    sim.manual_order(ACCOUNT, "069500", "buy", 1, 40_000)
    keys = {k: first.json[k.lower()] for k in ("CTX_AREA_FK100", "CTX_AREA_NK100")}
    second = hand.get("fills", {**query, **keys}, cont="N")
    rows = [row["odno"] for page in (first, second) for row in page.json["output1"]]
    assert len(rows) == len(set(rows))
    assert set(rows) == before


def test_without_the_continuation_header_paging_starts_again(make: Make) -> None:
    sim = make(profile="mock")
    hand = Hand(sim).login()
    for _ in range(20):
        sim.manual_order(ACCOUNT, "069500", "buy", 1, 40_000)
    query = hand.fills_query()
    first = hand.get("fills", query)
    keys = {k: first.json[k.lower()].strip() for k in ("CTX_AREA_FK100", "CTX_AREA_NK100")}
    assert hand.get("fills", {**query, **keys}).json["output1"] == first.json["output1"]
    assert len(hand.get("fills", {**query, **keys}, cont="N").json["output1"]) == 5


@pytest.mark.parametrize(("profile", "size"), [("real", 50), ("mock", 20)])
def test_balance_pages(make: Make, profile: str, size: int) -> None:
    codes = [listing.code for listing in DEMO_LISTINGS]
    entry = {"appkey": "K" * 36, "appsecret": "S" * 180, "account": ACCOUNT}
    sim = make(profile=profile, accounts=[{**entry, "holdings": dict.fromkeys(codes, 3)}])
    hand = Hand(sim, appkey="K" * 36, appsecret="S" * 180).login()
    rows, money = hand.balance()
    assert [row["pdno"] for row in rows] == sorted(codes)
    total = sum(int(row["evlu_amt"]) for row in rows)
    assert money["evlu_amt_smtl_amt"] == money["scts_evlu_amt"] == str(total)
    assert money["tot_evlu_amt"] == str(total + 100_000_000)


def test_filters(make: Make) -> None:
    hand = Hand(make()).login()
    bought = odno(hand.order("buy", "069500", 5))
    working = odno(hand.order("buy", "005930", 5, 80_000))
    sold = odno(hand.order("sell", "069500", 2))
    table = [
        ({}, {bought, working, sold}),
        ({"SLL_BUY_DVSN_CD": "02"}, {bought, working}),
        ({"SLL_BUY_DVSN_CD": "01"}, {sold}),
        ({"PDNO": "005930"}, {working}),
        ({"CCLD_DVSN": "01"}, {bought, sold}),
        ({"CCLD_DVSN": "02"}, {working}),
        ({"ODNO": sold}, {sold}),
        ({"ODNO": sold.lstrip("0")}, {sold}),
        ({"INQR_END_DT": "20261119", "INQR_STRT_DT": "20261101"}, set()),
        ({"ORD_GNO_BRNO": "06010"}, {bought, working, sold}),
        ({"ORD_GNO_BRNO": "99999"}, set()),
    ]
    for change, expected in table:
        assert {row["odno"] for row in hand.fills(**change)} == expected, change
    assert {row["odno"] for row in hand.open_orders()} == {working}
    assert hand.get("fills", hand.fills_query(INQR_STRT_DT="2026-11-20")).code == "OPSQ2002"
    assert hand.get("fills", hand.fills_query(INQR_STRT_DT="20261340")).code == "OPSQ2001"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            {},
            [
                ("20261123", "069500", 0, 4, 6),
                ("20261123", "114260", 5, 0, 5),
                ("20261120", "005930", 2, 0, 2),
                ("20261120", "069500", 10, 0, 10),
            ],
        ),
        (
            {"PDNO": "069500"},
            [("20261123", "069500", 0, 4, 6), ("20261120", "069500", 10, 0, 10)],
        ),
        (
            {"INQR_END_DT": "20261120"},
            [("20261120", "005930", 2, 0, 2), ("20261120", "069500", 10, 0, 10)],
        ),
        ({"PDNO": "000660"}, []),
    ],
    ids=["all", "of one name", "of one day", "of a name that never traded"],
)
def test_each_day_of_a_name_is_told_with_what_was_held_in_its_evening(
    sim: Simulator, hand: Hand, asked: dict[str, str], told: list[tuple[str, str, int, int, int]]
) -> None:
    hand.order("buy", "069500", 10)
    hand.order("buy", "005930", 2)
    sim.advance(timedelta(days=3).total_seconds())
    hand.login()
    hand.order("sell", "069500", 4)
    hand.order("buy", "114260", 5)
    span = {"INQR_STRT_DT": "20261120", "INQR_END_DT": "20261123"}
    answer = hand.ask("inquire_period_trade_profit", **(span | asked)).json
    columns = ("buy_qty", "sll_qty", "hldg_qty")
    rows = [
        (row["trad_dt"], row["pdno"], *(int(row[name]) for name in columns))
        for row in answer["output1"]
    ]
    assert rows == told
    assert int(answer["output2"]["buyqty_smtl"]) == sum(row[2] for row in told)


def test_every_listed_field_is_there_as_text(make: Make) -> None:
    hand = Hand(make()).login()
    hand.order("buy", "069500", 5)
    hand.order("buy", "005930", 5, 80_000)
    holiday = {"BASS_DT": "20261120", "CTX_AREA_FK": "", "CTX_AREA_NK": ""}
    balance = hand.balance()
    seen = {
        ("inquire_balance", "output1"): balance[0][0],
        ("inquire_balance", "output2"): balance[1],
        ("inquire_daily_ccld", "output1"): hand.fills()[0],
        ("inquire_psbl_rvsecncl", "output"): hand.open_orders()[0],
        ("inquire_psbl_order", "output"): hand.power().json["output"],
        ("inquire_price", "output"): hand.price("005930").json["output"],
        ("inquire_asking_price_exp_ccn", "output1"): hand.book("005930").json["output1"],
        ("inquire_asking_price_exp_ccn", "output2"): hand.book("005930").json["output2"],
        ("chk_holiday", "output"): hand.get("holidays", holiday).json["output"][0],
    }
    for (call, key), row in seen.items():
        listed = next(o for o in calls()[call].outputs if o.key == key)
        assert list(row) == [field.name for field in listed.fields], call
        assert all(isinstance(value, str) for value in row.values()), call


# --- the lag ----------------------------------------------------------------------------------


def test_screens_follow_truth_a_few_seconds_behind(make: Make) -> None:
    sim = make(tame=False, seed=3)
    hand = Hand(sim).login()
    number = odno(hand.order("buy", "069500", 10, 56_500))
    assert [order["odno"] for order in sim.truth()["orders"]] == [number]
    assert hand.fills() == []
    assert hand.power().json["output"]["ord_psbl_cash"] == "100000000"
    sim.advance(5.1)
    assert [row["odno"] for row in hand.fills()] == [number]


def test_a_fifth_of_marketable_orders_are_not_filled_at_once(make: Make) -> None:
    sim = make(tame=False)
    hand = Hand(sim).login()
    left = 0
    for _ in range(60):
        ask = int(hand.book("069500").json["output1"]["askp1"])
        hand.order("buy", "069500", 10, ask)
        left += sim.truth()["orders"][-1]["filled"] < 10
        sim.advance(3)
    assert 12 <= left <= 30
    sim.advance(600)
    done = sum(order["filled"] == 10 for order in sim.truth()["orders"])
    assert done > 50


# --- quotations -------------------------------------------------------------------------------


@pytest.mark.parametrize("tame", [True, False])
def test_prices_are_on_the_grid_inside_the_limits_all_day(make: Make, tame: bool) -> None:
    sim = make(tame=tame, seed=11)
    hand = Hand(sim).login()
    for listing in DEMO_LISTINGS[:12]:
        output = hand.price(listing.code).json["output"]
        last, reference = int(output["stck_prpr"]), int(output["stck_sdpr"])
        low, high = daily_limits(reference, listing.kind)
        assert (int(output["stck_llam"]), int(output["stck_mxpr"])) == (low, high)
        assert is_on_tick(last, listing.kind)
        assert int(output["stck_lwpr"]) <= last <= int(output["stck_hgpr"])
        assert output["aspr_unit"] == str(tick_size(last, listing.kind))
        tape = sim.world.market.tape(listing.code, sim.now().date())
        path = [tape.price(tick) for tick in range(len(tape))]
        bar = sim.world.market.bar(listing.code, sim.now().date())
        assert (path[0], path[-1]) == (bar.open, bar.close)
        assert (min(path), max(path)) == (bar.low, bar.high)
        assert low <= bar.low <= bar.high <= high
        assert all(is_on_tick(price, listing.kind) for price in set(path))


def test_the_book_brackets_the_last_price(make: Make) -> None:
    sim = make(tame=False)
    hand = Hand(sim).login()
    for _ in range(30):
        both = hand.book("000660").json
        book, last = both["output1"], int(both["output2"]["stck_prpr"])
        asks = [int(book[f"askp{i}"]) for i in range(1, 11)]
        bids = [int(book[f"bidp{i}"]) for i in range(1, 11)]
        assert asks == sorted(set(asks))
        assert bids == sorted(set(bids), reverse=True)
        assert bids[0] <= last <= asks[0]
        assert all(is_on_tick(p, InstrumentKind.KOSPI) for p in asks + bids)
        total = sum(int(book[f"askp_rsqn{i}"]) for i in range(1, 11))
        assert total == int(book["total_askp_rsqn"])
        sim.advance(37)


@pytest.mark.parametrize("start", ["2026-11-21T10:00", "2026-11-20T07:00", "2026-01-01T12:00"])
def test_outside_a_session_price_and_book_are_those_of_the_last_close(
    make: Make, start: str
) -> None:
    hand = Hand(make(start=datetime.fromisoformat(start).replace(tzinfo=SEOUL))).login()
    both = hand.book("005930").json
    last = int(hand.price("005930").json["output"]["stck_prpr"])
    assert int(both["output1"]["bidp1"]) <= last <= int(both["output1"]["askp1"])


def test_what_we_take_is_gone_until_the_book_refreshes(make: Make) -> None:
    sim = make(tame=True)
    hand = Hand(sim).login()
    before = hand.book("069500").json["output1"]
    hand.order("buy", "069500", 1_000, before["askp1"])
    after = hand.book("069500").json["output1"]
    assert int(before["askp_rsqn1"]) - int(after["askp_rsqn1"]) == 1_000
    assert before["bidp_rsqn1"] == after["bidp_rsqn1"]


def test_our_own_resting_order_is_in_the_book(make: Make) -> None:
    hand = Hand(make()).login()
    before = hand.book("069500").json["output1"]
    hand.order("buy", "069500", 77, before["bidp3"])
    after = hand.book("069500").json["output1"]
    assert int(after["bidp_rsqn3"]) - int(before["bidp_rsqn3"]) == 77


@pytest.mark.parametrize("call", ["price", "book"])
def test_an_unknown_code_or_market(make: Make, call: str) -> None:
    hand = Hand(make()).login()
    ask = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "123456"}
    assert hand.get(call, ask).code == "MCA05918"
    assert hand.get(call, {**ask, "FID_COND_MRKT_DIV_CODE": "W"}).code == "OPSQ2001"
    assert hand.get(call, {**ask, "FID_INPUT_ISCD": "005930"}).code == "MCA00000"


def test_holidays_by_day(make: Make) -> None:
    hand = Hand(make()).login()
    query = {"BASS_DT": "20261224", "CTX_AREA_FK": "", "CTX_AREA_NK": ""}
    first = hand.get("holidays", query)
    rows = {row["bass_dt"]: row for row in first.json["output"]}
    assert rows["20261224"]["opnd_yn"] == "Y"
    assert (rows["20261225"]["opnd_yn"], rows["20261225"]["wday_dvsn_cd"]) == ("N", "06")
    assert (rows["20261227"]["wday_dvsn_cd"], rows["20261231"]["opnd_yn"]) == ("01", "N")
    assert first.headers["tr_cont"] == "M"
    keys = {k: first.json[k.lower()] for k in ("CTX_AREA_FK", "CTX_AREA_NK")}
    second = hand.get("holidays", {**query, **keys}, cont="N")
    assert second.json["output"][0]["bass_dt"] == "20270117"


def test_the_date_header_is_the_simulators_own_time(make: Make) -> None:
    sim = make()
    hand = Hand(sim).login()
    sim.advance(timedelta(hours=1).total_seconds())
    assert hand.price("005930").headers["Date"] == "Fri, 20 Nov 2026 01:35:00 GMT"
