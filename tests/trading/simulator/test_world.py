"""The referee: conservation to the won, journal and truth, one seed one journal, epochs, files."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.trading.simulator.conftest import FRIDAY, Make
from tests.trading.simulator.kis import ACCOUNT, Hand
from trading.simulator import Simulator
from trading.simulator.main import build_parser, options_of
from trading.simulator.prices import FileSource
from trading.simulator.world import World

CODES = ("069500", "114260", "005930", "000660", "360750", "247540")


def random_order(hand: Hand, rng: random.Random) -> None:
    """One thing a platform or a person might do, drawn from `rng`."""
    dice = rng.random()
    code = rng.choice(CODES)
    if dice < 0.12:
        rows = hand.fills(CCLD_DVSN="02")
        if rows:
            kind = rng.choice(("cancel", "revise"))
            price = int(hand.price(rows[0]["pdno"]).json["output"]["stck_prpr"])
            hand.change(kind, rows[0]["odno"], price=price)
        return
    side = rng.choice(("buy", "buy", "sell"))
    book = hand.book(code).json["output1"]
    level = rng.randint(1, 5)
    price = int(book[f"{rng.choice(('ask', 'bid'))}p{level}"])
    dvsn = rng.choice(("00", "00", "00", "01", "11", "12", "03"))
    hand.order(side, code, rng.randint(1, 60), price if dvsn in ("00", "11", "12") else 0, dvsn)


def fold(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Truth as anyone can compute it from the journal alone."""
    orders: dict[tuple[str, str], dict[str, Any]] = {}
    positions: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    cash: dict[str, dict[str, int]] = {}
    for record in records:
        day = datetime.fromisoformat(record["vt"]).strftime("%Y%m%d")
        match record["kind"]:
            case "position":
                positions[record["account"]][record["ticker"]] += record["qty"]
            case "cash":
                cash[record["account"]] = {k: record[k] for k in ("cash", "d2_cash")}
            case "accepted":
                names = ("account", "orgno", "odno", "ticker", "side", "qty")
                row = {name: record[name] for name in names}
                row |= {"trade_date": day, "filled": 0, "amount": 0}
                if "orgn_odno" in record:
                    row["orgn_odno"] = record["orgn_odno"]
                orders[day, record["odno"]] = row
            case "fill":
                row = orders[day, record["odno"]]
                row["filled"] += record["qty"]
                row["amount"] += record["amt"]
                sign = 1 if row["side"] == "buy" else -1
                positions[row["account"]][row["ticker"]] += sign * record["qty"]
    return {
        "orders": sorted(orders.values(), key=lambda o: (o["trade_date"], o["odno"])),
        "positions": {a: {c: q for c, q in p.items() if q} for a, p in positions.items()},
        "cash": cash,
    }


def comparable(truth: dict[str, Any]) -> dict[str, Any]:
    ordered = sorted(truth["orders"], key=lambda o: (o["trade_date"], o["odno"]))
    positions = {a: p for a, p in truth["positions"].items() if p}
    return {"orders": ordered, "positions": positions, "cash": truth["cash"]}


@pytest.fixture(scope="module")
def busy_day() -> Simulator:
    """A messy day: about three hundred requests of one hand, then an hour of quiet."""
    sim = Simulator(tame=False, throttled=False, start=FRIDAY, seed=23).start()
    hand, rng = Hand(sim).login(), random.Random("a busy day")
    for _ in range(300):
        random_order(hand, rng)
        sim.advance(rng.choice((0, 1, 5, 60)))
    sim.advance(10)
    yield sim
    sim.stop()


def test_a_busy_day_really_was_busy(busy_day: Simulator) -> None:
    kinds = [record["kind"] for record in busy_day.journal()]
    assert kinds.count("accepted") > 150
    assert kinds.count("fill") > 150
    assert kinds.count("cancel") > 20
    assert kinds.count("refused") > 20


def test_no_won_is_made_or_lost(busy_day: Simulator) -> None:
    sides, expected = {}, 100_000_000
    for record in busy_day.journal():
        if record["kind"] == "accepted":
            sides[record["odno"]] = record["side"]
        if record["kind"] == "fill":
            assert record["amt"] == record["price"] * record["qty"]
            if sides[record["odno"]] == "buy":
                assert record["tax"] == 0
                expected -= record["amt"] + record["fee"]
            else:
                expected += record["amt"] - record["fee"] - record["tax"]
        if record["kind"] == "cash":
            assert record["d2_cash"] == expected
            assert record["cash"] >= 0
            assert record["d2_cash"] >= 0
    assert busy_day.truth()["cash"][ACCOUNT]["d2_cash"] == expected


def test_truth_is_the_fold_of_the_journal(busy_day: Simulator) -> None:
    folded = fold(busy_day.journal())
    folded["positions"] = {a: p for a, p in folded["positions"].items() if p}
    assert folded == comparable(busy_day.truth())


