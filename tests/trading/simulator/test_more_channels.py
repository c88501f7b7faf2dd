"""Indices, programs, member firms and funds' values on the WebSocket: each says what its screen says."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.trading.simulator.conftest import FRIDAY, Make
from tests.trading.simulator.ear import Ear, Frame
from tests.trading.simulator.kis import Hand
from trading.kis_wire import channels
from trading.simulator import Simulator
from trading.simulator.indices import INDICES, members
from trading.simulator.investors import program

INDEX, EXPECTED, INDEX_PROGRAMS = "H0UPCNT0", "H0UPANC0", "H0UPPGM0"
PROGRAMS, FIRMS, VALUES = ("H0STPGM0", "H0UNPGM0"), ("H0STMBC0", "H0UNMBC0"), "H0STNAV0"
CODE, FUND = "005930", "069500"
FIELDS = {c.tr_id: c.fields for c in channels().values()}
STOCK = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": CODE}
KOSPI = {"FID_COND_MRKT_DIV_CODE": "U", "FID_INPUT_ISCD": "0001"}
INDEX_SCREEN = {
    "PRPR_NMIX": "bstp_nmix_prpr",
    "PRDY_VRSS_SIGN": "prdy_vrss_sign",
    "BSTP_NMIX_PRDY_VRSS": "bstp_nmix_prdy_vrss",
    "ACML_VOL": "acml_vol",
    "ACML_TR_PBMN": "acml_tr_pbmn",
    "PRDY_CTRT": "bstp_nmix_prdy_ctrt",
    "OPRC_NMIX": "bstp_nmix_oprc",
    "NMIX_HGPR": "bstp_nmix_hgpr",
    "NMIX_LWPR": "bstp_nmix_lwpr",
    "OPRC_VRSS_NMIX_PRPR": "prdy_nmix_vrss_nmix_oprc",
    "HGPR_VRSS_NMIX_PRPR": "prdy_nmix_vrss_nmix_hgpr",
    "LWPR_VRSS_NMIX_PRPR": "prdy_clpr_vrss_lwpr",
    "OPRC_VRSS_NMIX_SIGN": "oprc_vrss_prpr_sign",
    "HGPR_VRSS_NMIX_SIGN": "hgpr_vrss_prpr_sign",
    "LWPR_VRSS_NMIX_SIGN": "lwpr_vrss_prpr_sign",
    "PRDY_CLPR_VRSS_OPRC_RATE": "bstp_nmix_oprc_prdy_ctrt",
    "PRDY_CLPR_VRSS_HGPR_RATE": "bstp_nmix_hgpr_prdy_ctrt",
    "PRDY_CLPR_VRSS_LWPR_RATE": "prdy_clpr_vrss_lwpr_rate",
    **{f"{way}_ISSU_CNT": f"{way.lower()}_issu_cnt" for way in ("UPLM", "ASCN", "STNR")},
    **{f"{way}_ISSU_CNT": f"{way.lower()}_issu_cnt" for way in ("DOWN", "LSLM")},
}
MAY_BE_ZERO = {
    "QTQT_ASCN_ISSU_CNT": "nobody quotes a name that never trades",
    "QTQT_DOWN_ISSU_CNT": "nobody quotes a name that never trades",
    "SELN_RSQN": "what programs have in the book is not modelled",
    "SHNU_RSQN": "what programs have in the book is not modelled",
    "WHOL_NTBY_QTY": "what programs have in the book is not modelled",
    **{
        f"{side}_MBCR_ENG_NAME{place}": "the broker itself sends English names empty"
        for side in ("SELN2", "BYOV")
        for place in range(1, 6)
    },
}


def named(frame: Frame) -> dict[str, str]:
    """The one record of a frame; it is as long as the broker's table says."""
    (row,) = frame.rows
    return dict(zip(FIELDS[frame.tr_id], row, strict=True))


def all_heard(ear: Ear, sim: Simulator, seconds: int) -> list[Frame]:
    """Everything that comes in some seconds of the session; an index, registered last, ends each."""
    until = f"{sim.now() + timedelta(seconds=seconds):%H%M%S}"
    sim.advance(seconds)
    frames = [ear.frame()]
    while frames[-1].tr_id != INDEX or named(frames[-1])["BSOP_HOUR"] < until:
        frames.append(ear.frame())
    return frames


def heard(ear: Ear, sim: Simulator, seconds: int) -> list[Frame]:
    """What else came in them."""
    return [frame for frame in all_heard(ear, sim, seconds) if frame.tr_id != INDEX]


def accepted(ear: Ear, *places: tuple[str, str]) -> None:
    for tr_id, key in places:
        assert ear.register(tr_id, key)["body"]["msg_cd"] == "OPSP0000"


