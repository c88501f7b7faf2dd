"""Tokens, keys, rates and the gateway's own refusals, over real sockets."""

from __future__ import annotations

import json

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import BALANCE, DOMESTIC, Hand
from trading.simulator import Simulator
from trading.simulator.limits import Rates


def issue(hand: Hand) -> tuple[int, str]:
    answer = hand.oauth()
    return answer.status, answer.json.get("access_token", "") or answer.code


def test_a_token_call_inside_a_minute_is_refused_and_after_it_gives_the_same_token(
    make: Make,
) -> None:
    sim = make(minute_rule=True)
    hand = Hand(sim)
    status, first = issue(hand)
    assert status == 200
    assert issue(hand) == (403, "EGW00133")
    sim.advance(59)
    assert issue(hand) == (403, "EGW00133")
    sim.advance(2)
    assert issue(hand) == (200, first)


def test_a_new_token_after_six_hours_and_none_older_than_a_day(make: Make) -> None:
    sim = make()
    hand = Hand(sim).login()
    first = hand.token
    sim.advance(6 * 3600 - 1)
    assert issue(hand) == (200, first)
    sim.advance(2)
    second = issue(hand)[1]
    assert second != first
    assert hand.price("005930").status == 200
    sim.advance(18 * 3600)
    assert (hand.price("005930").status, hand.price("005930").code) == (500, "EGW00123")
    hand.token = second
    assert hand.price("005930").status == 200


def test_the_expiry_is_the_first_issues(sim: Simulator) -> None:
    hand = Hand(sim)
    body = hand.oauth().json
    assert body["expires_in"] == 86400
    assert body["access_token_token_expired"] == "2026-11-21 09:35:00"
    assert body["token_type"] == "Bearer"
    sim.advance(3600)
    again = hand.oauth().json
    assert again["access_token_token_expired"] == "2026-11-21 09:35:00"
    assert again["expires_in"] == 86400 - 3600


def test_a_revoked_token_is_dead_and_the_next_one_is_new(hand: Hand) -> None:
    old = hand.token
    answer = hand.oauth("revokeP", token=old)
    assert (answer.status, answer.json["code"]) == (200, 200)
    assert hand.price("005930").code == "EGW00121"
    assert hand.login().token != old
    assert hand.price("005930").status == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"grant_type": "password"}, "EGW00116"),
        ({"grant_type": ""}, "EGW00115"),
        ({"appkey": ""}, "EGW00102"),
        ({"appkey": "short"}, "EGW00103"),
        ({"appsecret": ""}, "EGW00104"),
        ({"appsecret": "short"}, "EGW00105"),
    ],
)
def test_a_bad_token_request_is_403_with_the_oauth_body(
    sim: Simulator, change: dict[str, str], code: str
) -> None:
    answer = Hand(sim).oauth(**change)
    assert (answer.status, answer.code) == (403, code)
    assert set(answer.json) == {"error_code", "error_description"}


def test_only_listed_keys_with_their_own_account_when_there_is_a_list(make: Make) -> None:
    entry = {"appkey": "K" * 36, "appsecret": "S" * 180, "account": "11112222-01", "cash": 5}
    sim = make(accounts=[entry])
    assert Hand(sim).oauth().code == "EGW00103"
    assert Hand(sim, appkey="K" * 36).oauth().code == "EGW00105"
    hand = Hand(sim, "11112222-01", "K" * 36, "S" * 180).login()
    assert hand.power().json["output"]["ord_psbl_cash"] == "5"
    hand.account = "11112223-01"
    assert hand.power().code == "OPSQ2000"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"authorization": ""}, "EGW00121"),
        ({"authorization": "Bearer nonsense"}, "EGW00121"),
        ({"authorization": "Basic abc"}, "EGW00205"),
        ({"appkey": ""}, "EGW00102"),
        ({"appkey": "x"}, "EGW00103"),
        ({"appsecret": ""}, "EGW00104"),
        ({"tr_id": "TTTC9999R"}, "OPSQ0002"),
        ({"tr_id": ""}, "OPSQ9999"),
        ({"tr_id": "VTTC8434R"}, "EGW02004"),
        ({"tr_id": "TTTC8908R"}, "OPSQ0002"),
    ],
)
def test_the_gateway_refuses_by_code(hand: Hand, headers: dict[str, str], code: str) -> None:
    hand.extra = headers
    answer = hand.get("balance", {**hand.owner, **BALANCE})
    assert answer.code == code
    assert answer.status == (500 if code.startswith("EGW") else 200)
    assert answer.json["rt_cd"] == "1"


@pytest.mark.parametrize(
    ("tr_id", "code"),
    [("TTTC8434R", "EGW02004"), ("VTTC8434R", "KIOK0560")],
)
def test_on_mock_only_mock_ids(make: Make, tr_id: str, code: str) -> None:
    hand = Hand(make(profile="mock")).login()
    assert hand.get("balance", {**hand.owner, **BALANCE}, tr_id=tr_id).code == code


def test_mock_does_not_offer_the_calendar_nor_the_revisable_list(make: Make) -> None:
    hand = Hand(make(profile="mock")).login()
    query = {"BASS_DT": "20261120", "CTX_AREA_FK": "", "CTX_AREA_NK": ""}
    assert hand.get("holidays", query).code == "OPSQ0002"


@pytest.mark.parametrize("tr_id", ["TTTC8001R", "TTTC0081R", "CTSC9215R", "CTSC9115R"])
def test_old_and_new_ids_both_work(hand: Hand, tr_id: str) -> None:
    assert hand.get("fills", hand.fills_query(), tr_id=tr_id).json["rt_cd"] == "0"


