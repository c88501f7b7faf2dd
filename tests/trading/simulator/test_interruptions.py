"""Volatility interruptions: a tenth away from the last auction's price, two minutes and a little of one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.trading.simulator.conftest import FRIDAY, Make
from tests.trading.simulator.ear import Ear
from tests.trading.simulator.kis import Hand, odno
from trading.simulator import Simulator
from trading.simulator.interruptions import Interruption, interruptions_of
from trading.simulator.prices import FileSource

WILD, CALM, FALLEN = "900003", "900004", "900005"
DAYS = {
    WILD: (10_000, 11_500, 9_950, 11_400),
    CALM: (10_000, 10_990, 9_010, 10_500),
    FALLEN: (10_000, 10_050, 8_800, 8_900),
}
ROWS: dict[str, list[Any]] = {
    "code": [code for code in DAYS for _ in range(2)],
    "date": [datetime(2026, 11, 19), datetime(2026, 11, 20)] * 3,
    **{
        name: [price for bar in DAYS.values() for price in (10_000, bar[place])]
        for place, name in enumerate(("open", "high", "low", "close"))
    },
    "volume": [1_000_000] * 6,
    "kind": ["kospi"] * 6,
}


def from_rows(seed: int, tame: bool) -> FileSource:
    return FileSource(ROWS, seed, tame)


def at(tick: int) -> datetime:
    return FRIDAY.replace(hour=9, minute=0) + timedelta(seconds=tick)


def runs_of(sim: Simulator, code: str) -> tuple[Interruption, ...]:
    return sim.world.market.interruptions(code, FRIDAY.date())


@pytest.fixture
def wild(make: Make) -> Simulator:
    return make(source=from_rows, tame=False, start=FRIDAY.replace(hour=8, minute=50))


@pytest.mark.parametrize(("code", "way"), [(WILD, 1), (FALLEN, -1)])
def test_a_tenth_from_the_opening_sets_one_off(wild: Simulator, code: str, way: int) -> None:
    first = runs_of(wild, code)[0]
    tape = wild.world.market.tape(code, FRIDAY.date())
    assert first.reference == 10_000 and (first.price - 10_000) * way >= 1_000
    assert all(abs(tape.price(tick) - 10_000) < 1_000 for tick in range(first.start))
    assert 120 <= first.end - first.start <= 150
    assert sum(tape.traded(tick) for tick in range(first.start, first.end)) == 0
    assert tape.volume(len(tape) - 1) == 1_000_000, "what was not traded in it was traded elsewhere"


def test_the_next_one_is_measured_from_where_the_last_one_ended(wild: Simulator) -> None:
    tape = wild.world.market.tape(WILD, FRIDAY.date())
    for before, after in zip(runs_of(wild, WILD), runs_of(wild, WILD)[1:], strict=False):
        assert after.reference == tape.price(before.end) and after.start > before.end
        assert abs(after.price - after.reference) * 10 >= after.reference


def test_less_than_a_tenth_sets_none_off_and_a_tame_market_has_none(make: Make) -> None:
    assert runs_of(make(source=from_rows, tame=False), CALM) == ()
    assert runs_of(make(source=from_rows, tame=True), WILD) == ()


def test_prices_are_those_of_a_day_without_interruptions(wild: Simulator) -> None:
    market, day = wild.world.market, FRIDAY.date()
    plain, tape = market._tape(WILD, day, ()), market.tape(WILD, day)
    assert [plain.price(t) for t in range(len(plain))] == [tape.price(t) for t in range(len(tape))]
    assert interruptions_of(plain, 10_000, market._key(WILD, day)) == runs_of(wild, WILD)


def advance_to(sim: Simulator, tick: int) -> None:
    sim.advance((at(tick) - sim.world.now()).total_seconds())


def heard(ear: Ear) -> list[tuple[str, list[str]]]:
    """(TR id, the first record's values) of every frame up to the answer to a last word of ours."""
    ear.say(ear.message("H0STCNT0", CALM))
    told = []
    while not (text := ear.hear()).startswith("{") or CALM not in text:
        if text.startswith("{"):
            ear.say(text)
            continue
        _plain, tr_id, _count, payload = text.split("|", 3)
        told.append((tr_id, payload.split("^")))
    return told


def test_while_it_lasts_the_price_stands_and_every_screen_says_so(wild: Simulator) -> None:
    hand, one = Hand(wild).login(), runs_of(wild, WILD)[0]
    advance_to(wild, one.start - 2)
    assert hand.price(WILD).json["output"]["vi_cls_code"] == "N"
    with Ear(hand) as ear:
        ear.register("H0STMKO0", WILD)
        ear.register("H0STCNT0", WILD)
        advance_to(wild, one.start + 1)
        advance_to(wild, one.start + 61)
        shown = hand.price(WILD).json["output"]
        assert (shown["vi_cls_code"], shown["stck_prpr"]) == ("Y", str(one.price))
        assert shown["temp_stop_yn"] == "N", "interrupted is not halted"
        match = hand.book(WILD).json["output2"]
        expected = wild.world.market.price_at(WILD, FRIDAY.date(), one.end)
        assert (match["vi_cls_code"], match["antc_cnpr"]) == ("Y", str(expected))
        volume = shown["acml_vol"]
        advance_to(wild, one.end - 1)
        assert hand.price(WILD).json["output"]["acml_vol"] == volume
        advance_to(wild, one.end + 1)
        assert hand.price(WILD).json["output"]["vi_cls_code"] == "N"
        told = heard(ear)
    marks = [values[8] for tr_id, values in told if tr_id == "H0STMKO0"]
    assert marks == ["Y", "N"]
    hours = [values[1] for tr_id, values in told if tr_id == "H0STCNT0"]
    assert len(hours) > 2
    inside = {f"{at(tick):%H%M%S}" for tick in range(one.start, one.end)}
    assert not inside & set(hours)


def test_orders_queue_and_are_matched_at_one_price_at_its_end(wild: Simulator) -> None:
    hand, one = Hand(wild).login(), runs_of(wild, WILD)[0]
    advance_to(wild, one.start + 5)
    expected = wild.world.market.price_at(WILD, FRIDAY.date(), one.end)
    good = odno(hand.order("buy", WILD, 5, expected + 100))
    poor = odno(hand.order("buy", WILD, 5, expected - 300))
    assert hand.order("buy", WILD, 5, expected, "11").code == "APBK1058", "IOC waits for nothing"
    gone = odno(hand.order("buy", WILD, 5, expected + 200))
    assert hand.change("cancel", gone).json["rt_cd"] == "0"
    advance_to(wild, one.end - 1)
    filled = {row["odno"]: row["filled"] for row in wild.truth()["orders"]}
    assert filled[good] == filled[poor] == filled[gone] == 0
    advance_to(wild, one.end)
    fills = {row["odno"]: row for row in wild.journal() if row["kind"] == "fill"}
    assert set(fills) == {good}
    assert (fills[good]["price"], fills[good]["qty"]) == (expected, 5)
    assert datetime.fromisoformat(fills[good]["vt"]).replace(microsecond=0) == at(one.end)


def test_a_book_that_was_looked_at_long_before_lets_nothing_fill_inside(wild: Simulator) -> None:
    hand, one = Hand(wild).login(), runs_of(wild, WILD)[0]
    advance_to(wild, 30)
    hand.book(WILD)
    advance_to(wild, one.start + 20)
    asks = hand.book(WILD).json["output1"]
    assert abs(int(asks["askp1"]) - one.price) <= 100, "the book stands where the price stood"
    placed = odno(hand.order("buy", WILD, 5, one.price + 200))
    advance_to(wild, one.end - 1)
    assert [row for row in wild.journal() if row["kind"] == "fill"] == []
    advance_to(wild, one.end)
    (fill,) = (row for row in wild.journal() if row["kind"] == "fill")
    assert fill["odno"] == placed
    assert datetime.fromisoformat(fill["vt"]).replace(microsecond=0) == at(one.end)


def test_an_order_from_before_rests_through_it(wild: Simulator) -> None:
    hand, one = Hand(wild).login(), runs_of(wild, WILD)[0]
    expected = wild.world.market.price_at(WILD, FRIDAY.date(), one.end)
    advance_to(wild, one.start - 1)
    resting = odno(hand.order("buy", WILD, 1, min(expected, one.price) - 500))
    advance_to(wild, one.end - 1)
    (row,) = wild.truth()["orders"]
    assert (row["odno"], row["filled"]) == (resting, 0)
    assert hand.change("cancel", resting).json["rt_cd"] == "0"


def test_a_price_moved_by_hand_in_the_middle_fills_nothing_before_the_end(make: Make) -> None:
    sim = make()
    hand = Hand(sim).login()
    last = int(hand.price("005930").json["output"]["stck_prpr"])
    resting = odno(hand.order("buy", "005930", 10, last - 5_000))
    sim.arm("E02", params={"ticker": "005930", "seconds": 100})
    sim.set_price("005930", last - 8_000)
    sim.advance(99)
    assert [row for row in sim.journal() if row["kind"] == "fill"] == []
    sim.advance(1)
    (fill,) = (row for row in sim.journal() if row["kind"] == "fill")
    assert (fill["odno"], fill["qty"], fill["price"]) == (resting, 10, last - 8_000)


def test_the_list_of_the_day_tells_it_while_it_lasts_and_after(wild: Simulator) -> None:
    hand, one = Hand(wild).login(), runs_of(wild, WILD)[0]
    ask = {"FID_COND_SCR_DIV_CODE": "20139", "FID_INPUT_DATE_1": "20261120"}
    assert hand.ask("inquire_vi_status", **ask).json["output"] == []
    advance_to(wild, one.start)
    (row,) = hand.ask("inquire_vi_status", FID_INPUT_ISCD=WILD, **ask).json["output"]
    assert (row["vi_cls_code"], row["vi_cncl_hour"], row["vi_count"]) == ("Y", "000000", "1")
    assert (row["vi_prc"], row["vi_stnd_prc"]) == (str(one.price), "10000")
    advance_to(wild, one.end)
    (row,) = hand.ask("inquire_vi_status", FID_INPUT_ISCD=WILD, **ask).json["output"]
    assert (row["vi_cls_code"], row["vi_cncl_hour"]) == ("N", f"{at(one.end):%H%M%S}")
    assert (
        hand.ask("inquire_vi_status", FID_INPUT_ISCD=WILD, FID_DIV_CLS_CODE="2", **ask).json[
            "output"
        ]
        == []
    )


def test_one_made_by_hand_takes_the_place_of_one_it_runs_into(wild: Simulator) -> None:
    one = runs_of(wild, WILD)[0]
    advance_to(wild, one.start - 60)
    wild.arm("E02", params={"ticker": WILD, "seconds": 600})
    found = runs_of(wild, WILD)
    assert found[0].start == one.start - 60 and found[0].end == one.start + 540
    assert one not in found
    wild.arm("E02", params={"ticker": CALM, "seconds": 0.4})
    assert runs_of(wild, CALM) == ()


def test_days_without_a_session_or_to_come_have_none_and_nothing_is_disturbed(
    wild: Simulator,
) -> None:
    hand = Hand(wild).login()
    before = wild.world.market.bar(WILD, FRIDAY.date())
    for day in ("20261123", "20261121", "19000101"):
        asked = hand.ask("inquire_vi_status", FID_COND_SCR_DIV_CODE="20139", FID_INPUT_DATE_1=day)
        assert (asked.json["rt_cd"], asked.json["output"]) == ("0", [])
    assert wild.world.market.bar(WILD, FRIDAY.date()) == before
    assert all(day <= FRIDAY.date() for _code, day in wild.world.market._bars)
    old = hand.ask(
        "inquire_time_dailychartprice", FID_COND_MRKT_DIV_CODE="J", FID_INPUT_ISCD=WILD,
        FID_INPUT_HOUR_1="100000", FID_INPUT_DATE_1="00000101", FID_PW_DATA_INCU_YN="N",
    )  # fmt: skip
    assert old.code == "OPSQ2001"


def test_a_hand_sets_one_off_and_not_a_second_one_inside_it(make: Make) -> None:
    sim = make()
    hand = Hand(sim).login()
    sim.arm("E02", params={"ticker": "069500", "seconds": 100})
    assert hand.price("069500").json["output"]["vi_cls_code"] == "Y"
    assert hand.price("005930").json["output"]["vi_cls_code"] == "N"
    sim.arm("E02", params={"ticker": "069500"})
    fired = [row for row in sim.journal() if row["kind"] == "fault_fired"]
    assert len(fired) == 1, "what changes nothing did not strike"
    sim.advance(100)
    assert hand.price("069500").json["output"]["vi_cls_code"] == "N"
