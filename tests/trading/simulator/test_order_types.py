"""The order types of each venue: what a venue does not know, what it knows at another hour, what it takes."""

from __future__ import annotations

import pytest

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.evenings import RICH, at, book
from trading.simulator.order_types import TYPES, takes

TABLE = """
00 KRX NXT SOR
01 KRX -   SOR
02 KRX -   -
03 KRX NXT SOR
04 KRX NXT SOR
05 KRX -   -
06 KRX -   -
11 KRX NXT SOR
12 KRX NXT SOR
13 KRX NXT SOR
14 KRX NXT SOR
15 KRX NXT SOR
16 KRX NXT SOR
27 -   NXT -
28 -   NXT -
29 -   NXT -
41 KRX -   -
42 KRX -   -
43 KRX -   -
44 KRX -   -
45 KRX -   -
46 KRX -   -
47 KRX -   -
"""
"""The broker's table as of 2026-09-14, without the types that are not modelled."""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [
    (code, venue, cell == venue)
    for code, *cells in ROWS
    for venue, cell in zip(("KRX", "NXT", "SOR"), cells, strict=True)
]
HOURS = {"05": "08:31", "06": "15:45", "27": "08:10", "28": "08:10", "29": "08:10"}
NEW = {"27", "28", "29", "41", "42", "43", "44", "45", "46", "47"}
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


def hour_of(code: str) -> str:
    return "16:30" if code.startswith("4") else HOURS.get(code, "10:00")


@pytest.mark.parametrize(("code", "venue", "taken"), CELLS)
def test_a_venue_takes_the_types_of_its_column_and_no_other(
    make: Make, code: str, venue: str, taken: bool
) -> None:
    hand = at(make, hour_of(code), accounts=RICH)
    bid = hand.sim.world.market.shown("005930", hand.sim.now()).last
    price = 0 if code in UNPRICED else bid
    answer = hand.order("buy", "005930", 1, price, code, EXCG_ID_DVSN_CD=venue)
    assert answer.code == ("APBK0013" if taken else "OPSQ2001"), answer.text
    assert taken or "ORD_DVSN" in answer.json["msg1"]


def test_the_table_is_the_whole_table() -> None:
    assert sorted(TYPES) == sorted({*(row[0] for row in ROWS), "07"})


@pytest.mark.parametrize("code", ["21", "22", "23", "24", "07", "08", "99", ""])
@pytest.mark.parametrize("venue", ["KRX", "NXT"])
def test_what_nobody_here_trades_is_no_type(make: Make, code: str, venue: str) -> None:
    hand = at(make, "10:00")
    body = {"ORD_DVSN": code, "EXCG_ID_DVSN_CD": venue}
    answer = hand.order("buy", "005930", 1, 98_000, **body)
    assert answer.code == "OPSQ2001"


@pytest.mark.parametrize("code", sorted(NEW))
def test_the_types_of_september_were_unknown_the_session_before(make: Make, code: str) -> None:
    venue = "NXT" if code.startswith("2") else "KRX"
    hand = at(make, hour_of(code), "2026-09-11", accounts=RICH)
    assert hand.order("buy", "005930", 1, 98_000, code, EXCG_ID_DVSN_CD=venue).code == "OPSQ2001"
    hand = at(make, hour_of(code), "2026-09-14", accounts=RICH)
    price = 0 if code in UNPRICED else 98_000
    answer = hand.order("buy", "005930", 1, price, code, EXCG_ID_DVSN_CD=venue)
    assert answer.code == "APBK0013", answer.text


def test_the_single_price_type_lived_until_september_and_never_trades_here(make: Make) -> None:
    hand = at(make, "16:30", "2026-09-11")
    assert hand.order("buy", "005930", 1, 98_000, "07").code == "APBK1058"
    hand = at(make, "16:30", "2026-09-14")
    assert hand.order("buy", "005930", 1, 98_000, "07").code == "OPSQ2001"
    assert not takes("NXT", "07", hand.sim.now().date())


@pytest.mark.parametrize("code", ["05", "06", "11", "13", "41", "44", "27"])
def test_the_mock_host_knows_the_plain_types_only(make: Make, code: str) -> None:
    hand = at(make, hour_of(code), profile="mock")
    assert hand.order("buy", "005930", 1, 0, code).code == "OPSQ2001"
    assert hand.order("buy", "005930", 1, 98_000, "00", EXCG_ID_DVSN_CD="NXT").code == "OPSQ2001"
    assert hand.order("buy", "005930", 1, 98_000, "00", EXCG_ID_DVSN_CD="SOR").code == "OPSQ2001"