def test_header_names_in_any_case_and_query_names_in_lower_case(hand: Hand) -> None:
    headers = {name.upper(): value for name, value in hand.headers("FHKST01010100").items()}
    del headers["CUSTTYPE"]
    path = DOMESTIC + "quotations/inquire-price"
    query = "?fid_cond_mrkt_div_code=J&fid_input_iscd=005930"
    answer = hand.raw("GET", path + query, headers)
    assert answer.json["rt_cd"] == "0"


def test_three_reply_headers_in_lower_case_and_all_others_capitalised(hand: Hand) -> None:
    names = set(hand.price("005930").headers)
    assert {"tr_id", "tr_cont", "gt_uid"} <= names
    others = names - {"tr_id", "tr_cont", "gt_uid"}
    assert {"Content-Type", "Content-Length", "Date"} <= others
    assert all(name[0].isupper() for name in others)
    assert hand.price("005930").headers["tr_cont"] in "FMDE"


@pytest.mark.parametrize("missing", ["CTX_AREA_FK100", "CTX_AREA_NK100", "AFHR_FLPR_YN", "CANO"])
def test_a_missing_field_is_an_input_error(hand: Hand, missing: str) -> None:
    query = {**hand.owner, **BALANCE}
    del query[missing]
    assert hand.get("balance", query).code == "OPSQ2001"


@pytest.mark.parametrize("cano", ["1234567", "abcdefgh", ""])
def test_a_malformed_account_is_refused(hand: Hand, cano: str) -> None:
    assert hand.get("balance", {**hand.owner, **BALANCE, "CANO": cano}).code == "OPSQ2000"


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"", "application/json", "OPSQ9995"),
        (b"{", "application/json", "OPSQ9997"),
        (b"{}", "application/json", "OPSQ2001"),
        (b"{}", "text/plain", "EGW00132"),
        (b'{"ORD_QTY": 10}', "application/json", "OPSQ2001"),
    ],
)
def test_a_malformed_order_body(hand: Hand, body: bytes, content_type: str, code: str) -> None:
    headers = hand.headers("TTTC0012U", **{"content-type": content_type})
    assert hand.raw("POST", DOMESTIC + "trading/order-cash", headers, body).code == code


def test_hashkey_echoes_the_body(hand: Hand) -> None:
    headers = {"appkey": hand.appkey, "appsecret": hand.appsecret}
    headers["content-type"] = "application/json"
    answer = hand.raw("POST", "/uapi/hashkey", headers, json.dumps({"A": "1"}).encode())
    assert answer.json["BODY"] == {"A": "1"}
    assert answer.json["HASH"]


def test_a_right_hashkey_passes_and_a_wrong_one_is_refused(hand: Hand) -> None:
    body = {**hand.owner, "PDNO": "069500", "ORD_DVSN": "01", "ORD_QTY": "1", "ORD_UNPR": "0"}
    headers = {"appkey": hand.appkey, "appsecret": hand.appsecret}
    signed = hand.raw("POST", "/uapi/hashkey", headers, json.dumps(body).encode()).json["HASH"]
    assert hand.post("order", body, "TTTC0012U", hashkey=signed).code == "APBK0013"
    changed = {**body, "ORD_QTY": "2"}
    assert hand.post("order", changed, "TTTC0012U", hashkey=signed).code == "EGW00131"


# --- rates ------------------------------------------------------------------------------------


def test_real_lets_eighteen_calls_a_second_through_and_stops_the_next(make: Make) -> None:
    sim = make(throttled=True)
    hand = Hand(sim).login()
    codes = [hand.price("005930").code for _ in range(20)]
    assert codes == ["MCA00000"] * 18 + ["EGW00201"] * 2
    assert hand.price("005930").status == 500
    sim.advance(1)
    assert hand.price("005930").code == "MCA00000"


def test_mock_lets_one_call_a_second_through_and_stops_the_next(make: Make) -> None:
    sim = make(profile="mock", throttled=True)
    hand = Hand(sim).login()
    seen = []
    for _ in range(3):
        seen += [hand.price("005930").code, hand.power().code]
        sim.advance(1)
    assert seen == ["MCA00000", "EGW00201"] * 3


def test_the_ledger_has_a_stricter_limit_of_its_own(make: Make) -> None:
    sim = make(throttled=True)
    hand = Hand(sim).login()
    codes = [hand.power().code for _ in range(8)]
    assert codes == ["KIOK0510"] * 6 + ["EGW00215"] * 2
    assert hand.price("005930").code == "MCA00000"
    sim.advance(1)
    assert hand.power().code == "KIOK0510"


def test_the_window_slides_and_each_key_has_its_own(make: Make) -> None:
    sim = make(rates=Rates(calls=2, ledger=None), minute_rule=False)
    hand, other = Hand(sim).login(), Hand(sim, appkey="Q" * 36).login()
    assert hand.price("005930").code == "MCA00000"
    sim.advance(0.6)
    assert hand.price("005930").code == "MCA00000"
    assert hand.price("005930").code == "EGW00201"
    assert other.price("005930").code == "MCA00000"
    sim.advance(0.5)
    assert hand.price("005930").code == "MCA00000"
    assert hand.price("005930").code == "EGW00201"


def test_an_order_refused_for_speed_never_reaches_the_exchange(make: Make) -> None:
    sim = make(rates=Rates(calls=1, ledger=None), minute_rule=False)
    hand = Hand(sim).login()
    assert hand.order("buy", "069500", 1, 56_000).json["rt_cd"] == "0"
    assert hand.order("buy", "069500", 1, 56_000).code == "EGW00201"
    assert len(sim.truth()["orders"]) == 1
