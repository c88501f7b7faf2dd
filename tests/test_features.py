"""The table of features tells the truth: every number once, and a test behind every claim."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "features.md"
_ROW = re.compile(r"\| F(\d+) \| (.+?) \| (.+?) \| (.*?) ?\| (.*?) ?\|")
STATES = ("works", "partly", "not yet")
CLAIMS = ("works", "partly")


def rows() -> list[tuple[int, str, str, str]]:
    """(number, state, what is missing, test id) of every row."""
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if match := _ROW.fullmatch(line):
            number, _name, state, missing, test = match.groups()
            found.append((int(number), state, missing, test.strip("`")))
    return found


@cache
def functions_of(path: Path) -> frozenset[str]:
    """The test functions of a file, those of its classes as `Class::test`."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            inner = [n for n in node.body if isinstance(n, ast.FunctionDef)]
            names |= {f"{node.name}::{n.name}" for n in inner}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
    return frozenset(names)


def test_every_feature_is_listed_once_and_in_order() -> None:
    assert [number for number, *_ in rows()] == list(range(1, 240))


def test_states_are_three_words() -> None:
    assert {state for _, state, *_ in rows()} <= set(STATES)


@pytest.mark.parametrize(
    ("number", "test"),
    [(number, test) for number, state, _, test in rows() if state in CLAIMS],
    ids=lambda value: f"F{value}" if isinstance(value, int) else "",
)
def test_a_claim_names_a_test_that_exists(number: int, test: str) -> None:
    path, _, name = test.partition("::")
    name = name.split("[")[0]
    assert (ROOT / path).is_file(), f"F{number} names {path}, which does not exist"
    assert name.split("::")[-1].startswith("test_"), f"F{number} names {name}, which is no test"
    assert name in functions_of(ROOT / path), f"F{number}: {path} has no {name}"


def test_what_is_partly_there_says_what_is_missing() -> None:
    assert [f"F{n}" for n, state, missing, _ in rows() if state == "partly" and not missing] == []


def test_what_is_not_there_claims_no_test() -> None:
    assert [f"F{n}" for n, state, _, test in rows() if state == "not yet" and test] == []


def test_the_sum_at_the_top_is_right() -> None:
    counted = {state: sum(1 for row in rows() if row[1] == state) for state in STATES}
    text = TABLE.read_text(encoding="utf-8")
    said = re.search(r"Of 239: (\d+) work, (\d+) partly, (\d+) not yet\.", text)
    assert said is not None
    assert tuple(map(int, said.groups())) == tuple(counted[state] for state in STATES)


def test_a_claim_whose_test_did_not_pass_is_named() -> None:
    from tests.support.claims import unproven

    claimed = {test.split("[")[0] for _, state, _, test in rows() if state in CLAIMS}
    assert unproven(f"{test}[case]@group" for test in claimed) == []
    one = sorted(claimed)[0]
    assert all(one in claim for claim in unproven(claimed - {one})) and unproven(claimed - {one})
