"""The WebSocket: who may register for what, what a second of the market says, what an order tells."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.driver import wait_until
from tests.trading.simulator.conftest import FRIDAY, Make
from tests.trading.simulator.ear import ON_SCREEN, Ear, approve
from tests.trading.simulator.kis import Hand
from trading.kis_wire import channels
from trading.simulator import Simulator, stream_port
from trading.simulator.ws.streams import Layout

TRADES, BOOK, NOTICES = "H0STCNT0", "H0STASP0", "H0STCNI0"
FIELDS = {c.tr_id: {name: i for i, name in enumerate(c.fields)} for c in channels().values()}


def value(tr_id: str, row: list[str], name: str) -> str:
    return row[FIELDS[tr_id][name]]


# --- registrations ----------------------------------------------------------------------------
def test_a_registration_is_acknowledged_with_a_key_and_an_iv(hand: Hand) -> None:
    with Ear(hand) as ear:
        told = ear.register(TRADES, "005930")
    assert told["header"] == {"tr_id": TRADES, "tr_key": "005930", "encrypt": "N"}
    body = told["body"]
    assert (body["rt_cd"], body["msg_cd"], body["msg1"]) == ("0", "OPSP0000", "SUBSCRIBE SUCCESS")
    assert (len(body["output"]["key"]), len(body["output"]["iv"])) == (32, 16)


@pytest.mark.parametrize("path", ["", "/", "/tryitout", "/tryitout/H0STCNT0"])
def test_any_path_will_do(hand: Hand, path: str) -> None:
    with Ear(hand, path) as ear:
        assert ear.register(TRADES, "005930")["body"]["rt_cd"] == "0"


def input_of(tr_id: str = TRADES, key: str = "005930") -> dict[str, Any]:
    return {"input": {"tr_id": tr_id, "tr_key": key}}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not json", "OPSP9999"),
        ({"body": input_of()}, "OPSP9998"),
        ({"header": {"tr_type": "1"}}, "OPSP9992"),
        ({"header": {"tr_type": "1"}, "body": {}}, "OPSP9991"),
        ({"header": {"tr_type": "1"}, "body": input_of()}, "OPSP9994"),
        ({"header": {"tr_type": "1", "approval_key": "x"}, "body": input_of()}, "OPSP0011"),
        ({"header": {"tr_type": "0", "approval_key": "x"}, "body": input_of()}, "OPSP8997"),
        (
            {"header": {"tr_type": "1", "custtype": "X", "approval_key": "x"}, "body": input_of()},
            "OPSP8998",
        ),
    ],
)
def test_a_message_that_is_not_understood_is_refused_by_code(
    hand: Hand, message: object, code: str
) -> None:
    with Ear(hand) as ear:
        ear.say(message)
        body = json.loads(ear.hear())["body"]
        assert (body["rt_cd"], body["msg_cd"]) == ("1", code)
        assert ear.register(TRADES, "005930")["body"]["rt_cd"] == "0", "the line goes on"


@pytest.mark.parametrize(
    ("tr_id", "key", "code"),
    [("H0NOBODY", "005930", "OPSP8991"), (TRADES, "999999", "OPSP8992"), (TRADES, "", "OPSP9990")],
)
def test_what_does_not_exist_cannot_be_registered(
    hand: Hand, tr_id: str, key: str, code: str
) -> None:
    with Ear(hand) as ear:
        assert ear.register(tr_id, key)["body"]["msg_cd"] == code


def test_the_same_twice_and_a_release_of_nothing_are_told_apart(hand: Hand) -> None:
    with Ear(hand) as ear:
        codes = [
            ear.register(TRADES, "005930", kind)["body"]["msg_cd"]
            for kind in ("1", "1", "2", "2", "1")
        ]
    assert codes == ["OPSP0000", "OPSP0002", "OPSP0001", "OPSP0003", "OPSP0000"]


def test_the_forty_second_is_refused_and_the_session_goes_on(hand: Hand) -> None:
    codes = list(hand.sim.world.market.source.listings)
    places = [(tr, code) for tr in (TRADES, BOOK, "H0STMKO0") for code in codes][:42]
    with Ear(hand) as ear:
        told = [ear.register(*place)["body"]["msg_cd"] for place in places]
        assert told == ["OPSP0000"] * 41 + ["OPSP0008"]
        ear.register(*places[0], "2")
        assert ear.register(*places[41])["body"]["msg_cd"] == "OPSP0000"


def test_a_key_has_one_session_and_the_next_one_after_it(hand: Hand) -> None:
    with Ear(hand) as first:
        first.register(TRADES, "005930")
        with Ear(hand) as second:
            told = second.register(TRADES, "000660")
            assert told["header"]["tr_id"] == "(null)"
            assert (told["body"]["rt_cd"], told["body"]["msg_cd"]) == ("9", "OPSP8996")
            with pytest.raises(ConnectionClosed):
                second.hear()
        assert first.register(BOOK, "005930")["body"]["rt_cd"] == "0"
    settled(hand.sim)
    with Ear(hand) as third:
        assert third.register(TRADES, "005930")["body"]["rt_cd"] == "0"


def settled(sim: Simulator) -> None:
    """Wait until the server has noticed that nobody is there."""
    wait_until(lambda: not sim.world.streams.sessions, "every session is gone", seconds=10)


def test_an_approval_key_begins_sessions_for_a_day(sim: Simulator, hand: Hand) -> None:
    approval = approve(hand)
    with Ear(hand, approval=approval) as ear:
        ear.register(TRADES, "005930")
        sim.advance(25 * 3600)
        assert ear.register(TRADES, "000660")["body"]["rt_cd"] == "0", "a session that runs stays"
    settled(sim)
    with Ear(hand, approval=approval) as ear:
        assert ear.register(TRADES, "005930")["body"]["msg_cd"] == "OPSP0011"


def test_no_approval_key_without_the_secret(hand: Hand) -> None:
    answer = hand.oauth("Approval", secretkey="short")
    assert (answer.status, answer.code) == (403, "EGW00105")


def test_the_mock_host_offers_trades_books_and_its_own_notices(make: Make) -> None:
    hand = Hand(make(profile="mock")).login()
    with Ear(hand) as ear:
        told = [
            ear.register(tr, key)["body"]["msg_cd"]
            for tr, key in (
                (TRADES, "005930"),
                (BOOK, "005930"),
                ("H0STCNI9", "me"),
                (NOTICES, "me"),
                ("H0UPCNT0", "0001"),
                ("H0STMKO0", "005930"),
            )
        ]
    assert told == ["OPSP0000"] * 3 + ["OPSP8991"] * 3


def test_a_wrong_hts_id_ends_the_connection_without_a_word_of_goodbye(hand: Hand) -> None:
    hand.sim.world.streams.hts_ids = {hand.appkey: "mine"}
    with Ear(hand) as ear:
        assert ear.register(NOTICES, "mine")["body"]["rt_cd"] == "0"
    settled(hand.sim)
    with Ear(hand) as ear:
        ear.register(NOTICES, "theirs")
        with pytest.raises(ConnectionClosed) as ended:
            ear.hear()
        assert ended.value.rcvd is None, "no close frame"


# --- the market -------------------------------------------------------------------------------
def test_trades_of_a_second_are_what_the_screen_shows_of_it(sim: Simulator, hand: Hand) -> None:
    with Ear(hand) as ear:
        ear.register(TRADES, "005930")
        for _ in range(5):
            sim.advance(1)
            row = ear.frame().rows[-1]
            shown = hand.price("005930").json["output"]
            for told, read in ON_SCREEN.items():
                assert value(TRADES, row, told) == shown[read], told
            assert value(TRADES, row, "STCK_CNTG_HOUR") == f"{sim.now():%H%M%S}"


def test_the_trades_of_a_minute_add_up(sim: Simulator, hand: Hand) -> None:
    shown = hand.price("000660").json["output"]
    before, paid = int(shown["acml_vol"]), int(shown["acml_tr_pbmn"])
    with Ear(hand) as ear:
        ear.register(TRADES, "000660")
        sim.advance(60)
        rows = []
        while not rows or int(value(TRADES, rows[-1], "ACML_VOL")) < volume_of(hand, "000660"):
            rows += ear.frame().rows
    running = before
    for row in rows:
        running += int(value(TRADES, row, "CNTG_VOL"))
        assert int(value(TRADES, row, "ACML_VOL")) == running
        worth = int(value(TRADES, row, "CNTG_VOL")) * int(value(TRADES, row, "STCK_PRPR"))
        before_it, paid = paid, int(value(TRADES, row, "ACML_TR_PBMN"))
        # a second's trades are not all at the price of its last one
        assert paid - before_it == pytest.approx(worth, rel=0.05)
        bought, sold = (int(value(TRADES, row, f"{side}_CNTG_SMTN")) for side in ("SHNU", "SELN"))
        assert bought + sold == running
    sides = {value(TRADES, row, "CCLD_DVSN") for row in rows}
    assert sides == {"1", "5"}


def volume_of(hand: Hand, code: str) -> int:
    return int(hand.price(code).json["output"]["acml_vol"])


def test_the_book_is_the_one_of_the_screen(sim: Simulator, hand: Hand) -> None:
    with Ear(hand) as ear:
        ear.register(BOOK, "005930")
        sim.advance(1)
        row = ear.frame().rows[0]
    screen = hand.book("005930").json["output1"]
    for side in ("ASK", "BID"):
        for level in range(1, 11):
            for name in (f"{side}P{level}", f"{side}P_RSQN{level}"):
                assert value(BOOK, row, name) == screen[name.lower()]
        total = f"TOTAL_{side}P_RSQN"
        assert value(BOOK, row, total) == screen[total.lower()]


@pytest.mark.parametrize(("appended", "width"), [(False, 46), (True, 47)])
def test_a_record_is_as_long_as_the_layout_says(make: Make, appended: bool, width: int) -> None:
    sim = make(layout=Layout(appended=appended))
    with Ear(Hand(sim).login()) as ear:
        ear.register(TRADES, "005930")
        sim.advance(3)
        frames = ear.frames(3)
    assert {len(row) for frame in frames for row in frame.rows} == {width}
    assert any(len(frame.rows) > 1 for frame in frames), "several records in one frame"


def test_a_halted_name_is_silent_and_its_halt_is_told(sim: Simulator, hand: Hand) -> None:
    with Ear(hand) as ear:
        ear.register(TRADES, "005930")
        ear.register("H0STMKO0", "005930")
        sim.halt("005930", seconds=20)
        sim.advance(30)
        frames = [ear.frame()]
        while value_time(frames[-1]) < f"{sim.now():%H%M%S}":
            frames.append(ear.frame())
    halts = [f.rows[0][1] for f in frames if f.tr_id == "H0STMKO0"]
    assert halts[-1] == "N"
    traded = [value(TRADES, f.rows[0], "STCK_CNTG_HOUR") for f in frames if f.tr_id == TRADES]
    assert traded and min(traded) >= "093520"


def value_time(frame: Any) -> str:
    return value(TRADES, frame.rows[-1], "STCK_CNTG_HOUR") if frame.tr_id == TRADES else ""


def test_the_open_and_the_close_are_told(make: Make, sim: Simulator) -> None:
    early = make(start=FRIDAY.replace(hour=8, minute=59, second=50))
    with Ear(Hand(early).login()) as ear:
        ear.register("H0STMKO0", "005930")
        early.advance(20)
        assert value("H0STMKO0", ear.frame().rows[0], "MKOP_CLS_CODE") == "112"


def test_one_seed_tells_two_listeners_the_same(make: Make) -> None:
    heard = []
    for _ in range(2):
        sim = make(tame=False, seed=11)
        with Ear(Hand(sim).login()) as ear:
            ear.register(TRADES, "005930")
            ear.register(BOOK, "069500")
            sim.advance(20)
            heard.append([ear.hear() for _ in range(20)])
    assert heard[0] == heard[1]


# --- notices ----------------------------------------------------------------------------------
def test_an_order_tells_its_receipt_and_each_of_its_fills(sim: Simulator, hand: Hand) -> None:
    with Ear(hand) as ear:
        told = ear.register(NOTICES, "me")
        assert told["header"]["encrypt"] == "Y"
        placed = hand.order("buy", "005930", 7).json["output"]
        sim.advance(1)
        frames = ear.frames(2)
    receipt, fill = (frame.rows[0] for frame in frames)
    for row in (receipt, fill):
        assert value(NOTICES, row, "ODER_NO") == placed["ODNO"]
        assert value(NOTICES, row, "ACNT_NO") == hand.account.replace("-", "")
        assert value(NOTICES, row, "SELN_BYOV_CLS") == "02"
        assert value(NOTICES, row, "STCK_SHRN_ISCD") == "005930"
        assert value(NOTICES, row, "CNTG_QTY") == f"{7:010d}"
    assert [value(NOTICES, receipt, n) for n in ("CNTG_YN", "ACPT_YN", "RFUS_YN")] == list("110")
    assert [value(NOTICES, fill, n) for n in ("CNTG_YN", "ACPT_YN", "RFUS_YN")] == list("220")
    paid = next(r for r in sim.journal() if r["kind"] == "fill")
    assert int(value(NOTICES, fill, "CNTG_UNPR")) == paid["price"]


def test_no_notice_of_an_account_overtakes_another(make: Make) -> None:
    sim = make(tame=False, seed=5)
    hand = Hand(sim).login()
    with Ear(hand) as ear:
        ear.register(NOTICES, "me")
        for _ in range(12):
            hand.order("buy", "005930", 1)
        sim.advance(60)
        lost = [r for r in sim.journal() if r["kind"] == "notice_drop"]
        happened = [r for r in sim.journal() if r["kind"] in ("accepted", "fill")]
        frames = ear.frames(len(happened) - len(lost))
    told = [
        (value(NOTICES, f.rows[0], "ODER_NO"), value(NOTICES, f.rows[0], "CNTG_YN")) for f in frames
    ]
    dropped = [(r["odno"], r["kind_of"]) for r in lost]
    kinds = {"accepted": "1", "fill": "2"}
    expected = [(r["odno"], kinds[r["kind"]]) for r in happened]
    assert told == [one for one in expected if one not in dropped]
    assert {kind for _odno, kind in told} == {"1", "2"}


def test_a_cancel_is_told_under_its_own_number(sim: Simulator, hand: Hand) -> None:
    price = int(hand.price("005930").json["output"]["stck_llam"])
    placed = hand.order("buy", "005930", 3, price).json["output"]
    with Ear(hand) as ear:
        ear.register(NOTICES, "me")
        hand.change("cancel", placed["ODNO"])
        sim.advance(1)
        row = ear.frame().rows[0]
    assert value(NOTICES, row, "OODER_NO") == placed["ODNO"] != value(NOTICES, row, "ODER_NO")
    assert (value(NOTICES, row, "RCTF_CLS"), value(NOTICES, row, "ACPT_YN")) == ("2", "2")


def test_the_old_layout_of_a_notice_has_23_fields(make: Make) -> None:
    sim = make(layout=Layout(old_notices=True))
    hand = Hand(sim).login()
    with Ear(hand) as ear:
        ear.register(NOTICES, "me")
        hand.order("buy", "005930", 1)
        sim.advance(1)
        row = ear.frame().rows[0]
    assert len(row) == 23
    assert row[17:22] == ["홍길동", "삼성전자", "10", "", "삼성전자"]


def test_notices_go_to_the_owner_of_the_account_alone(make: Make) -> None:
    entries = [
        {"appkey": letter * 36, "appsecret": "s" * 180, "account": f"1111111{n}-01", "cash": 10**7}
        for n, letter in enumerate("ab")
    ]
    sim = make(accounts=entries)
    one, two = (
        Hand(sim, entry["account"], entry["appkey"], entry["appsecret"]).login()
        for entry in entries
    )
    with Ear(one) as mine, Ear(two) as theirs:
        mine.register(NOTICES, "me")
        theirs.register(NOTICES, "they")
        one.order("buy", "005930", 1)
        sim.advance(1)
        assert len(mine.frames(2)) == 2
        theirs.register(TRADES, "000660")
        sim.advance(1)
        assert theirs.frame().tr_id == TRADES, "nothing of another's order came before it"


def test_a_notice_is_lost_now_and_then_and_never_in_a_tame_world(make: Make) -> None:
    lost = {}
    for tame in (True, False):
        sim = make(tame=tame, seed=3)
        hand = Hand(sim).login()
        for _ in range(60):
            hand.order("buy", "069500", 1)
            sim.advance(1)
        lost[tame] = [r for r in sim.journal() if r["kind"] == "notice_drop"]
    assert not lost[True]
    assert 1 <= len(lost[False]) < 20


# --- the line ---------------------------------------------------------------------------------
def test_who_never_answers_a_pingpong_is_cut_off_and_who_does_stays(
    sim: Simulator, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_port, "PING_SECONDS", 0.2)
    monkeypatch.setattr(stream_port, "SILENT_SECONDS", 2.0)
    with Ear(hand) as ear:
        ear.register(TRADES, "005930")
        until = time.monotonic() + 3
        while time.monotonic() < until:
            asked = ear.hear()
            assert json.loads(asked)["header"]["tr_id"] == "PINGPONG"
            ear.say(asked)
        with pytest.raises(ConnectionClosed):
            while True:
                ear.hear()


def test_a_pong_frame_counts_as_an_answer_too(
    sim: Simulator, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_port, "PING_SECONDS", 0.2)
    monkeypatch.setattr(stream_port, "SILENT_SECONDS", 2.0)
    with Ear(hand) as ear:
        ear.register(TRADES, "005930")
        until = time.monotonic() + 3
        asked = 0
        while time.monotonic() < until:
            ear.line.pong(ear.hear())
            asked += 1
        assert asked >= 10, "asked again and again for longer than a silent line is kept"
        assert ear.hand.sim.world.streams.sessions, "and still there"


def test_a_ping_of_the_client_stays_unanswered(sim: Simulator, hand: Hand) -> None:
    with Ear(hand) as ear:
        ear.register(TRADES, "005930")
        answered = ear.line.ping()
        assert not answered.wait(1.0)
        assert ear.register(BOOK, "005930")["body"]["rt_cd"] == "0"


def test_a_reset_of_the_world_hangs_up(sim: Simulator, hand: Hand) -> None:
    with Ear(hand) as ear:
        ear.register(TRADES, "005930")
        sim.reset()
        with pytest.raises(ConnectionClosed):
            ear.hear()


def test_after_a_long_jump_only_the_last_minute_is_told(sim: Simulator, hand: Hand) -> None:
    with Ear(hand) as ear:
        ear.register(TRADES, "005930")
        sim.advance(3600)
        first = value(TRADES, ear.frame().rows[0], "STCK_CNTG_HOUR")
    assert first > f"{sim.now() - timedelta(seconds=62):%H%M%S}"
