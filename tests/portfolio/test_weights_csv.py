"""Weights from a spreadsheet's file: what is read, what is refused with its row, and the way back out."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from portfolio.domain.weights_csv import Weights, read_weights, safe_cell, write_weights
from trading.domain.errors import InputError

pytestmark = pytest.mark.once
CLASSES = ("STOCK", "BOND", "CASH")
GOOD = """asset_class,ticker,percent
STOCK,,60
BOND,,30.5
CASH,,9.5
STOCK,069500,70
STOCK,005930,30
BOND,114260,100
"""


def refused(text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(InputError) as error:
        read_weights(data, CLASSES)
    return [reason.code for reason in error.value.reasons]


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("percent\n", "percent,이름\n")
        .replace(",70\n", ",70,코덱스\n")
        .encode("cp949"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("asset_class,ticker", " Asset_Class , TICKER").encode(),
        (GOOD + "\n,,\n").encode(),
    ],
    ids=["utf-8", "bom", "cp949", "crlf", "spaces and case", "empty rows"],
)
def test_a_file_is_read_however_the_spreadsheet_saved_it(data: bytes) -> None:
    found = read_weights(data, CLASSES)
    assert found.mp == {"STOCK": Decimal(60), "BOND": Decimal("30.5"), "CASH": Decimal("9.5")}
    assert found.sub["STOCK"] == {"069500": Decimal(70), "005930": Decimal(30)}


def test_what_is_written_out_is_read_back() -> None:
    found = read_weights(GOOD.encode(), CLASSES)
    text = write_weights(found, {"069500": "KODEX 200", "005930": "=HYPERLINK()"})
    assert read_weights(text.encode(), CLASSES) == found
    assert "'=HYPERLINK()" in text and text.startswith("\ufeff")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+82", "'+82"),
        ("-1", "'-1"),
        ("@SUM", "'@SUM"),
        ("\tx", "'\tx"),
        ("A=1", "A=1"),
    ],
)
def test_a_name_that_looks_like_a_formula_becomes_text(text: str, shown: str) -> None:
    assert safe_cell(text) == shown


ROW = "asset_class,ticker,percent\nSTOCK,,100\n"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (ROW + "STOCK,=1+1,100", ["csv_row_ticker"]),
        (ROW + "STOCK,069500,=100", ["csv_row_percent"]),
        (ROW + "STOCK,069500,-1", ["csv_row_percent"]),
        (ROW + "STOCK,069500,1e2", ["csv_row_percent"]),
        (ROW + "STOCK,069500,１００", ["csv_row_percent"]),
        (ROW + "STOCK,069500,33.333", ["csv_row_percent"]),
        (ROW + "STOCK,069500,", ["csv_row_percent"]),
        (ROW + "GOLD,069500,100", ["csv_row_class"]),
        (ROW + "STOCK,../etc,100", ["csv_row_ticker"]),
        (ROW + "STOCK,069500,50\nSTOCK,069500,50", ["csv_row_twice"]),
        (ROW + "STOCK,,100", ["csv_row_twice"]),
        (ROW + "stock,x,y", ["csv_row_class", "csv_row_ticker", "csv_row_percent"]),
        ("asset_class,ticker,percent\nSTOCK,,99", ["weights_not_100"]),
        (ROW + "STOCK,069500,101", ["weight_above_100", "weights_not_100"]),
        ("a,b,c\n1,2,3", ["csv_columns"]),
        ("asset_class,ticker,ticker,percent\n", ["csv_columns"]),
        ("", ["csv_columns"]),
        ("asset_class,ticker,percent\n", ["no_weights"]),
    ],
)
def test_one_wrong_row_refuses_the_whole_file_and_is_named(text: str, codes: list[str]) -> None:
    """HX-52, HX-54."""
    assert refused(text) == codes


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04" + b"x" * 100, "csv_not_text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "csv_not_text"),
        (ROW.encode() + b"\x00", "csv_not_text"),
        (b"\xff\xfe\xff\xff\x80", "csv_not_text"),
        (b'asset_class,ticker,percent\nSTOCK,,"' + b"x" * 200_000, "csv_not_text"),
    ],
    ids=["zip or xlsx", "xls", "nul", "no encoding", "a cell without end"],
)
def test_what_is_no_text_is_refused(data: bytes, code: str) -> None:
    """HX-51, HX-53."""
    assert refused(data) == [code]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (ROW.encode() + b"STOCK,069500,1\n" * 1_000_000, "csv_too_big"),
        (b"x" * 10_000_000, "csv_too_big"),
        (ROW.encode() + b"STOCK,069500,1\n" * 6_000, "csv_too_many_rows"),
    ],
    ids=["a million rows", "one long line", "six thousand rows"],
)
def test_a_huge_file_is_refused_at_once(data: bytes, code: str) -> None:
    """HX-55."""
    started = time.process_time()
    assert refused(data) == [code]
    assert time.process_time() - started < 2


def test_many_wrong_rows_are_named_up_to_twenty() -> None:
    codes = refused(ROW + "GOLD,069500,1\n" * 100)
    assert codes == ["csv_row_class"] * 20 + ["csv_more_rows"]


def test_nothing_is_nothing() -> None:
    assert Weights() == Weights({}, {})
