"""The tests of our tests: the table of mistakes is whole, its patches fit, and the cheapest really die."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.mutants import __main__ as command
from tests.mutants import copies
from tests.mutants.copies import DoesNotApply, Verdict, apply, copy_of_source, patched, run_bed
from tests.mutants.table import PROCESSES, QUICK, SIMULATION, TABLE, UNIT

pytestmark = [pytest.mark.once]

ROOT = Path(__file__).resolve().parents[2]
MUST_DIE = {f"M{n:02d}" for n in (*range(1, 8), 9, 10, 12, 16, 17, 18, 24)}
DOCUMENT = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def copy() -> Iterator[Path]:
    with copy_of_source() as folder:
        yield folder


def test_the_mistakes_are_m1_to_m24() -> None:
    names = [f"M{n:02d}" for n in range(1, 25)]
    assert list(TABLE) == names
    assert sorted(path.stem for path in copies.PATCHES.glob("*.patch")) == names
    assert {name for name, one in TABLE.items() if one.must_die} == MUST_DIE
    assert {one.bed for one in TABLE.values()} == {SIMULATION, PROCESSES, UNIT}
    assert len(set(QUICK)) == 5 and all(TABLE[name].bed == UNIT for name in QUICK)


@pytest.mark.parametrize("name", TABLE)
def test_a_patch_fits_the_source_and_changes_it(copy: Path, name: str) -> None:
    changed = patched(copy, name)
    assert changed and all(not file.startswith("tests/") for file in changed)
    back = apply(copy, "-R", str(copies.PATCHES / f"{name}.patch"))
    assert back.returncode == 0, back.stderr


@pytest.mark.parametrize("name", TABLE)
def test_a_bed_is_there(name: str) -> None:
    one = TABLE[name]
    assert one.runs
    for run in one.runs:
        if one.bed == SIMULATION:
            assert re.fullmatch(r"\d+(-\d+)?", run) and one.laws
            continue
        file, _, test = run.partition("::")
        source = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {test.partition('[')[0]}\(", source, re.MULTILINE), run


@pytest.mark.parametrize("name", TABLE)
def test_the_guide_names_each_with_its_bed(name: str) -> None:
    assert re.search(rf"^\| {name} \| .+ \| {TABLE[name].bed}\b", DOCUMENT, re.MULTILINE)


def test_what_does_not_fit_or_changes_nothing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "PATCHES", tmp_path)
    (tmp_path / "a.txt").write_text("one\n")
    for name, hunk in (("M01", "-two\n+three\n"), ("M02", " one\n")):
        text = f"--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n{hunk}"
        (tmp_path / f"{name}.patch").write_text(text)
        with pytest.raises(DoesNotApply, match=name):
            patched(tmp_path, name)


def ended(code: int, text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], code, text, "")


@pytest.mark.parametrize(
    ("code", "text", "verdict"),
    [
        (0, "── 1 seeds · 20 orders", "survived"),
        (1, "── 1 seeds · 20 orders\n   seed 7 I1b: sent twice ('3',)\n", "killed"),
        (1, "── 1 seeds · 20 orders\n   seed 7 twin I3: booked otherwise ('3',)\n", "broken"),
        (1, "Traceback (most recent call last):\nTypeError: no\n", "broken"),
    ],
    ids=["nothing", "its law", "another law", "a crash"],
)
def test_only_a_law_about_the_mistake_kills_in_a_storm(code: int, text: str, verdict: str) -> None:
    assert copies._storm(ended(code, text), {"I1"})[0] == verdict


@pytest.mark.parametrize(
    ("code", "text", "verdict"),
    [
        (0, "1 passed", "survived"),
        (1, "FAILED tests/a.py::test_b[x - y] - assert 1 == 2", "killed"),
        (1, "FAILED tests/a.py::test_b - NameError: name 'x'", "broken"),
        (1, "FAILED tests/a.py::test_b - assert 0\nERROR tests/a.py::test_c - OSError", "broken"),
        (2, "ERROR tests/a.py", "broken"),
        (4, "no such test", "broken"),
    ],
)
def test_only_a_test_that_ran_and_failed_kills(code: int, text: str, verdict: str) -> None:
    assert copies._tests(ended(code, text), set())[0] == verdict


@pytest.mark.parametrize(
    ("name", "verdict", "bad", "status"),
    [
        ("M01", "killed", [], 0),
        ("M01", "survived", [], 1),
        ("M01", "broken", [], 1),
        ("M23", "survived", [], 0),
        ("M01", "killed", ["a bed"], 2),
        ("M99", "killed", [], 2),
    ],
)
def test_the_exit_status_says_whether_one_lives_that_must_die(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    verdict: str,
    bad: list[str],
    status: int,
) -> None:
    monkeypatch.setattr(command, "RECORD", tmp_path / "var" / "mutants.json")
    monkeypatch.setattr(command, "_beds", lambda _mutants: bad)
    monkeypatch.setattr(command, "copy_of_source", lambda: nullcontext(tmp_path))
    monkeypatch.setattr(command, "patched", lambda _folder, _name: ["a.py"])
    monkeypatch.setattr(command, "run_bed", lambda _folder, _one: Verdict(verdict, "a law", 1.0))
    assert command.main([name]) == status
    kept = json.loads(command.RECORD.read_text()) if command.RECORD.exists() else {}
    told = {"verdict": verdict, "by": "a law", "seconds": 1.0}
    mine = (
        {}
        if status == 2
        else {name: {"mistake": TABLE[name].mistake, "bed": TABLE[name].bed} | told}
    )
    assert kept == mine


def played(name: str, mistake: bool) -> Verdict:
    with copy_of_source() as folder:
        if mistake:
            patched(folder, name)
        return run_bed(folder, TABLE[name])


def test_the_five_cheapest_die_and_without_the_mistake_their_bed_is_passed() -> None:
    with ThreadPoolExecutor(2) as pool:
        whole = pool.submit(played, QUICK[0], False)
        dead = {name: pool.submit(played, name, True) for name in QUICK}
    found = {name: one.result().verdict for name, one in dead.items()}
    assert found == dict.fromkeys(QUICK, "killed"), [one.result() for one in dead.values()]
    assert whole.result().verdict == "survived", whole.result().by
