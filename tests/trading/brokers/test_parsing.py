"""KIS's strings, strictly: what cannot be read is never a zero; the broker's own examples still read."""

from __future__ import annotations

import json
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import SHARED
from tests.trading.brokers.test_client import client, script
from trading.brokers.kis import broker, parsing
from trading.brokers.kis.orders import MAX_BYTES, Line, decode_reply
from trading.domain.errors import BrokerGarbled
from trading.domain.ports import PreparedPost, RawReply
from trading.services.clock import WallClock


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("10", 10), ("-5", -5), ("0000012", 12), ("248750.0000", 248750)],
)
def test_won_reads(text: str, value: int) -> None:
    assert parsing.won({"x": text}, "x") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1,000",
        "１０",
        "1e3",
        "NaN",
        "1.5",
        "0x1",
        "--1",
        "1 0",
        " 7",
        "7 ",
        "-0",
        "-0.00",
        None,
        5,
    ],
)
def test_won_refuses(text: Any) -> None:
    with pytest.raises(BrokerGarbled):
        parsing.won({"x": text}, "x")


@pytest.mark.parametrize("text", ["1.0", "", "１", "1,000", " 1", "1 ", "-0", None])
def test_an_integer_has_no_point(text: Any) -> None:
    with pytest.raises(BrokerGarbled):
        parsing.integer({"x": text}, "x")


def test_a_missing_field_is_garbled_and_named() -> None:
    with pytest.raises(BrokerGarbled, match="hldg_qty"):
        parsing.integer({}, "hldg_qty")


ORDER = {
    "ord_dt": "20261120",
    "ord_gno_brno": "06010",
    "odno": "0001568197",
    "orgn_odno": "",
    "sll_buy_dvsn_cd": "02",
    "pdno": "009150",
    "ord_qty": "10",
    "ord_unpr": "150000",
    "ord_tmd": "100000",
    "tot_ccld_qty": "4",
    "tot_ccld_amt": "600000",
    "ord_dvsn_cd": "00",
    "cnc_cfrm_qty": "1",
    "rmn_qty": "5",
    "rjct_qty": "0",
}


def row(**change: Any) -> Any:
    return broker._order_row(ORDER | change)


def test_an_order_row_reads() -> None:
    found = row()
    assert (found.order_no, found.side, found.price) == ("0001568197", "BUY", 150_000)
    assert (found.filled_quantity, found.cancelled_quantity, found.remaining_quantity) == (4, 1, 5)
    assert not found.is_change


def test_both_spellings_of_the_cancelled_quantity_read() -> None:
    other = {k: v for k, v in ORDER.items() if k != "cnc_cfrm_qty"} | {"cncl_cfrm_qty": "1"}
    assert broker._order_row(other) == row()


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"odno": "51378"}, "order_no", "0000051378"),
        ({"orgn_odno": "0000000000"}, "original_order_no", ""),
        ({"orgn_odno": "51378"}, "original_order_no", "0000051378"),
        ({"ord_dvsn_cd": "01"}, "price", None),
        ({"ord_unpr": "0"}, "price", None),
        ({"sll_buy_dvsn_cd": "01"}, "side", "SELL"),
    ],
)
def test_an_order_row_is_normalised(change: dict[str, str], field: str, value: Any) -> None:
    assert getattr(row(**change), field) == value


@pytest.mark.parametrize(
    "change",
    [
        {"odno": "'; --"},
        {"odno": "1" * 1000},
        {"tot_ccld_qty": "11"},
        {"tot_ccld_qty": ""},
        {"rmn_qty": "-1"},
        {"sll_buy_dvsn_cd": "03"},
        {"ord_dt": "20261341"},
        {"pdno": "<img>"},
    ],
)
def test_a_nonsense_order_row_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(BrokerGarbled):
        row(**change)


def test_a_book_out_of_order_is_refused() -> None:
    levels = {f"{s}{n}": "0" for s in ("askp", "bidp") for n in range(1, 11)}
    levels |= {f"{s}_rsqn{n}": "0" for s in ("askp", "bidp") for n in range(1, 11)}
    good = levels | {"askp1": "100", "askp_rsqn1": "5", "askp2": "101", "askp_rsqn2": "5"}
    assert [level.price for level in broker._levels(good, "askp")] == [100, 101]
    with pytest.raises(BrokerGarbled):
        broker._levels(good | {"askp2": "99"}, "askp")


@pytest.mark.parametrize(
    ("body", "parsed"),
    [
        (b'{"rt_cd": "0", "output": {"ODNO": "1", "ORD_TMD": "100000"}}', True),
        (b'{"rt_cd": "1", "msg_cd": "APBK0400", "msg1": "  x  "}', True),
        (b'{"rt_cd": "0"', False),
        (b"<html>502</html>", False),
        (b"[]", False),
        (b'{"output": {}}', False),
        (b"", False),
        (b"\xff\xfe", False),
        (b"[" * 100_000, False),
    ],
)
def test_only_the_brokers_envelope_counts_as_an_answer(body: bytes, parsed: bool) -> None:
    assert decode_reply(RawReply("answered", 200, body)).parsed is parsed