def test_after_the_lag_every_screen_agrees_with_truth(busy_day: Simulator) -> None:
    hand, truth = Hand(busy_day), busy_day.truth()
    busy_day.advance(6 * 3600)
    hand.login()
    truth = busy_day.truth()
    rows, money = hand.balance()
    shown = {row["pdno"]: int(row["hldg_qty"]) for row in rows if row["hldg_qty"] != "0"}
    assert shown == truth["positions"][ACCOUNT]
    assert int(money["prvs_rcdl_excc_amt"]) == truth["cash"][ACCOUNT]["d2_cash"]
    assert int(money["dnca_tot_amt"]) == truth["cash"][ACCOUNT]["cash"]
    power = hand.power().json["output"]
    assert int(power["ord_psbl_cash"]) == truth["cash"][ACCOUNT]["d2_cash"]
    listed = {row["odno"]: row for row in hand.fills()}
    assert set(listed) == {order["odno"] for order in truth["orders"]}
    for order in truth["orders"]:
        row = listed[order["odno"]]
        assert int(row["tot_ccld_qty"]) == order["filled"]
        assert int(row["tot_ccld_amt"]) == order["amount"]
        assert int(row["ord_qty"]) == order["qty"]
        assert row["rmn_qty"] == "0"


def test_virtual_time_never_stands_still_in_the_journal(busy_day: Simulator) -> None:
    records = busy_day.journal()
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    stamps = [record["vt"] for record in records]
    assert all(a < b for a, b in zip(stamps, stamps[1:], strict=False))
    assert all(stamp.endswith("+09:00") for stamp in stamps)


def test_every_accepted_order_names_the_request_that_caused_it(busy_day: Simulator) -> None:
    records = {record["seq"]: record for record in busy_day.journal()}
    for record in records.values():
        if record["kind"] == "accepted":
            cause = records[record["req_seq"]]
            assert cause["kind"] == "http_req"
            assert cause["account"] == record["account"]
            assert cause["path"].endswith(("order-cash", "order-rvsecncl"))


# --- determinism ------------------------------------------------------------------------------


def play(seed: int) -> str:
    with Simulator(tame=False, throttled=False, start=FRIDAY, seed=seed) as sim:
        hand, rng = Hand(sim).login(), random.Random("the same requests")
        sim.arm("A06", count=2, match={"side": "buy"})
        sim.arm("B06", params={}, count=1)
        for _ in range(40):
            random_order(hand, rng)
            sim.advance(rng.choice((0, 2, 30)))
        return hashlib.sha256(sim.journal_bytes()).hexdigest()


def test_one_seed_and_the_same_requests_give_one_journal() -> None:
    assert play(5) == play(5)
    assert play(5) != play(6)


# --- the journal file, epochs -----------------------------------------------------------------


def test_the_journal_file_holds_every_line_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for _ in range(2):
        with Simulator(start=FRIDAY, tame=True, throttled=False, journal=path) as sim:
            Hand(sim).login().order("buy", "069500", 3)
            assert path.read_bytes() == sim.journal_bytes()
    assert Path(f"{path}.1").exists()
    request = next(
        r for r in map(json.loads, path.read_text().splitlines()) if "body" in r and r.get("path")
    )
    assert hashlib.sha256(request["body"].encode()).hexdigest() == request["body_hash"]


def test_the_nonce_header_is_journalled(make: Make) -> None:
    sim = make()
    hand = Hand(sim, extra={"x-request-id": "nonce-1"}).login()
    hand.order("buy", "069500", 1)
    order = next(r for r in sim.journal() if r.get("path", "").endswith("order-cash"))
    assert (order["nonce"], order["tr_id"], order["account"]) == ("nonce-1", "TTTC0012U", ACCOUNT)


def test_restore_goes_back_to_the_snapshot_as_a_new_epoch(make: Make) -> None:
    sim = make(tame=False)
    hand = Hand(sim).login()
    hand.order("buy", "069500", 10)
    sim.advance(10)
    sim.snapshot("here")
    before, lines = sim.truth(), sim.journal_bytes()

    def go_on() -> tuple[dict, bytes]:
        hand.order("buy", "005930", 10)
        sim.advance(3600)
        return sim.truth(), sim.journal_bytes()

    first = go_on()
    sim.restore("here")
    assert comparable(sim.truth()) == comparable(before)
    assert sim.journal_bytes() == lines
    assert sim.truth()["epoch"] == 2
    second = go_on()
    assert comparable(first[0]) == comparable(second[0])
    assert first[1] == second[1]


def test_reset_begins_again_with_another_seed_and_profile(make: Make) -> None:
    sim = make()
    Hand(sim).login().order("buy", "069500", 10)
    sim.reset(seed=99, profile="mock")
    assert sim.truth() == {"epoch": 2, "orders": [], "positions": {}, "cash": {}}
    assert sim.health() | {"vt": ""} == {
        "status": "ok", "vt": "", "speed": 0.0, "seed": 99, "profile": "mock", "epoch": 2,
        "phase": "regular", "session": True, "pid": os.getpid(),
    }  # fmt: skip
    assert Hand(sim).login().order("buy", "069500", 10).code == "40600000"


# --- options ----------------------------------------------------------------------------------


