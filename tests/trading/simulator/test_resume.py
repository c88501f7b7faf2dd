"""A simulator that lost its power goes on where its journal ends: a broker forgets nothing."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.trading.simulator.conftest import FRIDAY, Make
from tests.trading.simulator.evenings import RICH
from tests.trading.simulator.kis import ACCOUNT, Hand, odno
from tests.trading.simulator.test_world import comparable, fold, random_order
from trading.simulator import Simulator
from trading.simulator.journal import kept_lines

MESSY: dict[str, Any] = {"tame": False, "seed": 23}


def second_life(make: Make, first: Simulator, folder: Path, **options: Any) -> Simulator:
    """A simulator on what the first one has on disk now, as if it had been killed here."""
    path = folder / f"second-{len(list(folder.iterdir()))}.jsonl"
    shutil.copy(folder / "first.jsonl", path)
    return make(journal=path, resume=True, start=None, **options)


@pytest.fixture
def busy(make: Make, tmp_path: Path) -> Iterator[tuple[Simulator, Hand, random.Random]]:
    sim = make(journal=tmp_path / "first.jsonl", **MESSY)
    yield sim, Hand(sim).login(), random.Random("second life")


def test_everything_a_broker_knows_survives(
    busy: tuple[Simulator, Hand, random.Random], make: Make, tmp_path: Path
) -> None:
    sim, hand, rng = busy
    for wait in (0, 1, 60) * 12:
        random_order(hand, rng)
        sim.advance(wait)
    again = second_life(make, sim, tmp_path, **MESSY)
    assert again.truth() == sim.truth()
    assert again.now() - sim.now() < timedelta(milliseconds=1)
    other = Hand(again, token=hand.token)
    assert other.fills() == hand.fills()
    assert other.balance() == hand.balance()
    assert other.power().json == hand.power().json
    assert [row["odno"] for row in other.fills(CCLD_DVSN="02")], "some of them still work"


def test_what_the_screens_still_owe_comes_at_its_time(
    busy: tuple[Simulator, Hand, random.Random], make: Make, tmp_path: Path
) -> None:
    sim, hand, _rng = busy
    hand.order("buy", "069500", 3)
    again = second_life(make, sim, tmp_path, **MESSY)
    other = Hand(again, token=hand.token)
    for _ in range(12):
        assert other.fills() == hand.fills()
        for world in (sim, again):
            world.advance(0.5)
    assert other.fills()


def test_a_revised_and_a_cancelled_order_stay_what_they_are(make: Make, tmp_path: Path) -> None:
    sim = make(journal=tmp_path / "first.jsonl")
    hand = Hand(sim).login()
    sim.set_price("069500", 55_000)
    orders = [hand.order("buy", "069500", 7, 54_000).json["output"]["ODNO"] for _ in range(2)]
    hand.change("revise", orders[0], price=53_900)
    hand.change("cancel", orders[1])
    again = second_life(make, sim, tmp_path)
    assert len(hand.fills()) == 4
    assert Hand(again, token=hand.token).fills() == hand.fills()
    ledgers = [world.world.truth.accounts[ACCOUNT].truth for world in (sim, again)]
    assert [row.revised for row in ledgers[0].orders.values()] == [7, 0, 0, 0]
    for name in ("filled", "cancelled", "revised", "expired", "remaining"):
        first, second = ([getattr(row, name) for row in led.orders.values()] for led in ledgers)
        assert first == second, name


def test_numbers_go_on_and_no_number_comes_twice(
    busy: tuple[Simulator, Hand, random.Random], make: Make, tmp_path: Path
) -> None:
    sim, hand, _rng = busy
    used = {hand.order("buy", "069500", 1).json["output"]["ODNO"] for _ in range(5)}
    again = second_life(make, sim, tmp_path, **MESSY)
    number = Hand(again, token=hand.token).order("buy", "069500", 1).json["output"]["ODNO"]
    assert number not in used
    assert number == hand.order("buy", "069500", 1).json["output"]["ODNO"]


def test_orders_that_worked_still_work_and_fill(make: Make, tmp_path: Path) -> None:
    sim = make(journal=tmp_path / "first.jsonl")
    hand = Hand(sim).login()
    sim.set_price("069500", 55_000)
    hand.order("buy", "069500", 7, 54_000)
    again = second_life(make, sim, tmp_path)
    (order,) = again.truth()["orders"]
    assert order["filled"] == 0
    again.set_price("069500", 53_500)
    again.advance(2)
    (order,) = again.truth()["orders"]
    assert (order["filled"], order["amount"]) == (7, 7 * 54_000)


def resting(sim: Simulator) -> dict[str, int | None]:
    """The price that every order in a book works at."""
    truth = sim.world.truth
    books = [*truth.books.values(), *truth.floor.books.values()]
    return {order.order_id: order.price for book in books for order in book._resting}


@pytest.mark.parametrize(
    ("start", "kinds", "venue"),
    [
        ("08:10", ("03", "04", "28", "29"), "NXT"),
        ("09:35", ("03", "04"), "KRX"),
        ("09:35", ("03", "04"), "NXT"),
        ("16:10", ("44", "47"), "KRX"),
    ],
)
def test_a_price_less_order_goes_on_at_the_price_that_it_had_found(
    make: Make, tmp_path: Path, start: str, kinds: tuple[str, ...], venue: str
) -> None:
    begins = FRIDAY.replace(hour=int(start[:2]), minute=int(start[3:]))
    sim = make(journal=tmp_path / "first.jsonl", accounts=RICH, **MESSY | {"start": begins})
    hand = Hand(sim).login()
    for number in range(12):
        kind = kinds[number % len(kinds)]
        quantity = 120 if kind in ("03", "28", "44") else 60
        for side in ("buy", "sell"):
            hand.order(side, "000660", quantity, 0, kind, EXCG_ID_DVSN_CD=venue)
    sim.advance(20)
    top = hand.order("buy", "005930", 60, 0, kinds[-1], EXCG_ID_DVSN_CD=venue)
    first = odno(hand.change("revise", odno(top), dvsn=kinds[-1]))
    before = resting(sim)
    assert len(before) > 1 and first in before and None not in before.values()
    again = second_life(make, sim, tmp_path, accounts=RICH, **MESSY)
    assert resting(again) == before
    told = [row for row in sim.journal() if row["kind"] == "accepted"]
    priced = {row["odno"]: row["works_at"] for row in told if "works_at" in row}
    assert {number: priced[number] for number in before} == before


def test_a_journal_says_no_found_price_of_an_order_that_has_or_needs_none(
    make: Make, tmp_path: Path
) -> None:
    hand = Hand(make()).login()
    for dvsn, price in (("00", 55_000), ("01", 0), ("02", 55_000), ("13", 0), ("15", 0)):
        assert hand.order("buy", "069500", 1, price, dvsn).json["rt_cd"] == "0"
    rows = [row for row in hand.sim.journal() if row["kind"] == "accepted"]
    assert len(rows) == 5 and not [row for row in rows if "works_at" in row]


def test_days_settle_and_orders_expire_over_the_gap(
    busy: tuple[Simulator, Hand, random.Random], make: Make, tmp_path: Path
) -> None:
    sim, hand, rng = busy
    for wait in (0, 5) * 10:
        random_order(hand, rng)
        sim.advance(wait)
    monday = FRIDAY + timedelta(days=5)
    path = tmp_path / "first.jsonl"
    expected = [sim.truth()[name] for name in ("positions", "cash")]
    again = second_life(make, sim, tmp_path, **MESSY)
    assert [again.truth()[name] for name in ("positions", "cash")] == expected
    again.stop()
    later = make(journal=path, resume=True, **MESSY | {"start": monday})
    assert later.now() >= monday
    assert Hand(later).login().fills(CCLD_DVSN="02") == []
    assert comparable(later.truth()) == fold_of(later)
    money = later.truth()["cash"].popitem()[1]
    assert money["cash"] == money["d2_cash"], "two sessions later all is settled"


def fold_of(sim: Simulator) -> dict[str, Any]:
    folded = fold(sim.journal())
    folded["positions"] = {a: p for a, p in folded["positions"].items() if p}
    return folded


def test_a_life_may_end_as_often_as_it_likes(make: Make, tmp_path: Path) -> None:
    path, rng, seen = tmp_path / "first.jsonl", random.Random("many lives"), ""
    for _ in range(4):
        sim = make(journal=path, resume=True, start=None if seen else FRIDAY, **MESSY)
        assert seen in ("", json.dumps(sim.truth()))
        hand = Hand(sim).login()
        for _ in range(8):
            random_order(hand, rng)
            sim.advance(3)
        seen = json.dumps(sim.truth())
        sim.stop()
    assert comparable(sim.truth()) == fold_of(sim)
    assert not Path(f"{path}.1").exists(), "one journal, not one for each life"


@pytest.mark.parametrize("bytes_left", range(0, 400, 7))
def test_a_journal_torn_anywhere_at_its_end_is_cut_back(tmp_path: Path, bytes_left: int) -> None:
    path = tmp_path / "torn.jsonl"
    lines = [
        {"kind": "accepted", "odno": "1"},
        {"kind": "fill", "odno": "1"},
        {"kind": "cash", "reason": "fill"},
        {"kind": "accepted", "odno": "2", "orgn_odno": "1"},
        {"kind": "cancel", "odno": "1"},
        {"kind": "http_resp", "body": "가나다"},
    ]
    whole = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    path.write_bytes(whole[:bytes_left])
    kept = [json.loads(line) for line in kept_lines(path)]
    assert kept == lines[: len(kept)]
    assert not kept or kept[-1] not in (lines[1], lines[3])
    assert kept_lines(path) == [json.dumps(row, ensure_ascii=False) for row in kept]


@pytest.mark.parametrize("orderly", [True, False])
def test_after_an_orderly_end_the_clock_goes_on_from_there_and_never_back(
    make: Make, tmp_path: Path, orderly: bool
) -> None:
    """Nobody called for twenty minutes: an end in order writes down how late it was, a kill does not."""
    path = tmp_path / "first.jsonl"
    first = make(journal=path, speed=1000, **MESSY)
    begun = first.now()
    while first.now() - begun < timedelta(minutes=20):
        pass
    if orderly:
        ended = first.now()
        first.stop()
    again = make(journal=path, resume=True, start=None, **MESSY)
    assert (again.now() >= ended) if orderly else (again.now() < begun + timedelta(minutes=1))


def test_another_world_s_journal_is_refused(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "first.jsonl"
    make(journal=path).stop()
    with pytest.raises(ValueError, match="seed"):
        make(journal=path, resume=True, seed=8)
    with pytest.raises(ValueError, match="profile"):
        make(journal=path, resume=True, profile="mock")
    with pytest.raises(ValueError, match="tame"):
        make(journal=path, resume=True, tame=False)
    make(journal=path, resume=True)


def test_a_port_that_is_taken_is_named(make: Make) -> None:
    port = make().server.port
    with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
        make(port=port)


def test_a_journal_that_contradicts_itself_is_refused(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "first.jsonl"
    sim = make(journal=path)
    Hand(sim).login().order("buy", "069500", 1)
    sim.stop()
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"fee":', '"fee":1'), encoding="utf-8")
    with pytest.raises(ValueError, match="contradicts itself"):
        make(journal=path, resume=True)


def test_nothing_to_go_on_from_is_a_first_life(make: Make, tmp_path: Path) -> None:
    sim = make(journal=tmp_path / "new.jsonl", resume=True)
    assert sim.now() == FRIDAY