@pytest.mark.parametrize(
    ("code", "venue", "moment", "answer"),
    [
        ("00", "KRX", "16:30", "APBK1058"),
        ("01", "KRX", "18:00", "APBK1058"),
        ("11", "KRX", "15:45", "APBK1058"),
        ("05", "KRX", "08:29:59", "APBK0918"),
        ("05", "KRX", "08:40", "APBK0918"),
        ("05", "KRX", "10:00", "APBK1058"),
        ("06", "KRX", "10:00", "APBK1058"),
        ("06", "KRX", "15:39:59", "APBK1058"),
        ("06", "KRX", "16:00", "APBK1058"),
        ("41", "KRX", "08:00", "APBK0918"),
        ("41", "KRX", "15:59:59", "APBK1058"),
        ("41", "KRX", "20:00", "APBK1058"),
        ("00", "NXT", "07:59:59", "APBK0918"),
        ("00", "NXT", "08:50", "APBK0918"),
        ("00", "NXT", "09:00:29", "APBK1058"),
        ("00", "NXT", "15:20", "APBK1058"),
        ("00", "NXT", "20:00", "APBK1058"),
        ("27", "NXT", "09:30", "APBK1058"),
        ("27", "NXT", "16:30", "APBK1058"),
        ("13", "NXT", "08:30", "APBK0918"),
        ("13", "NXT", "16:30", "APBK3013"),
        ("01", "SOR", "08:10", "APBK0918"),
        ("01", "SOR", "15:31", "APBK3013"),
        ("14", "SOR", "19:00", "APBK3013"),
        ("00", "SOR", "07:59:59", "APBK0918"),
        ("00", "SOR", "20:00", "APBK1058"),
    ],
)
def test_a_known_type_at_the_wrong_hour_is_told_the_hour(
    make: Make, code: str, venue: str, moment: str, answer: str
) -> None:
    hand = at(make, moment)
    price = 0 if code in UNPRICED else 98_000
    assert hand.order("buy", "005930", 1, price, code, EXCG_ID_DVSN_CD=venue).code == answer
    assert hand.sim.truth()["orders"] == []


@pytest.mark.parametrize(
    ("code", "venue", "moment"),
    [
        ("05", "KRX", "08:30"),
        ("05", "KRX", "08:39:59"),
        ("06", "KRX", "15:40"),
        ("06", "KRX", "15:59:59"),
        ("41", "KRX", "16:00"),
        ("41", "KRX", "19:59:59"),
        ("00", "NXT", "08:00"),
        ("00", "NXT", "08:49:59"),
        ("00", "NXT", "09:00:30"),
        ("00", "NXT", "15:19:59"),
        ("00", "NXT", "15:30"),
        ("00", "NXT", "19:59:59"),
        ("27", "NXT", "08:49:59"),
        ("13", "NXT", "10:00"),
        ("01", "SOR", "08:30"),
        ("01", "SOR", "15:29:59"),
        ("00", "SOR", "08:00"),
        ("00", "SOR", "15:30"),
        ("00", "SOR", "19:59:59"),
    ],
)
def test_and_at_the_right_hour_it_is_taken(make: Make, code: str, venue: str, moment: str) -> None:
    hand = at(make, moment, accounts=RICH)
    price = 0 if code in UNPRICED else 98_000
    answer = hand.order("buy", "005930", 1, price, code, EXCG_ID_DVSN_CD=venue)
    assert answer.code == "APBK0013", answer.text


@pytest.mark.parametrize(
    ("code", "moment", "answer"),
    [
        ("05", "08:30", "APBK0918"),
        ("05", "09:30", "APBK0013"),
        ("06", "15:45", "APBK1058"),
        ("06", "16:40", "APBK0013"),
        ("41", "16:30", "APBK1058"),
        ("41", "17:00", "APBK0013"),
    ],
)
def test_on_the_day_of_the_exam_everything_is_an_hour_later(
    make: Make, code: str, moment: str, answer: str
) -> None:
    hand = at(make, moment, "2026-11-19", accounts=RICH)
    assert hand.order("buy", "005930", 1, 0 if code in UNPRICED else 98_000, code).code == answer


def test_the_book_of_the_day_is_untouched_by_a_look_at_the_others(make: Make) -> None:
    plain, looked = (at(make, "10:00", tame=False) for _ in range(2))
    for market in ("NX", "UN", "J"):
        book(looked, "005930", market)
    assert book(plain, "005930") == book(looked, "005930")