def test_a_lost_answer_is_not_parsed_even_if_bytes_came() -> None:
    reply = decode_reply(RawReply("lost", 200, b'{"rt_cd": "0", "output": {"ODNO": "1"}}'))
    assert not reply.parsed


QUOTE = {
    "iscd_stat_cls_code": "55",
    "stck_prpr": "30000",
    "stck_sdpr": "29000",
    "stck_mxpr": "37700",
    "stck_llam": "20300",
    "aspr_unit": "5",
    "temp_stop_yn": "N",
    "sltr_yn": "N",
    "mrkt_warn_cls_code": "00",
    "vi_cls_code": "N",
    "acml_vol": "0",
    "prdy_vrss_vol_rate": "0.00",
}


@pytest.mark.parametrize(
    ("change", "halted", "vi", "warning"),
    [
        ({}, False, False, ""),
        ({"iscd_stat_cls_code": "58"}, True, False, ""),
        ({"temp_stop_yn": "Y"}, True, False, ""),
        ({"sltr_yn": "Y"}, True, False, ""),
        ({"vi_cls_code": ""}, False, False, ""),
        ({"vi_cls_code": "0"}, False, False, ""),
        ({"vi_cls_code": "Y"}, False, True, ""),
        ({"vi_cls_code": "1"}, False, True, ""),
        ({"iscd_stat_cls_code": "51"}, False, False, "51"),
        ({"mrkt_warn_cls_code": "01"}, False, False, ""),
        ({"iscd_stat_cls_code": "52", "mrkt_warn_cls_code": "03"}, False, False, "52,market-03"),
    ],
)
def test_what_stops_trading_in_a_name_is_read_from_its_quote(
    change: dict[str, str], halted: bool, vi: bool, warning: str
) -> None:
    answer = script((200, {"rt_cd": "0", "msg_cd": "", "msg1": "", "output": QUOTE | change}, {}))
    found = broker.KisBroker(client(answer), WallClock()).quote("069500")
    assert (found.halted, found.vi, found.warning) == (halted, vi, warning)


def test_a_quote_is_as_old_as_its_question() -> None:
    asked: list[Any] = []
    answer = script((200, {"rt_cd": "0", "msg_cd": "", "msg1": "", "output": QUOTE}, {}))

    def slow(request: Any) -> Any:
        asked.append(WallClock().now())
        return answer(request)

    assert broker.KisBroker(client(slow), WallClock()).quote("069500").at <= asked[0]


@pytest.mark.parametrize(
    ("output", "number"),
    [
        ({"ODNO": "7"}, "7"),
        ([{"ODNO": "7"}], "7"),
        ([{"ODNO": "7"}, {"ODNO": "8"}], ""),
        ([], ""),
        ("", ""),
    ],
)
def test_an_answer_owns_one_number_or_none(output: Any, number: str) -> None:
    body = json.dumps({"rt_cd": "0", "output": output}).encode()
    assert decode_reply(RawReply("answered", 200, body)).order_no == number


@pytest.mark.parametrize(("size", "transport"), [(MAX_BYTES, "answered"), (MAX_BYTES + 1, "lost")])
def test_an_answer_too_large_to_be_one_proves_nothing(size: int, transport: str) -> None:
    class Broker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b" " * size)

        def log_message(self, *_arguments: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Broker) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        line = Line(SimpleNamespace(base_url=url, headers=lambda *_names: {}), "token")  # type: ignore[arg-type]
        found = line.post(PreparedPost(path="/x", tr_id="x", body=b"{}"), "n" * 32)
        line.close()
        thread.join(5)
    assert found.transport == transport


CAPTURES = SHARED / "data" / "kis_rest"


def capture(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CAPTURES / name).read_text(encoding="utf-8"))["body"]
    return found


@pytest.mark.skipif(not CAPTURES.exists(), reason="the KIS captures are not here")
def test_the_brokers_own_examples_read() -> None:
    (first, *_rest) = capture("02_kr.trading.inquire-daily-ccld.json")["output1"]
    assert broker._order_row(first).rejected_quantity == 10
    balance = capture("cap_inquire-balance_vts_005930_2025-02.json")
    held = [broker._holding(r) for r in parsing.rows(balance, "output1")]
    assert held[0].ticker == "005930" and held[0].average_price > Decimal(0)
    assert parsing.won(parsing.rows(balance, "output2")[0], "prvs_rcdl_excc_amt") >= 0
    cash = capture("cap_inquire-psbl-order_vts_2025-02.json")
    assert parsing.won(parsing.rows(cash, "output")[0], "nrcvb_buy_amt") == 9_998_580
    order = json.dumps(capture("cap_order-cash_vts_buy_2025-02.json")).encode()
    reply = decode_reply(RawReply("answered", 200, order))
    assert reply.parsed and reply.ok and reply.order_no.isdigit()
