"""The shared table says what the broker's documents say, and the page made of it is up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, SHARED
from trading.kis_wire import calls, channels
from trading.simulator.reference import reference

DOCUMENT = SHARED / "kis" / "kis-endpoints.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    if not DOCUMENT.exists():
        pytest.skip("the protocol documents are not here")
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found


def _id(value: Any) -> str:
    return str(value["id"] if isinstance(value, dict) else value)


def test_every_documented_call_is_in_the_table_with_its_fields(document: dict[str, Any]) -> None:
    by_path: dict[tuple[str, str], list[Any]] = {}
    for call in calls().values():
        by_path.setdefault((call.method, call.path), []).append(call)
    missing = []
    for row in document["rest"]:
        found = [
            call
            for call in by_path.get((row["method"], row["path"]), [])
            if {p.name for p in call.params} == {p["name"] for p in row["params"]}
            and [[f.name for f in o.fields] for o in call.outputs]
            == [[f["name"] for f in o["fields"]] for o in row["outputs"]]
            and {tr.real for tr in call.trs} == {_id(tr) for tr in row["tr_id_real"]}
        ]
        if len(found) != 1:
            missing.append(row["name"])
    assert not missing
    assert len(calls()) == len(document["rest"])


def test_every_mock_id_of_the_documents_is_known(document: dict[str, Any]) -> None:
    known = {
        tr_id
        for call in calls().values()
        for tr in call.trs
        for tr_id in (tr.mock, tr.legacy_mock)
        if tr_id
    }
    assert {_id(tr) for row in document["rest"] for tr in row["tr_id_mock"]} <= known


def test_every_documented_channel_is_in_the_table_in_its_order(document: dict[str, Any]) -> None:
    ours = {c.tr_id: (c.mock, c.encrypted, c.fields) for c in channels().values()}
    theirs = {
        row["tr_id"]: (
            row["tr_id_mock"] or None,
            row["encrypted"],
            tuple(field["name"] for field in row["fields"]),
        )
        for row in document["websocket"]
    }
    assert ours == theirs


def test_a_tr_id_stands_for_one_call() -> None:
    seen: dict[str, str] = {}
    for call in calls().values():
        for tr in call.trs:
            for tr_id in {tr.real, tr.mock, tr.legacy_real, tr.legacy_mock} - {None}:
                assert seen.setdefault(str(tr_id), call.name) == call.name, tr_id


def test_the_page_of_calls_is_written_from_the_table() -> None:
    page = Path(ROOT) / "docs" / "kis.md"
    assert page.read_text(encoding="utf-8") == reference(), (
        "run `python -m trading.simulator.reference`"
    )