def test_the_command_line_becomes_options(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.json"
    entry = {"appkey": "K" * 36, "appsecret": "S" * 180, "account": ACCOUNT, "cash": 7}
    entry["holdings"] = {"069500": 3, "005930": {"qty": 2, "avg": 90_000}}
    accounts.write_text(json.dumps([entry]))
    args = ["--profile", "mock", "--seed", "4", "--speed", "0", "--start", "2026-11-18T10:00"]
    args += ["--accounts", str(accounts), "--tame", "--unthrottled"]
    world = World(options_of(build_parser().parse_args(args)))
    assert world.now().isoformat()[:19] == "2026-11-18T10:00:00"
    truth = world.truth.as_dict(1)
    assert truth["positions"] == {ACCOUNT: {"005930": 2, "069500": 3}}
    assert truth["cash"] == {ACCOUNT: {"cash": 7, "d2_cash": 7}}
    assert world.truth.accounts[ACCOUNT].truth.holdings["005930"].cost == 180_000
    opening = [json.loads(line)["kind"] for line in world.journal.lines]
    assert opening == ["clock", "position", "position", "cash"]


def test_the_shape_of_frames_is_chosen_on_the_command_line() -> None:
    plain = options_of(build_parser().parse_args([])).layout
    chosen = options_of(build_parser().parse_args(["--old-notices", "--new-fields"])).layout
    assert (plain.old_notices, plain.appended) == (False, False)
    assert (chosen.old_notices, chosen.appended) == (True, True)


@pytest.mark.parametrize(
    "given",
    [f"--speed={x}" for x in ("-1", "nan", "inf", "fast")]
    + [f"--{name}=70000" for name in ("port", "ws-port", "control-port")]
    + ["--port=-1", "--port=x"],
)
def test_an_option_that_cannot_be_meant_is_refused_in_a_sentence(
    given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        build_parser().parse_args([given])
    assert end.value.code == 2
    assert given.partition("=")[0] in capsys.readouterr().err


def test_a_file_of_prices_can_be_read_by_what_make_run_installs() -> None:
    base = Path(__file__).resolve().parents[3] / "requirements" / "base.txt"
    assert re.search(r"^pyarrow==", base.read_text(), re.MULTILINE)


def test_the_default_start_is_half_an_hour_into_the_latest_session() -> None:
    start = World(options_of(build_parser().parse_args(["--speed", "0"]))).now()
    assert start.minute == 35
    assert start <= datetime.now(start.tzinfo)


# --- prices from a file -----------------------------------------------------------------------

ROWS = {
    "code": ["900001", "900001", "900001", "900002", "900002", "900002"],
    "date": [datetime(2026, 11, d) for d in (18, 19, 20)] * 2,
    "open": [10_000, 10_100, 10_250, 5_000, 5_000, 0],
    "high": [10_200, 10_300, 10_400, 5_050, 5_100, 0],
    "low": [9_900, 10_000, 10_150, 4_950, 4_900, 0],
    "close": [10_100, 10_200, 10_350, 5_000, 5_050, 5_050],
    "volume": [1_000_000, 900_000, 800_000, 10_000, 20_000, 0],
    "kind": ["kospi", "kospi", "kospi", "etf", "etf", "etf"],
}


def from_rows(seed: int, tame: bool) -> FileSource:
    return FileSource(ROWS, seed, tame)


def test_a_file_is_replayed_through_open_high_low_and_close(make: Make) -> None:
    sim = make(source=from_rows, tame=False)
    hand = Hand(sim).login()
    tape = sim.world.market.tape("900001", FRIDAY.date())
    path = [tape.price(tick) for tick in range(len(tape))]
    assert (path[0], max(path), min(path), path[-1]) == (10_250, 10_400, 10_150, 10_350)
    output = hand.price("900001").json["output"]
    assert (output["stck_sdpr"], output["stck_oprc"]) == ("10200", "10250")
    assert hand.price("005930").code == "MCA05918"


def test_a_day_without_trades_is_a_halt(make: Make) -> None:
    hand = Hand(make(source=from_rows)).login()
    output = hand.price("900002").json["output"]
    assert (output["temp_stop_yn"], output["stck_prpr"]) == ("Y", "5050")
    assert hand.order("buy", "900002", 1, 5_050).code == "APBK0634"


def test_after_the_files_last_day_the_walk_goes_on_from_its_close(make: Make) -> None:
    sim = make(source=from_rows)
    hand = Hand(sim).login()
    sim.advance(3 * 86_400)
    hand.login()
    output = hand.price("900001").json["output"]
    assert output["stck_sdpr"] == "10350"
    assert output["temp_stop_yn"] == "N"


def test_a_parquet_file_is_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "bars.parquet"
    parquet.write_table(pyarrow.table(ROWS), path)
    args = ["--speed", "0", "--prices", str(path)]
    world = World(options_of(build_parser().parse_args(args)))
    assert world.now().date() == FRIDAY.date()
    assert world.market.shown("900001", world.now()).bar.close == 10_350
    parquet.write_table(pyarrow.table({"code": ["1"]}), path)
    with pytest.raises(ValueError, match="missing columns"):
        FileSource.read(path, 1)
