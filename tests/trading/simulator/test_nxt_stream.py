"""NXT and KRX's evening on the WebSocket: each record says what the venue's own screen says of that second."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.ear import ON_SCREEN, Ear, Frame
from tests.trading.simulator.evenings import FUND, NXT, RICH, SHARE, at, book, ends, quote, until
from tests.trading.simulator.test_more_channels import accepted, named
from trading.kis_wire import channels
from trading.simulator import Simulator

TRADES, BOOK, STATUS, EXPECTED = "H0NXCNT0", "H0NXASP0", "H0NXMKO0", "H0NXANC0"
PROGRAMS, FIRMS = "H0NXPGM0", "H0NXMBC0"
KRX_TRADES, KRX_BOOK, ALL_TRADES = "H0STCNT0", "H0STASP0", "H0UNCNT0"
LAYOUT = {c.tr_id: c.fields for c in channels().values()}
PHASES = {"08:10": "10", "10:00": "20", "15:35": "30", "16:30": "30"}
UNLISTED = "035720"
each_window = pytest.mark.parametrize("moment", PHASES)
each_venue = pytest.mark.parametrize(
    ("tr_id", "moment"),
    [*((TRADES, moment) for moment in PHASES), (KRX_TRADES, "16:30"), (ALL_TRADES, "16:30")],
)


def told(ear: Ear, sim: Simulator, seconds: float) -> list[Frame]:
    """What is told in so many seconds: all that comes before the answer to a question asked after them."""
    sim.advance(seconds)
    ear.say(ear.message("H0STCNT0", "999999"))
    found: list[Frame] = []
    while not isinstance(one := ear.next(), str):
        found.append(one)
    return found


def rows_of(tr_id: str, frames: list[Frame]) -> list[dict[str, str]]:
    names = LAYOUT[tr_id]
    return [
        dict(zip(names, row, strict=True))
        for one in frames
        if one.tr_id == tr_id
        for row in one.rows
    ]


# --- trades -----------------------------------------------------------------------------------
@each_window
def test_a_trade_is_what_nx_shows_of_that_second(make: Make, moment: str) -> None:
    hand = at(make, moment)
    with Ear(hand) as ear:
        accepted(ear, (TRADES, SHARE))
        for _ in range(4):
            rows: list[dict[str, str]] = []
            while not rows:
                rows = rows_of(TRADES, told(ear, hand.sim, 1))
            last, shown, asks = rows[-1], quote(hand, SHARE), book(hand, SHARE, "NX")
            assert last["STCK_CNTG_HOUR"] == f"{hand.sim.now():%H%M%S}"
            assert {name: last[name] for name in ON_SCREEN} == {
                name: shown[read] for name, read in ON_SCREEN.items()
            }
            assert (last["ASKP1"], last["BIDP1"]) == (asks["askp1"], asks["bidp1"])
            assert last["TOTAL_ASKP_RSQN"] == asks["total_askp_rsqn"]
            assert last["NEW_MKOP_CLS_CODE"] == PHASES[moment]


@each_venue
def test_the_trades_of_a_venue_add_up(make: Make, tr_id: str, moment: str) -> None:
    hand = at(make, moment, tame=False)
    with Ear(hand) as ear:
        accepted(ear, (tr_id, SHARE))
        rows = rows_of(tr_id, told(ear, hand.sim, 55))
    assert len(rows) > 30
    volume = int(rows[0]["ACML_VOL"]) - int(rows[0]["CNTG_VOL"])
    for row in rows:
        volume += int(row["CNTG_VOL"])
        sold, bought = int(row["SELN_CNTG_SMTN"]), int(row["SHNU_CNTG_SMTN"])
        assert int(row["ACML_VOL"]) == volume == sold + bought
        low, high, price = (int(row[name]) for name in ("STCK_LWPR", "STCK_HGPR", "STCK_PRPR"))
        assert low <= price <= high and low <= int(row["STCK_OPRC"]) <= high
        begins, now = row["OPRC_HOUR"], row["STCK_CNTG_HOUR"]
        assert begins <= row["HGPR_HOUR"] <= now and begins <= row["LWPR_HOUR"] <= now
    assert {row.get("CNTG_CLS_CODE") or row["CCLD_DVSN"] for row in rows} == {"1", "5"}
    assert len({row["STCK_PRPR"] for row in rows}) > 1 or moment == "15:35"


@pytest.mark.parametrize("moment", ["08:49:00", "15:19:00", "19:59:00"])
def test_a_window_trades_to_its_end_and_its_break_is_silent(make: Make, moment: str) -> None:
    hand = at(make, moment)
    end = hand.sim.now() + timedelta(seconds=60)
    places = [(tr_id, SHARE) for tr_id in (TRADES, BOOK, STATUS, EXPECTED)]
    with Ear(hand) as ear:
        accepted(ear, *places)
        first = told(ear, hand.sim, 59)
        times = [row["STCK_CNTG_HOUR"] for row in rows_of(TRADES, first)]
        assert times[-1] >= f"{end - timedelta(seconds=10):%H%M%S}" and rows_of(BOOK, first)
        assert not rows_of(STATUS, first)
        then = told(ear, hand.sim, 30)
        assert [row["MKOP_CLS_CODE"] for row in rows_of(STATUS, then)] == ["129"]
        assert {one.tr_id for one in then} == {STATUS}
        assert not told(ear, hand.sim, 500)


def test_every_window_s_beginning_and_end_is_told(make: Make) -> None:
    hand = at(make, "07:59:50")
    codes = []
    with Ear(hand) as ear:
        accepted(ear, (STATUS, SHARE))
        for moment in ("08:00", "08:50", "09:00:30", "15:20", "15:30", "20:00"):
            until(hand, moment)
            row = named(ear.frame())
            assert (row["EXCH_CLS_CODE"], row["TRHT_YN"], row["VI_CLS_CODE"]) == ("2", "N", "N")
            codes.append(row["MKOP_CLS_CODE"])
    assert codes == ["112", "129"] * 3


@each_window
def test_a_halt_is_told_and_nothing_trades_until_it_is_lifted(make: Make, moment: str) -> None:
    hand = at(make, moment)
    with Ear(hand) as ear:
        accepted(ear, (STATUS, SHARE), (TRADES, SHARE))
        assert rows_of(TRADES, told(ear, hand.sim, 10))
        hand.sim.halt(SHARE, seconds=20)
        before = quote(hand, SHARE)
        while_halted = told(ear, hand.sim, 19)
        assert [row["TRHT_YN"] for row in rows_of(STATUS, while_halted)] == ["Y"]
        assert not rows_of(TRADES, while_halted)
        for name in ("acml_vol", "acml_tr_pbmn", "stck_prpr", "stck_hgpr"):
            assert quote(hand, SHARE)[name] == before[name]
        after = told(ear, hand.sim, 15)
        assert [row["TRHT_YN"] for row in rows_of(STATUS, after)] == ["N"]
        assert rows_of(TRADES, after)


def test_while_krx_interrupts_a_name_nxt_is_still_and_says_so(make: Make) -> None:
    hand = at(make, "10:00")
    with Ear(hand) as ear:
        accepted(ear, (STATUS, SHARE), (TRADES, SHARE))
        hand.sim.arm("E02", params={"ticker": SHARE, "seconds": 100})
        begun = told(ear, hand.sim, 60)
        (row,) = rows_of(STATUS, begun)
        assert (row["VI_CLS_CODE"], row["TRHT_YN"]) == ("Y", "N")
        assert not rows_of(TRADES, told(ear, hand.sim, 10))
        ended = told(ear, hand.sim, 90)
        assert [row["VI_CLS_CODE"] for row in rows_of(STATUS, ended)] == ["N"]
        assert rows_of(TRADES, ended)


# --- books ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tr_id", "market", "moment", "venue", "dvsn"),
    [
        *((BOOK, "NX", moment, NXT, "00") for moment in PHASES),
        (KRX_BOOK, "J", "16:30", {}, "41"),
    ],
)
def test_a_book_is_what_its_screen_shows_our_orders_among_it(
    make: Make, tr_id: str, market: str, moment: str, venue: dict[str, str], dvsn: str
) -> None:
    hand = at(make, moment, accounts=RICH)
    low = int(book(hand, SHARE, market)["bidp3"])
    answer = hand.order("buy", SHARE, 77, low, dvsn, **venue)
    assert ends(hand, answer) == (0, 77, 0)
    with Ear(hand) as ear:
        accepted(ear, (tr_id, SHARE))
        mine = 0
        for _ in range(4):
            (row,), shown = rows_of(tr_id, told(ear, hand.sim, 1)), book(hand, SHARE, market)
            names = [f"{s}P{n}" for s in ("ASK", "BID") for n in range(1, 11)]
            names += [f"{s}P_RSQN{n}" for s in ("ASK", "BID") for n in range(1, 11)]
            names += ["TOTAL_ASKP_RSQN", "TOTAL_BIDP_RSQN"]
            assert {n: row[n] for n in names} == {n: shown[n.lower()] for n in names}
            levels = {row[f"BIDP{n}"]: int(row[f"BIDP_RSQN{n}"]) for n in range(1, 11)}
            mine += levels.get(str(low), 0) >= 77
        assert mine


# --- KRX's evening ----------------------------------------------------------------------------
def test_the_evening_of_krx_is_told_on_its_own_channels_and_the_day_stays_as_it_closed(
    make: Make,
) -> None:
    hand = at(make, "15:59:58")
    closed = hand.price(SHARE).json["output"]
    with Ear(hand) as ear:
        accepted(ear, (KRX_TRADES, SHARE), (KRX_BOOK, SHARE))
        first = rows_of(KRX_TRADES, told(ear, hand.sim, 60))[0]
        assert (first["STCK_CNTG_HOUR"], first["NEW_MKOP_CLS_CODE"]) == ("160000", "30")
        assert 0 < int(first["ACML_VOL"]) < int(closed["acml_vol"])
    assert hand.price(SHARE).json["output"] == closed


def test_a_fund_and_a_day_before_the_reform_have_no_evening(make: Make) -> None:
    for code, day in ((FUND, "2026-11-20"), (SHARE, "2026-09-11")):
        hand = at(make, "16:10", day)
        with Ear(hand) as ear:
            accepted(ear, (KRX_TRADES, code), (KRX_BOOK, code), ("H0STMKO0", code))
            assert not told(ear, hand.sim, 20)
            hand.sim.halt(code)
            assert [one.tr_id for one in told(ear, hand.sim, 1)] == ["H0STMKO0"]


# --- who trades there -------------------------------------------------------------------------
@each_window
def test_programs_and_firms_are_parts_of_what_nxt_trades(make: Make, moment: str) -> None:
    hand = at(make, moment)
    with Ear(hand) as ear:
        accepted(ear, (PROGRAMS, SHARE), (FIRMS, SHARE))
        program, firm = (named(one) for one in told(ear, hand.sim, 1))
        shown = quote(hand, SHARE)
    volume, paid = int(shown["acml_vol"]), int(shown["acml_tr_pbmn"])
    assert 0 < int(program["SHNU_CNQN"]) < volume and 0 < int(program["SELN_CNQN"]) < volume
    assert int(program["SHNU_CNQN"]) - int(program["SELN_CNQN"]) == int(program["NTBY_CNQN"])
    net = int(program["SHNU_TR_PBMN"]) - int(program["SELN_TR_PBMN"])
    assert net == int(program["NTBY_TR_PBMN"]) and int(program["SHNU_TR_PBMN"]) < paid
    for side in ("SELN", "SHNU"):
        passed = [int(firm[f"TOTAL_{side}_QTY{place}"]) for place in range(1, 6)]
        assert passed == sorted(passed, reverse=True) and 0 < sum(passed) <= volume
        for place, quantity in enumerate(passed, 1):
            share = Decimal(firm[f"{side}_MBCR_RLIM{place}"])
            assert abs(share - Decimal(quantity * 100) / volume) <= Decimal("0.01")
            assert 0 <= int(firm[f"{side}_QTY_ICDC{place}"]) <= quantity
    assert firm["SELN2_MBCR_NAME1"] and firm["BYOV_MBCR_NAME1"]


# --- who may hear what ------------------------------------------------------------------------
@pytest.mark.parametrize("tr_id", [TRADES, BOOK, STATUS, EXPECTED, PROGRAMS, FIRMS])
def test_a_name_that_nxt_does_not_trade_is_refused(make: Make, tr_id: str) -> None:
    with Ear(at(make, "10:00")) as ear:
        for code in (UNLISTED, FUND, "999999"):
            assert ear.register(tr_id, code)["body"]["msg_cd"] == "OPSP8992"
        accepted(ear, (tr_id, SHARE))


def test_the_mock_host_has_no_nxt(make: Make) -> None:
    with Ear(at(make, "10:00", profile="mock")) as ear:
        assert ear.register(TRADES, SHARE)["body"]["msg_cd"] == "OPSP8991"
        accepted(ear, (KRX_TRADES, SHARE))


@pytest.mark.parametrize("moment", ["10:00", "16:30"])
def test_two_listeners_and_two_runs_of_a_seed_are_told_the_same(make: Make, moment: str) -> None:
    runs = []
    for _ in range(2):
        hand = at(make, moment, tame=False, seed=11)
        with Ear(hand) as ear:
            accepted(ear, *((tr_id, SHARE) for tr_id in (BOOK, PROGRAMS, FIRMS, TRADES)))
            runs.append(told(ear, hand.sim, 30))
    assert runs[0] == runs[1] and len(runs[0]) > 60


@pytest.mark.parametrize("tr_id", [STATUS, "H0STMKO0", "H0UNMKO0"])
def test_what_hands_do_to_a_name_is_told_once_when_it_begins_and_once_when_it_ends(
    make: Make, tr_id: str
) -> None:
    hand = at(make, "10:00")
    with Ear(hand) as ear:
        accepted(ear, (tr_id, SHARE))
        for halted in (True, False):
            hand.sim.halt(SHARE, halted=halted)
            (row,) = rows_of(tr_id, told(ear, hand.sim, 30))
            assert row["TRHT_YN"] == ("Y" if halted else "N")
        hand.sim.arm("E02", params={"ticker": SHARE, "seconds": 100})
        (row,) = rows_of(tr_id, told(ear, hand.sim, 30))
        assert (row["TRHT_YN"], row["VI_CLS_CODE"]) == ("N", "Y")


@pytest.mark.parametrize("tr_id", [STATUS, "H0STMKO0", TRADES, BOOK, PROGRAMS, FIRMS])
def test_a_weekend_is_silent(make: Make, tr_id: str) -> None:
    hand = at(make, "10:00", "2026-11-21")
    with Ear(hand) as ear:
        accepted(ear, (tr_id, SHARE))
        assert not told(ear, hand.sim, 30)
