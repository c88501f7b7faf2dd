"""Any answer of the broker by its table: captured bodies parse, odd values are refused, drift is told."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import SHARED
from trading.brokers.kis.parsing import document
from trading.brokers.kis.tables import read_table
from trading.domain.errors import BrokerGarbled
from trading.kis_wire import calls

BODIES = SHARED / "data" / "kis_rest"
REFUSED = {
    "13_us.trading.inquire-psamount.json": "ord_psbl_frcr_amt is not a number",
}
"""The publisher masked digits of this number with asterisks."""
MOST_REFUSED = 0.05


def bodies() -> list[Path]:
    if not BODIES.exists():
        pytest.skip("the captured bodies are not here")
    return sorted(BODIES.glob("*.json"))


def test_every_captured_body_of_a_known_call_is_read_or_named() -> None:
    by_path = {call.path: call.name for call in calls().values()}
    refused, read, empty = {}, 0, []
    for path in bodies():
        captured = json.loads(path.read_text(encoding="utf-8"))
        body = document(json.dumps(captured["body"]).encode())
        name = by_path.get(captured["_meta"].get("url", ""))
        if name is None:
            continue
        try:
            table = read_table(name, body)
        except BrokerGarbled as error:
            refused[path.name] = str(error)
            continue
        read += 1
        if not any(table.rows.values()):
            empty.append(path.name)
    assert refused == REFUSED
    assert len(refused) <= MOST_REFUSED * read
    assert read > 100
    assert empty == ["03_kr.quotations.exp-closing-price.json"], "whose example is an empty list"


def test_a_body_of_a_call_that_is_not_in_the_table_is_still_a_document() -> None:
    for path in bodies():
        body = json.loads(path.read_text(encoding="utf-8"))["body"]
        assert document(json.dumps(body).encode()) == body


def price(**fields: Any) -> dict[str, Any]:
    return {"output": {"stck_prpr": "71900", **fields}}


def test_values_are_what_their_fields_mean() -> None:
    row = read_table(
        "inquire_price",
        price(
            acml_vol="3052507",
            per="12.34",
            w52_hgpr_date="20260105",
            w52_lwpr_date="2026/01/06",
            temp_stop_yn="N",
        ),
    ).only()
    assert row["stck_prpr"] == Decimal(71_900)
    assert row["acml_vol"] == 3_052_507 and isinstance(row["acml_vol"], int)
    assert row["per"] == Decimal("12.34")
    assert row["w52_hgpr_date"] == date(2026, 1, 5)
    assert row["w52_lwpr_date"] == date(2026, 1, 6)
    assert row["temp_stop_yn"] == "N"


@pytest.mark.parametrize("blank", ["", "   "])
def test_a_blank_is_nothing_and_never_zero(blank: str) -> None:
    row = read_table("inquire_price", price(per=blank, acml_vol=blank, w52_hgpr_date=blank)).only()
    assert (row["per"], row["acml_vol"], row["w52_hgpr_date"]) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stck_prpr", "71,900"),
        ("stck_prpr", "７１９００"),
        ("stck_prpr", "1e5"),
        ("stck_prpr", "NaN"),
        ("stck_prpr", "--5"),
        ("stck_prpr", "9" * 40),
        ("acml_vol", "1.5"),
        ("w52_hgpr_date", "2026-01-05"),
        ("w52_hgpr_date", "20261301"),
        ("stck_prpr", None),
        ("stck_prpr", 71_900),
    ],
)
def test_a_value_that_is_not_what_its_field_means_is_garbled(name: str, value: Any) -> None:
    with pytest.raises(BrokerGarbled, match=name):
        read_table("inquire_price", price(**{name: value}))


def test_signs_leading_zeros_and_padding_are_numbers() -> None:
    row = read_table("inquire_price", price(prdy_ctrt="+0.11", prdy_vrss="-0100", stck_oprc=" 5 "))
    assert [row.only()[n] for n in ("prdy_ctrt", "prdy_vrss", "stck_oprc")] == [
        Decimal("0.11"),
        Decimal(-100),
        Decimal(5),
    ]


def test_drift_is_told_and_breaks_nothing() -> None:
    table = read_table("inquire_price", price(brand_new="1"))
    assert "output.brand_new" in table.drift.unknown
    assert "output.per" in table.drift.missing
    assert table.only()["stck_prpr"] == 71_900
    assert read_table("inquire_balance", {}).drift.missing == {"output1", "output2"}


def test_one_row_is_one_row() -> None:
    with pytest.raises(BrokerGarbled, match="exactly one row"):
        read_table("inquire_price", {"output": []}).only()
    both = read_table("inquire_balance", {"output1": [], "output2": [{"dnca_tot_amt": "5"}]})
    assert both.only("output2")["dnca_tot_amt"] == 5


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["output", "stck_prpr", "x"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_no_shape_at_all_raises_anything_else(shape: Any) -> None:
    body = shape if isinstance(shape, dict) else {"output": shape}
    try:
        read_table("inquire_price", body)
    except BrokerGarbled:
        return