# --- indices ----------------------------------------------------------------------------------
def test_a_tick_of_an_index_is_what_its_screens_show_of_that_second(
    sim: Simulator, hand: Hand
) -> None:
    with Ear(hand) as ear:
        accepted(ear, (INDEX, "0001"))
        for _ in range(4):
            sim.advance(1)
            told = named(ear.frame())
            shown = hand.ask("inquire_index_price", **KOSPI).json["output"]
            assert {name: told[name] for name in INDEX_SCREEN} == {
                name: shown[read] for name, read in INDEX_SCREEN.items()
            }
            assert (told["BSTP_CLS_CODE"], told["BSOP_HOUR"]) == ("0001", f"{sim.now():%H%M%S}")
            latest = hand.ask("inquire_index_tickprice", **KOSPI).json["output"][0]
            minute = hand.ask("inquire_index_timeprice", **KOSPI, FID_INPUT_HOUR_1="60")
            for row in (latest, minute.json["output"][0]):
                assert row["bstp_nmix_prpr"] == told["PRPR_NMIX"]
                assert row["acml_vol"] == told["ACML_VOL"]


def test_an_index_ticks_once_a_second_and_its_ticks_add_up(sim: Simulator, hand: Hand) -> None:
    before = hand.ask("inquire_index_price", **KOSPI).json["output"]
    volume, level = int(before["acml_vol"]), Decimal(before["bstp_nmix_prpr"])
    paid = int(before["acml_tr_pbmn"])
    with Ear(hand) as ear:
        accepted(ear, (INDEX, "0001"))
        sim.advance(50)
        rows = [named(frame) for frame in ear.frames(50)]
    assert len({row["BSOP_HOUR"] for row in rows}) == 50
    for row in rows:
        volume += int(row["PCAS_VOL"])
        paid += int(row["PCAS_TR_PBMN"])
        level += Decimal(row["TICK_VRSS"]) / 100
        assert (int(row["ACML_VOL"]), int(row["ACML_TR_PBMN"])) == (volume, paid)
        assert Decimal(row["PRPR_NMIX"]) == level
    assert len({row["TICK_VRSS"] for row in rows}) > 5


def test_an_auction_tells_the_expected_level_and_the_session_the_true_one(make: Make) -> None:
    for start, times in (
        (FRIDAY.replace(hour=8, minute=59, second=50), ["085955", "090000", "090001"]),
        (FRIDAY.replace(hour=15, minute=29, second=50), ["152955", "153000"]),
    ):
        sim = make(start=start)
        hand = Hand(sim).login()
        with Ear(hand) as ear:
            accepted(ear, (INDEX, "0001"), (EXPECTED, "0001"))
            sim.advance(9)
            told = named(ear.frame())
            shown = hand.ask("inquire_index_price", **KOSPI).json["output"]
            for name in ("PRPR_NMIX", "PRDY_CTRT", "ACML_VOL", "ASCN_ISSU_CNT"):
                assert told[name] == shown[INDEX_SCREEN[name]]
            sim.advance(2)
            rest = ear.frames(len(times) - 1)
            assert [told["BSOP_HOUR"], *(named(one)["BSOP_HOUR"] for one in rest)] == times
            assert {one.tr_id for one in rest} == {INDEX}
            shown = hand.ask("inquire_index_price", **KOSPI).json["output"]
            assert named(rest[-1])["PRPR_NMIX"] == shown["bstp_nmix_prpr"]


@pytest.mark.parametrize("tr_id", [INDEX, EXPECTED, INDEX_PROGRAMS])
def test_an_index_that_is_not_known_or_has_no_members_is_refused(hand: Hand, tr_id: str) -> None:
    market = hand.sim.world.market
    empty = next(code for code, index in INDICES.items() if not members(market, index))
    with Ear(hand) as ear:
        for key in ("9999", CODE, empty):
            assert ear.register(tr_id, key)["body"]["msg_cd"] == "OPSP8992"
        accepted(ear, (tr_id, "1001"))


# --- programs, firms, values ------------------------------------------------------------------
@pytest.mark.parametrize("tr_id", PROGRAMS)
def test_program_trades_are_those_of_the_screen(sim: Simulator, hand: Hand, tr_id: str) -> None:
    with Ear(hand) as ear:
        accepted(ear, (tr_id, CODE))
        for _ in range(4):
            sim.advance(1)
            told = named(ear.frame())
            shown = hand.ask("program_trade_by_stock", **STOCK).json["output"][0]
            assert (told["MKSC_SHRN_ISCD"], told["STCK_CNTG_HOUR"]) == (CODE, f"{sim.now():%H%M%S}")
            for side, read in (("SELN", "seln"), ("SHNU", "shnu")):
                assert told[f"{side}_CNQN"] == shown[f"whol_smtn_{read}_vol"]
                assert told[f"{side}_TR_PBMN"] == shown[f"whol_smtn_{read}_tr_pbmn"]
            assert told["NTBY_CNQN"] == shown["whol_smtn_ntby_qty"]
            assert told["NTBY_TR_PBMN"] == shown["whol_smtn_ntby_tr_pbmn"]


