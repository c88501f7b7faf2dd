"""A day from eight to eight on every venue: one story on every screen, and a cut life that goes on in it."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.ear import Ear
from tests.trading.simulator.evenings import HELD, NXT, RICH, SHARE, SOR, book, on, reference, told
from tests.trading.simulator.kis import ACCOUNT, Hand
from tests.trading.simulator.test_one_truth import NOTICE, counted, numbers
from tests.trading.simulator.test_world import comparable, fold
from trading.simulator import DEMO_APPKEY, DEMO_APPSECRET, Simulator

CASH = 10**9
NAMES = ("005930", "000660", "035420", "005380", "005930", "035420", "035720", "069500")
UNPRICED = {
    "01",
    "03",
    "04",
    "05",
    "06",
    "13",
    "14",
    "15",
    "16",
    "28",
    "29",
    "44",
    "45",
    "46",
    "47",
}
KRX_DAY, EVENING = (
    ("00", "01", "03", "04", "11", "12", "15"),
    ("41", "41", "42", "43", "44", "45", "47"),
)
MORNING = ("00", "03", "11", "15", "27", "28", "29")
POOR = [{"appkey": DEMO_APPKEY, "appsecret": DEMO_APPSECRET, "account": ACCOUNT, "cash": CASH}]
BEGINS = on("08:00:30")


def act(hand: Hand, rng: random.Random) -> None:
    """One order of somebody who trades wherever something is open, now and then where nothing is."""
    hour = f"{hand.sim.now():%H:%M}"
    choice = rng.random()
    if choice < 0.15:
        working = hand.open_orders()
        if working:
            row = rng.choice(working)
            kind = rng.choice(("cancel", "cancel", "revise"))
            price = 0 if kind == "cancel" else int(row["ord_unpr"])
            dvsn = row["ord_dvsn_cd"]
            hand.change(kind, row["odno"], price=0 if dvsn in UNPRICED else price, dvsn=dvsn)
        return
    code = rng.choice(NAMES)
    venue: dict[str, str] = rng.choice(({}, {}, NXT, SOR))
    if hour < "08:50" and venue:
        types = MORNING
    elif "08:30" <= hour < "08:40":
        types = ("05",)
    elif "15:40" <= hour < "16:00" and not venue:
        types = ("06",)
    elif hour >= "16:00" and not venue:
        types = EVENING
    else:
        types = KRX_DAY
    dvsn = rng.choice(types)
    last = hand.sim.world.market.shown(code, hand.sim.now()).last
    tick = 1_000 if last >= 500_000 else 500 if last >= 200_000 else 100
    price = last // tick * tick + rng.randint(-2, 2) * tick
    side = rng.choice(("buy", "buy", "sell"))
    hand.order(side, code, rng.randint(1, 20), 0 if dvsn in UNPRICED else price, dvsn, **venue)


def pace(hour: str) -> int:
    """Seconds between two orders of a day that are mostly sent outside the regular session."""
    if hour < "09:00":
        return 8
    return 100 if hour < "15:30" else 4 if hour < "16:00" else 14


def live(hand: Hand, rng: random.Random, orders: int, seconds: int) -> None:
    """`orders` of them, `seconds` of the day apart on average."""
    for number in range(orders):
        act(hand, rng)
        hand.sim.advance(rng.randint(0, 2 * seconds))
        if number % 200 == 0:
            hand.login()


def live_until(hand: Hand, rng: random.Random, end: str) -> None:
    while (hour := f"{hand.sim.now():%H:%M}") < end:
        act(hand, rng)
        hand.sim.advance(rng.randint(0, 2 * pace(hour)))


@pytest.fixture(scope="module", params=[3, 4])
def day(request: pytest.FixtureRequest) -> Iterator[tuple[Simulator, Hand, list[list[str]]]]:
    """A messy world, and more than a thousand orders from eight in the morning to the evening."""
    seed = request.param
    with Simulator(
        tame=False, throttled=False, start=BEGINS, seed=seed, speed=0, accounts=POOR
    ) as sim:
        hand, rng = Hand(sim).login(), random.Random(seed)
        with Ear(hand) as ear:
            ear.register("H0STCNI0", "me")
            live_until(hand, rng, "19:30")
            sim.advance(60)
            out = len([row for row in sim.journal() if row["kind"] == "notice_out"])
            heard = [ear.frame().rows[0] for _ in range(out)]
        hand.login()
        yield sim, hand, heard


def test_every_screen_tells_the_same_story(day: Any) -> None:
    sim, hand, heard = day
    journal, truth = sim.journal(), sim.truth()
    held, cash = truth["positions"][hand.account], truth["cash"][hand.account]
    fills = [row for row in journal if row["kind"] == "fill"]
    accepted = {row["odno"]: row for row in journal if row["kind"] == "accepted"}
    boards = {accepted[row["odno"]].get("board", "") for row in fills}
    assert boards == {"", "krx_before", "krx_at_close", "krx_after", "nxt"}
    beside = [row for row in accepted.values() if row.get("board")]
    assert (
        len(beside) >= 1_000 and len([r for r in fills if accepted[r["odno"]].get("board")]) > 500
    )

    # the journal alone, and no won made or lost
    folded = fold(journal)
    folded["positions"] = {a: p for a, p in folded["positions"].items() if p}
    assert folded == comparable(truth)
    money = CASH
    for row in journal:
        if row["kind"] == "fill":
            buys = accepted[row["odno"]]["side"] == "buy"
            assert row["amt"] == row["price"] * row["qty"]
            money += -row["amt"] - row["fee"] if buys else row["amt"] - row["fee"] - row["tax"]
        if row["kind"] == "cash":
            assert row["d2_cash"] == money
            assert min(row["cash"], row["d2_cash"]) >= 0
    assert cash["d2_cash"] == money

    # the balance
    rows, totals = hand.balance()
    assert {r["pdno"]: int(r["hldg_qty"]) for r in rows if int(r["hldg_qty"])} == held
    assert int(totals["dnca_tot_amt"]) == cash["cash"]
    assert int(totals["prvs_rcdl_excc_amt"]) == cash["d2_cash"]
    assert int(totals["tot_evlu_amt"]) == int(totals["scts_evlu_amt"]) + cash["d2_cash"]

    # orders by venue and together, and what is left of them
    orders = hand.fills()
    by_venue = [row for venue in ("KRX", "NXT", "SOR") for row in hand.fills(EXCG_ID_DVSN_CD=venue)]
    assert sorted(row["odno"] for row in by_venue) == sorted(row["odno"] for row in orders)
    assert {row["odno"] for row in orders} == set(accepted)
    assert [row for row in journal if row["kind"] == "expire"]
    for row in orders:
        parts = numbers(row, "tot_ccld_qty", "rmn_qty", "cnc_cfrm_qty", "rjct_qty")
        assert int(row["ord_qty"]) == sum(parts), row
    by_fill: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in fills:
        by_fill[row["odno"]][0] += row["qty"]
        by_fill[row["odno"]][1] += row["amt"]
    assert {
        row["odno"]: numbers(row, "tot_ccld_qty", "tot_ccld_amt")
        for row in orders
        if int(row["tot_ccld_qty"])
    } == dict(by_fill)
    working = {row["odno"]: int(row["psbl_qty"]) for row in hand.open_orders()}
    assert working
    assert working == {r["odno"]: int(r["rmn_qty"]) for r in orders if int(r["rmn_qty"])}

    # a limit is a limit on every board, and a board has only what it lists
    for row in fills:
        order = accepted[row["odno"]]
        if order["price"]:
            better = order["price"] - row["price"]
            assert better * (1 if order["side"] == "buy" else -1) >= 0
        assert row["price"] <= order["reserve"] or order["side"] == "sell"
        if order.get("board") in ("nxt", "krx_after"):
            assert order["ticker"] != "069500"

    # what may be sold and what may be bought
    locked: dict[str, int] = defaultdict(int)
    for row in orders:
        if row["sll_buy_dvsn_cd"] == "01":
            locked[row["pdno"]] += int(row["rmn_qty"])
    for code, quantity in held.items():
        sellable = hand.ask("inquire_psbl_sell", PDNO=code).json["output"]
        assert numbers(sellable, "cblc_qty", "ord_psbl_qty") == [quantity, quantity - locked[code]]
    ledger = sim.world.truth.accounts[hand.account].truth
    assert int(hand.power().json["output"]["ord_psbl_cash"]) == ledger.available()
    assert ledger.reserved() == sum(
        row.remaining * row.reserve_price
        + int(row.remaining * row.reserve_price * sim.world.truth.rates.stock)
        for row in ledger.working.values()
        if row.side.value == "buy"
    )

    # realised profit and costs
    made, fee, tax = counted(journal)
    today = f"{sim.now():%Y%m%d}"
    span = {"INQR_STRT_DT": today, "INQR_END_DT": today}
    daily = hand.ask("inquire_period_profit", **span).json["output2"]
    assert int(daily["tot_rlzt_pfls"]) == made
    assert numbers(daily, "tot_fee", "tot_tltx") == [fee, tax]
    assert int(totals["thdt_tlex_amt"]) == fee + tax

    # notices
    lost = [r for r in journal if r["kind"] == "notice_drop" and r["kind_of"] == "2"]
    told_of = [row for row in heard if row[NOTICE["CNTG_YN"]] == "2"]
    assert len(told_of) + len(lost) == len(fills)


def test_after_eight_nothing_works_and_the_next_day_begins_from_the_regular_close(day: Any) -> None:
    sim, hand, _heard = day
    sim.advance((on("20:00:30") - sim.now()).total_seconds())
    hand.login()
    closes = {code: hand.price(code).json["output"]["stck_prpr"] for code in NAMES}
    assert hand.open_orders() == []
    assert not sim.world.truth.floor.resting
    ledger = sim.world.truth.accounts[hand.account].truth
    assert (ledger.reserved(), ledger.available()) == (0, ledger.d2_cash)
    assert all(ledger.sellable(code) == held.quantity for code, held in ledger.holdings.items())
    sim.advance(timedelta(days=3).total_seconds() - 10 * 3600)
    hand.login()
    for code, price in closes.items():
        assert hand.price(code).json["output"]["stck_sdpr"] == price


# --- one seed, a second life, another epoch ---------------------------------------------------


def play(seed: int) -> str:
    with Simulator(tame=False, throttled=False, start=BEGINS, seed=seed, speed=0) as sim:
        live(Hand(sim).login(), random.Random("the same requests"), 150, 250)
        return hashlib.sha256(sim.journal_bytes()).hexdigest()


def test_one_seed_and_the_same_requests_give_one_journal() -> None:
    assert play(5) == play(5)
    assert play(5) != play(6)


@pytest.mark.parametrize("moment", ["08:05", "08:33", "10:00", "15:42", "16:20", "19:30"])
def test_a_journal_that_was_cut_at_any_hour_is_gone_on_with(
    make: Make, tmp_path: Path, moment: str
) -> None:
    path = tmp_path / "first.jsonl"
    sim = make(tame=False, seed=23, start=on(moment), journal=path, accounts=RICH)
    hand = Hand(sim).login()
    live(hand, random.Random("cut"), 60, 5)
    far = reference(hand, SHARE) * 3 // 4 // 100 * 100
    for dvsn, venue in (("27", NXT), ("00", NXT), ("00", SOR), ("41", {})):
        hand.order("buy", SHARE, 3, far, dvsn, **venue)
    second = tmp_path / "second.jsonl"
    shutil.copy(path, second)
    again = make(tame=False, seed=23, start=None, journal=second, accounts=RICH, resume=True)
    other = Hand(again, token=hand.token)
    assert again.truth() == sim.truth()
    assert other.fills() == hand.fills()
    assert other.open_orders() == hand.open_orders()
    assert other.balance() == hand.balance()
    assert other.power().json == hand.power().json
    floors = [world.world.truth.floor for world in (sim, again)]
    left = [
        {odno: q for book in floor.books.values() for odno, q in _resting(book)} for floor in floors
    ]
    assert left[0] == left[1] and left[0]
    assert floors[0].until_pre_end >= floors[1].until_pre_end
    number = other.order("buy", SHARE, 1, 90_000, "00", **SOR)
    assert number.json.get("output") == hand.order("buy", SHARE, 1, 90_000, "00", **SOR).json.get(
        "output"
    )
    rng = random.Random("further")
    live(other.login(), rng, 20, 30)
    again.advance(max(0.0, (on("20:01") - again.now()).total_seconds()))
    assert other.login().open_orders() == []
    folded = fold(again.journal())
    folded["positions"] = {a: p for a, p in folded["positions"].items() if p}
    assert folded == comparable(again.truth())


def _resting(book: Any) -> list[tuple[str, int]]:
    return [(order.order_id, order.quantity) for order in book._resting]


def test_a_second_life_in_the_evening_fills_what_the_first_one_left(
    make: Make, tmp_path: Path
) -> None:
    path = tmp_path / "first.jsonl"
    sim = make(start=on("16:30"), journal=path, accounts=RICH)
    hand = Hand(sim).login()
    asked = int(book(hand, SHARE)["askp1"])
    hand.order("buy", SHARE, 7, asked - 3_000, "41")
    hand.order("buy", SHARE, 5, asked - 3_000, "00", **NXT)
    sim.stop()
    again = make(start=None, journal=path, accounts=RICH, resume=True)
    assert [row["filled"] for row in again.truth()["orders"]] == [0, 0]
    again.set_price(SHARE, asked - 3_500)
    again.advance(2)
    assert [row["filled"] for row in again.truth()["orders"]] == [7, 5]


@pytest.mark.parametrize("moment", ["08:33", "08:45", "15:42", "16:30", "19:30"])
def test_a_snapshot_is_gone_back_to_with_the_books_of_every_board(make: Make, moment: str) -> None:
    sim = make(tame=False, start=on(moment), accounts=RICH)
    hand = Hand(sim).login()
    live(hand, random.Random(moment), 30, 1)
    sim.snapshot("here")
    before, lines = sim.truth(), sim.journal_bytes()

    def go_on() -> tuple[dict[str, Any], bytes]:
        live(hand, random.Random("on"), 20, 20)
        sim.advance(3_600)
        return sim.truth(), sim.journal_bytes()

    first = go_on()
    sim.restore("here")
    assert comparable(sim.truth()) == comparable(before)
    assert sim.journal_bytes() == lines
    second = go_on()
    assert comparable(first[0]) == comparable(second[0])
    assert first[1] == second[1]


@pytest.mark.parametrize("fault", ["A03", "A18", "A22", "E01", "B01"])
def test_a_fault_strikes_an_order_of_the_evening_as_one_of_the_day(make: Make, fault: str) -> None:
    sim = make(start=on("16:30"), accounts=RICH)
    hand = Hand(sim).login()
    sim.set_price(SHARE, 98_000)
    low = hand.order("buy", SHARE, 10, 95_000, "41").json["output"]["ODNO"]
    sim.arm(fault, match={"side": "buy"}, params={"seconds": 0} if fault == "A03" else {})
    if fault == "A22":
        hand.change("cancel", low)
        assert [row["filled"] for row in sim.truth()["orders"]] == [10]
        assert told(sim, "fill")[0]["price"] == 95_000
    elif fault == "A03":
        with pytest.raises((ConnectionError, OSError)):
            hand.order("buy", SHARE, 10, 98_100, "41")
        assert [row["filled"] for row in sim.truth()["orders"]] == [0, 10]
    else:
        hand.order("buy", SHARE, 10, 98_100, "41")
        filled = [row["filled"] for row in sim.truth()["orders"]]
        assert filled == {"A18": [0, 10, 10], "E01": [0, 5], "B01": [0, 10]}[fault]
    assert [row["fault"] for row in told(sim, "fault_fired")] == [fault]
    assert set(HELD) >= {SHARE}


def test_a_world_that_nobody_used_in_the_evening_writes_no_line_of_it(make: Make) -> None:
    sim = make(tame=False, start=on("07:00"), accounts=POOR)
    Hand(sim).login()
    sim.advance(3_600 * 15)
    assert {row["kind"] for row in sim.journal()} <= {
        "clock", "cash", "http_req", "http_resp", "token_issue",
    }  # fmt: skip
    assert sim.world.truth.floor.books == {}
