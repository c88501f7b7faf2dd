"""Reads: retried when that helps, paged to the end, never believed when incomplete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest

from trading.brokers.kis.auth import issue_token
from trading.brokers.kis.broker import KisBroker
from trading.brokers.kis.client import Credentials, KisClient
from trading.domain.errors import (
    BrokerBusy,
    BrokerGarbled,
    BrokerMisconfigured,
    BrokerRefused,
    BrokerTokenDead,
    BrokerUnavailable,
)
from trading.domain.ports import StoredToken
from trading.services.clock import WallClock

CREDENTIALS = Credentials("CANARYKEY", "CANARYSEC", "99887766-01")
QUOTE = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "069500"}


class Tokens:
    """A token store that counts renewals."""

    def __init__(self) -> None:
        self.renewed = 0

    def current(self) -> StoredToken:
        return StoredToken(f"token-{self.renewed}", WallClock().now())

    def renew(self, dead: str | None) -> StoredToken:
        self.renewed += 1
        return self.current()


class Budget:
    """Never makes anybody wait; remembers being told to slow down."""

    def __init__(self) -> None:
        self.lanes: list[str] = []
        self.slowed = 0

    def acquire(self, lane: str) -> None:
        self.lanes.append(lane)

    def slow_down(self) -> None:
        self.slowed += 1


def client(answer: Callable[[httpx2.Request], httpx2.Response]) -> KisClient:
    return KisClient(
        base_url="http://127.0.0.1:1",
        wire="real",
        credentials=CREDENTIALS,
        tokens=Tokens(),
        budget=Budget(),
        http=httpx2.Client(transport=httpx2.MockTransport(answer)),
        sleep=lambda _seconds: None,
    )


def script(*replies: Any) -> Callable[[httpx2.Request], httpx2.Response]:
    """Answer with `replies` in turn: (status, body, headers) or an exception to raise."""
    left = list(replies)

    def answer(request: httpx2.Request) -> httpx2.Response:
        step = left.pop(0)
        if isinstance(step, Exception):
            raise step
        status, body, headers = step
        return httpx2.Response(status, json=body, headers=headers)

    return answer


def good(**more: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    return 200, {"rt_cd": "0", "msg_cd": "MCA00000", "msg1": ""} | more, {"tr_cont": "D"}


def bad(code: str, status: int = 500) -> tuple[int, dict[str, Any], dict[str, str]]:
    return status, {"rt_cd": "1", "msg_cd": code, "msg1": "x"}, {}


def test_a_read_survives_a_time_out_and_a_gateway_error() -> None:
    reader = client(script(httpx2.ReadTimeout("x"), (502, None, {}), good(output={})))
    assert reader.read("inquire_price", QUOTE).body["rt_cd"] == "0"


def test_a_read_gives_up_in_the_end() -> None:
    reader = client(script(*[httpx2.ConnectError("x")] * 4))
    with pytest.raises(BrokerUnavailable):
        reader.read("inquire_price", QUOTE)


def test_too_fast_slows_the_whole_key_down() -> None:
    reader = client(script(bad("EGW00201"), good(output={})))
    reader.read("inquire_price", QUOTE)
    assert reader.budget.slowed == 1  # type: ignore[attr-defined]


def test_a_dead_token_is_renewed_once_and_never_in_a_loop() -> None:
    reader = client(script(bad("EGW00123"), good(output={})))
    reader.read("inquire_price", QUOTE)
    assert reader.tokens.renewed == 1  # type: ignore[attr-defined]
    reader = client(script(bad("EGW00123"), bad("EGW00121")))
    with pytest.raises(BrokerTokenDead):
        reader.read("inquire_price", QUOTE)
    assert reader.tokens.renewed == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (bad("MCA05918", 200), BrokerRefused),
        (bad("EGW02004"), BrokerMisconfigured),
        (bad("OPSQ2001", 200), BrokerMisconfigured),
    ],
)
def test_what_asking_again_cannot_mend_is_not_asked_again(
    reply: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        client(script(reply)).read("inquire_price", QUOTE)


def test_no_secret_reaches_an_error() -> None:
    leaky = httpx2.ConnectError("appkey=CANARYKEY appsecret=CANARYSEC")
    with pytest.raises(BrokerUnavailable) as caught:
        client(script(*[leaky] * 4)).read("inquire_price", QUOTE)
    assert "CANARY" not in repr(caught.value)
    assert "CANARY" not in repr(CREDENTIALS)


def empty_page(key: str, cont: str) -> Any:
    status, body, headers = page("1", key, cont)
    return status, {**body, "output1": []}, headers


def page(order_no: str, key: str, more: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    row = {
        "ord_dt": "20261120",
        "ord_gno_brno": "06010",
        "odno": order_no,
        "orgn_odno": "",
        "sll_buy_dvsn_cd": "01",
        "pdno": "069500",
        "ord_qty": "1",
        "ord_unpr": "0",
        "ord_tmd": "100000",
        "tot_ccld_qty": "0",
        "tot_ccld_amt": "0",
        "ord_dvsn_cd": "01",
        "cnc_cfrm_qty": "0",
        "rmn_qty": "1",
        "rjct_qty": "0",
    }
    status, body, _headers = good(output1=[row], ctx_area_fk100="fk" + " " * 98, ctx_area_nk100=key)
    return status, body, {"tr_cont": more}


def orders(*replies: Any) -> Any:
    today = WallClock().now().date()
    return KisBroker(client(script(*replies)), WallClock()).orders(today, today)


def test_what_is_older_than_three_months_is_asked_of_its_own_list() -> None:
    asked: list[tuple[str, str, str]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        query = request.url.params
        asked.append((request.headers["tr_id"], query["INQR_STRT_DT"], query["INQR_END_DT"]))
        status, body, headers = page("1", "", "D")
        return httpx2.Response(status, json=body | {"output1": []}, headers=headers)

    today = WallClock().now().date()
    broker = KisBroker(client(answer), WallClock())
    assert broker.orders(today - timedelta(days=200), today).complete
    (old, since, border), (new, after, until) = asked
    assert (old, new) == ("CTSC9215R", "TTTC0081R")
    assert (since, until) == (f"{today - timedelta(days=200):%Y%m%d}", f"{today:%Y%m%d}")
    assert datetime.strptime(after, "%Y%m%d") - datetime.strptime(border, "%Y%m%d") == timedelta(1)
    asked.clear()
    broker.orders(today - timedelta(days=5), today)
    broker.orders(today - timedelta(days=300), today - timedelta(days=200))
    assert [tr_id for tr_id, _first, _last in asked] == ["TTTC0081R", "CTSC9215R"]


def test_every_page_is_read() -> None:
    found = orders(page("1", "a", "M"), page("2", "b", "F"), page("3", "c", "D"))
    assert (found.complete, found.pages, len(found.rows)) == (True, 3, 3)


@pytest.mark.parametrize(
    "replies",
    [
        (page("1", "a", "M"), *[httpx2.ReadTimeout("x")] * 4),
        (page("1", "a", "M"), page("2", "a", "M")),
        (page("1", " ", "M"),),
        (page("1", "a", "M"), empty_page("b", "M")),
        (page("1", "a", "M"), bad("OPSQ2000", 200)),
    ],
    ids=[
        "a page fails",
        "the key repeats",
        "the key is blank",
        "an empty page",
        "a page is refused",
    ],
)
def test_an_interrupted_list_is_incomplete_but_keeps_what_it_saw(replies: Any) -> None:
    found = orders(*replies)
    assert not found.complete and found.problem
    assert found.rows


def test_a_row_that_changed_between_pages_makes_the_list_incomplete() -> None:
    first, second = page("1", "a", "M"), page("1", "b", "D")
    shifted = orders(first, second)
    assert not shifted.complete, "where a row comes twice another may be missing"
    assert shifted.alarm == "", "that happens while orders come in"
    filled = {"tot_ccld_qty": "1", "tot_ccld_amt": "30000", "rmn_qty": "0"}
    second[1]["output1"][0] |= filled
    assert orders(second).complete, "sound by itself"
    found = orders(first, second)
    assert not found.complete and "twice" in found.problem


def test_a_ticker_listed_twice_is_no_balance() -> None:
    row = {
        "pdno": "069500",
        "prdt_name": "x",
        "hldg_qty": "1",
        "ord_psbl_qty": "1",
        "pchs_avg_pric": "1.0",
        "prpr": "100",
    }
    _status, body, headers = good(
        output1=[row, row], output2=[{"prvs_rcdl_excc_amt": "0"}], ctx_area_nk100=""
    )
    with pytest.raises(BrokerGarbled):
        KisBroker(client(script((200, body, headers))), WallClock()).balance()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, {"error_code": "EGW00133", "error_description": "x"}, BrokerBusy),
        (403, {"error_code": "EGW00103", "error_description": "x"}, BrokerMisconfigured),
        (200, {"access_token": "t" * 40, "access_token_token_expired": ""}, BrokerGarbled),
        (
            200,
            {"access_token": "t" * 40, "access_token_token_expired": "2020-01-01 00:00:00"},
            BrokerGarbled,
        ),
        (
            200,
            {"access_token": "", "access_token_token_expired": "2099-01-01 00:00:00"},
            BrokerGarbled,
        ),
        (200, {}, BrokerGarbled),
    ],
)
def test_a_token_answer_that_is_no_token(status: int, body: Any, error: type[Exception]) -> None:
    http = httpx2.Client(
        transport=httpx2.MockTransport(lambda _r: httpx2.Response(status, json=body))
    )
    with pytest.raises(error):
        issue_token("http://127.0.0.1:1", CREDENTIALS, WallClock().now(), http)