@pytest.mark.parametrize("tr_id", FIRMS)
def test_member_firms_are_those_of_the_screen(sim: Simulator, hand: Hand, tr_id: str) -> None:
    with Ear(hand) as ear:
        accepted(ear, (tr_id, CODE))
        for _ in range(4):
            sim.advance(1)
            told = named(ear.frame())
            shown = hand.ask("inquire_member", **STOCK).json["output"]
            names = {name for name in told if name.lower() in shown}
            assert len(names) == 57, "all but the code and twenty names of firms"
            for name in names:
                assert told[name] == shown[name.lower()], name
            for place in range(1, 6):
                assert told[f"SELN2_MBCR_NAME{place}"] == shown[f"seln_mbcr_name{place}"]
                assert told[f"BYOV_MBCR_NAME{place}"] == shown[f"shnu_mbcr_name{place}"]


def test_the_value_of_a_fund_is_that_of_the_screen(sim: Simulator, hand: Hand) -> None:
    asked = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": FUND}
    compared = 0
    with Ear(hand) as ear:
        accepted(ear, (VALUES, FUND), (INDEX, "0001"))
        for seconds in (1, 1, 30, 59, 1, 60):
            values = heard(ear, sim, seconds)
            shown = hand.ask("etf_nav_comparison_trend", **asked).json["output2"]
            if values:
                told = named(values[-1])
                assert told.pop("MKSC_SHRN_ISCD") == FUND
                assert told == {name: shown[name.lower()] for name in told}
                compared += 1
    assert compared >= 3


def test_a_fund_has_a_value_and_a_stock_has_none(hand: Hand) -> None:
    with Ear(hand) as ear:
        accepted(ear, (VALUES, FUND))
        assert ear.register(VALUES, CODE)["body"]["msg_cd"] == "OPSP8992"


def test_how_things_stand_is_told_when_it_changes_and_not_again(sim: Simulator, hand: Hand) -> None:
    with Ear(hand) as ear:
        places = [(PROGRAMS[0], CODE), (VALUES, FUND), (FIRMS[0], CODE)]
        accepted(ear, *places, (INDEX, "0001"))
        moving = [frame.tr_id for frame in heard(ear, sim, 5)]
        assert moving.count(PROGRAMS[0]) == moving.count(FIRMS[0]) == 5
        for code in (CODE, FUND):
            sim.halt(code)
        still = [frame.tr_id for frame in heard(ear, sim, 40)]
        assert PROGRAMS[0] not in still and VALUES not in still
        assert FIRMS[0] in still, "the changes of the last minute fade"
        heard(ear, sim, 30)
        assert FIRMS[0] not in [frame.tr_id for frame in heard(ear, sim, 20)]
        ear.register(PROGRAMS[0], CODE, "2")
        sim.advance(1)
        assert ear.frame().tr_id == INDEX
        accepted(ear, (PROGRAMS[0], CODE))
        assert [frame.tr_id for frame in heard(ear, sim, 2)] == [PROGRAMS[0]], "to a new listener"


def test_every_field_is_true_or_named_as_zero(sim: Simulator, hand: Hand) -> None:
    market = sim.world.market
    pinned = members(market, INDICES["0001"])[-3:]
    for code, place in zip(pinned, ("upper", "lower", "reference"), strict=True):
        shown = market.shown(code, sim.now())
        sim.set_price(code, shown.bar.reference if place == "reference" else getattr(shown, place))
    seen: dict[str, set[str]] = {}
    with Ear(hand) as ear:
        places = [(tr_id, CODE) for tr_id in (*PROGRAMS, *FIRMS)]
        accepted(ear, *places, (VALUES, FUND), (INDEX, "0001"))
        for frame in all_heard(ear, sim, 30):
            for name, value in named(frame).items():
                seen.setdefault(name, set()).add(value)
    idle = {name for name, values in seen.items() if not values - {"", "0", "0.00"}}
    assert idle == set(MAY_BE_ZERO)


# --- who hears what ---------------------------------------------------------------------------
EVERYTHING = [
    *((tr_id, CODE) for tr_id in (*PROGRAMS, *FIRMS)),
    (VALUES, FUND),
    (INDEX, "2001"),
    (INDEX, "0001"),
]


