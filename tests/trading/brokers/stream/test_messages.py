"""What the broker says, read strictly: captured frames parse, garbage is a bad frame and nothing else."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import SHARED
from trading.brokers.kis.stream.messages import Ack, BadFrame, Data, Ping, Secret, read_message
from trading.brokers.kis.stream.readers import READERS, least_fields, offered, read_record
from trading.domain.sessions import SEOUL
from trading.domain.ticks import BookTick, HaltTick, OrderNotice, Tick
from trading.kis_wire import channels

NOW = datetime(2026, 11, 20, 9, 35, tzinfo=SEOUL)
BY_TR = {c.tr_id: c for c in channels().values()}
TRADE = (
    "005930^093354^71900^5^-100^-0.14^72023.83^72100^72400^71700^71900^71800^1^3052507^219853241700"
    "^5105^6937^1832^84.90^1366314^1159996^1^0.39^20.28^090020^5^-200^090820^5^-500^092619^2^200"
    "^20230612^20^N^65945^216924^1118750^2199206^0.05^2424142^125.92^0^^72100"
)
NOTICE_23 = (
    "HTS ID^1234567801^0000002891^^02^0^00^0^136480^0000000001^000003190^094941^0^2^2^06010"
    "^000000001^김한투^하림^10^^하림^000000000"
)
RECEIPT_23 = (
    "HTS ID^1234567801^0000002891^^02^0^01^0^136480^0000000001^000000000^094941^0^1^1^06010"
    "^000000001^김한투^하림^10^^하림^"
)


def read(tr_id: str, payload: str) -> Any:
    """The single value of a plain payload."""
    channel = BY_TR[tr_id]
    data = Data(tr_id, 1, payload, hidden=False)
    (record,) = data.records(least_fields(channel))
    return read_record(channel, record, NOW)


def test_a_trade_of_the_documents_is_read() -> None:
    assert read("H0STCNT0", TRADE) == Tick(
        ticker="005930",
        at=datetime(2023, 6, 12, 9, 33, 54, tzinfo=SEOUL),
        price=71_900,
        quantity=1,
        side="BUY",
        volume=3_052_507,
        phase="REGULAR",
    )


def test_fields_added_at_the_end_change_nothing() -> None:
    assert read("H0STCNT0", TRADE + "^2") == read("H0STCNT0", TRADE)
    frame = read_message(f"0|H0STCNT0|002|{TRADE}^2^{TRADE}^2")
    assert isinstance(frame, Data)
    assert [len(r) for r in frame.records(46)] == [47, 47]


def test_a_fill_is_a_fill_and_a_receipt_never_is() -> None:
    assert read("H0STCNI0", NOTICE_23) == OrderNotice(
        account_no="1234567801",
        order_no="0000002891",
        original_order_no="",
        ticker="136480",
        side="BUY",
        kind="FILL",
        quantity=1,
        price=3_190,
        at_time="094941",
    )
    receipt = read("H0STCNI0", RECEIPT_23)
    assert (receipt.kind, receipt.quantity, receipt.price) == ("RECEIPT", 0, 0)
    refused = read("H0STCNI0", RECEIPT_23.replace("^094941^0^", "^094941^1^"))
    assert refused.kind == "REFUSED"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("^71900^5^-100", "^0^5^-100", "not positive"),
        ("^71900^5^-100", "^71,900^5^-100", "not a whole number"),
        ("^71900^5^-100", "^７１９００^5^-100", "not a whole number"),
        ("^-0.14^", "^89.99^", "beyond the day's limits"),
        ("^1^3052507^", "^-1^3052507^", "cannot be"),
        ("^1^3052507^", "^5^4^", "cannot be"),
        ("^093354^", "^256099^", "not a time"),
        ("^20230612^", "^20231312^", "not a date"),
        ("005930^", "../../^", "not a code"),
    ],
)
def test_a_number_that_cannot_be_makes_the_record_bad(old: str, new: str, why: str) -> None:
    with pytest.raises(BadFrame, match=why):
        read("H0STCNT0", TRADE.replace(old, new, 1))


def book(asks: list[int], bids: list[int], hour: str = "0") -> str:
    asks, bids = asks + [0] * (10 - len(asks)), bids + [0] * (10 - len(bids))
    sizes = [5 if price else 0 for price in (*asks, *bids)]
    return "^".join(map(str, ["005930", "093730", hour, *asks, *bids, *sizes, *[0] * 16]))


def test_a_book_is_read_and_a_crossed_or_shuffled_one_is_bad() -> None:
    found = read("H0STASP0", book([101, 102], [100, 99]))
    assert isinstance(found, BookTick)
    assert found.asks == ((101, 5), (102, 5)) and found.bids == ((100, 5), (99, 5))
    assert found.at == NOW.replace(hour=9, minute=37, second=30)
    with pytest.raises(BadFrame, match="crossed"):
        read("H0STASP0", book([100], [100]))
    assert read("H0STASP0", book([100], [101], "B")), "an auction's book may cross"
    with pytest.raises(BadFrame, match="out of order"):
        read("H0STASP0", book([102, 101], [100]))


def test_a_halt_is_read() -> None:
    payload = "396300^Y^거래정지^^311^^^58^N^N^1"
    assert read("H0STMKO0", payload) == HaltTick("396300", True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0|H0STCNT0|000|x",
        "0|H0STCNT0|-1|x",
        "0|H0STCNT0|٣|x",
        "0|H0STCNT0|001",
        "{",
        "[]",
        '{"header": null}',
        '{"header": {"tr_id": "X"}}',
        '{"header": {"tr_id": "X"}, "body": {"rt_cd": "0"}}',
        "<html>",
        "[" * 100_000,
    ],
)
def test_what_is_no_message_is_a_bad_frame(text: str) -> None:
    with pytest.raises(BadFrame):
        read_message(text)


def test_a_record_count_that_does_not_divide_is_bad() -> None:
    with pytest.raises(BadFrame, match="fields"):
        Data("H0STCNT0", 2, TRADE + "^1", hidden=False).records(46)
    with pytest.raises(BadFrame, match="fields"):
        Data("H0STCNT0", 1, TRADE[: len(TRADE) // 2], hidden=False).records(46)


@given(st.text(max_size=400))
def test_no_text_at_all_raises_anything_else(text: str) -> None:
    with suppress(BadFrame):
        message = read_message(text)
        if isinstance(message, Data):
            message.records(1)


@given(st.integers(0, 45), st.text(st.characters(exclude_characters="^"), max_size=12))
def test_no_field_at_all_raises_anything_else(at: int, text: str) -> None:
    values = TRADE.split("^")
    values[at] = text
    with suppress(BadFrame):
        read("H0STCNT0", "^".join(values))


def test_pings_and_answers_are_told_apart() -> None:
    ping = '{"header":{"tr_id":"PINGPONG","datetime":"20261120093500"}}'
    assert read_message(ping) == Ping(ping)
    told = {
        "header": {"tr_id": "H0STCNI0", "tr_key": "me", "encrypt": "Y"},
        "body": {"rt_cd": "0", "msg_cd": "OPSP0000", "output": {"iv": "i" * 16, "key": "k" * 32}},
    }
    found = read_message(json.dumps(told))
    assert isinstance(found, Ack) and found.ok
    assert found.secret == Secret("k" * 32, "i" * 16)
    assert "kkk" not in repr(found)


@pytest.mark.parametrize(
    "payload", ["", "not base64!", base64.b64encode(b"short").decode(), "A" * 64]
)
def test_what_does_not_open_with_its_key_is_bad(payload: str) -> None:
    with pytest.raises(BadFrame, match="does not open"):
        Secret("k" * 32, "i" * 16).open(payload)


def test_a_hidden_record_before_its_key_is_bad() -> None:
    with pytest.raises(BadFrame, match="before its key"):
        Data("H0STCNI0", 1, "AAAA", hidden=True).records(23)


def test_the_mock_host_offers_less() -> None:
    assert set(offered(mock=True)) < set(offered(mock=False))
    assert "index_ccnl" not in offered(mock=True)


# --- captured frames --------------------------------------------------------------------------
CAPTURES = SHARED / "data" / "kis_ws" / "frames.jsonl"
REFUSED = {"H0UPANC0": "the documents' own example has half of the fields of their own table"}
"""Frames that are not read, by channel, and why."""
MOST_REFUSED = 0.05


def captured(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        pytest.skip("the captured frames are not here")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_captured_frame_is_read_or_named() -> None:
    refused, halts = [], 0
    rows = captured(CAPTURES)
    for row in rows:
        text = row["frame"]
        channel = BY_TR.get(row["tr_id"])
        if channel is None or text.startswith("{"):
            read_message(text)
            continue
        message = (
            Data(row["tr_id"], 1, text, hidden=False) if row["bare_payload"] else read_message(text)
        )
        assert isinstance(message, Data)
        try:
            for record in message.records(least_fields(channel)):
                if channel.name in READERS:
                    halts += isinstance(read_record(channel, record, NOW), HaltTick)
        except BadFrame as error:
            refused.append((row["tr_id"], str(error)))
    assert {tr_id for tr_id, _why in refused} <= set(REFUSED), refused
    assert len(refused) <= MOST_REFUSED * len(rows)
    assert halts, "the state of a market is read as it was captured"