def test_two_sessions_hear_the_same(make: Make) -> None:
    entries = [
        {"appkey": letter * 36, "appsecret": "s" * 180, "account": f"1111111{n}-01"}
        for n, letter in enumerate("ab")
    ]
    sim = make(accounts=entries, tame=False)
    one, two = (
        Hand(sim, entry["account"], entry["appkey"], entry["appsecret"]).login()
        for entry in entries
    )
    with Ear(one) as mine, Ear(two) as theirs:
        for ear in (mine, theirs):
            accepted(ear, *EVERYTHING)
        told = all_heard(mine, sim, 15)
        assert len(told) > 60
        assert theirs.frames(len(told)) == told


def test_one_seed_tells_the_same_twice(make: Make) -> None:
    runs = []
    for _ in range(2):
        sim = make(tame=False, seed=11)
        with Ear(Hand(sim).login()) as ear:
            accepted(ear, *EVERYTHING)
            runs.append(all_heard(ear, sim, 30))
    assert len(runs[0]) > 120
    assert runs[0] == runs[1]


def test_the_abolished_evening_auction_is_taken_and_silent(sim: Simulator, hand: Hand) -> None:
    with Ear(hand) as ear:
        accepted(ear, *((tr_id, CODE) for tr_id in ("H0STOUP0", "H0STOAA0", "H0STOAC0")))
        accepted(ear, (INDEX, "0001"))
        assert not heard(ear, sim, 5)


@pytest.mark.parametrize("index", ["0001", "2001"])
def test_a_market_s_programs_are_those_of_its_members(
    sim: Simulator, hand: Hand, index: str
) -> None:
    with Ear(hand) as ear:
        accepted(ear, (INDEX_PROGRAMS, index))
        sim.advance(10 - sim.now().second % 10)
        told = named(ear.frame())
    market, at, numbers = sim.world.market, sim.now(), {}
    assert (told["BSTP_CLS_CODE"], told["BSOP_HOUR"]) == (index, f"{at:%H%M%S}")
    deals = [
        program(market, code, at.date(), shown.volume, shown.turnover)
        for code in members(market, INDICES[index])
        for shown in [market.shown(code, at)]
    ]
    for name in FIELDS[INDEX_PROGRAMS][2:]:
        numbers[name] = Decimal(told[name])
    for name, unit, whole in (
        ("TOTAL_SELN_QTY", 1_000, sum(one.sold for one in deals)),
        ("SHNU_CNTG_SMTN", 1_000, sum(one.bought for one in deals)),
        ("TOTAL_SELN_TR_PBMN", 1_000_000, sum(one.received for one in deals)),
        ("TOTAL_SHNU_TR_PBMN", 1_000_000, sum(one.paid for one in deals)),
    ):
        assert whole // unit - 3 <= numbers[name] <= whole // unit, "four parts rounded down"
    asked = {"FID_COND_MRKT_DIV_CODE": "U", "FID_INPUT_ISCD": index}
    shown = hand.ask("inquire_index_price", **asked).json["output"]
    assert (told["ACML_VOL"], told["ACML_TR_PBMN"]) == (shown["acml_vol"], shown["acml_tr_pbmn"])
    for side, total in (("SELN", "TOTAL_SELN_QTY"), ("SHNU", "SHNU_CNTG_SMTN")):
        parts = [
            numbers[f"{why}_{side}_{whom}_CNQN"]
            for why in ("ARBT", "NABT")
            for whom in ("ENTM", "ONSL")
        ]
        assert all(parts) and sum(parts) == numbers[total]
        assert sum(numbers[f"{why}_SMTN_{side}_VOL"] for why in ("ARBT", "NABT")) == sum(parts)
        assert sum(numbers[f"WHOL_{whom}_{side}_VOL"] for whom in ("ENTM", "ONSL")) == sum(parts)
    assert numbers["SHNU_CNTG_SMTN"] - numbers["TOTAL_SELN_QTY"] == numbers["WHOL_NTBY_QTY"]
    share = numbers["TOTAL_SELN_QTY"] * 100 / numbers["ACML_VOL"]
    assert abs(numbers["WHOL_SELN_VOL_RATE"] - share) <= Decimal("0.01")
    assert not [name for name, value in numbers.items() if not value and "RATE" not in name]


def test_a_market_s_programs_are_told_every_ten_seconds_while_something_trades(
    sim: Simulator, hand: Hand
) -> None:
    with Ear(hand) as ear:
        accepted(ear, (INDEX_PROGRAMS, "0001"), (INDEX, "0001"))
        told = [named(frame)["BSOP_HOUR"] for frame in heard(ear, sim, 40)]
    assert len(told) == 4 and {time[-1] for time in told} == {"0"}
