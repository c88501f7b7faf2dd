"""A copy of the source for one mutant: patched, and its bed run in it, away from everything of ours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.table import SIMULATION, Mutant

__all__ = [
    "PATCHES",
    "DoesNotApply",
    "Verdict",
    "apply",
    "copy_of_source",
    "patched",
    "run_all",
    "run_bed",
]

ROOT = Path(__file__).resolve().parents[2]
PATCHES = Path(__file__).resolve().parent
KEPT = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH"})
"""Nothing else of the environment reaches a bed: no database, queue or folder of whoever runs us."""
LONGEST = 900
_LAW = re.compile(r"^   seed (\d+)(?: twin)? (I\d+)(\w*): ", re.MULTILINE)
_SUMMED = re.compile(r"^── \d+ seeds · ", re.MULTILINE)
_FAILED = re.compile(r"^(FAILED|ERROR) (\S+?)(\[.*?\])?(?: - (.*))?$", re.MULTILINE)
_NO_REASON = re.compile(
    r"\b(NameError|ImportError|SyntaxError|UnboundLocalError|ModuleNotFoundError)\b"
)
"""How a patch fails that is no program: it says nothing about the mistake."""


class DoesNotApply(Exception):
    """A patch that is not for this source, or that changes nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`killed` by a law or a test, `survived`, or `broken`: it ended in a way that proves nothing."""

    verdict: str
    by: str
    seconds: float


def _kept() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in KEPT}


def _files() -> list[Path]:
    """The tracked source and what is new in it; all of the folder where there is no repository."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, env=_kept(), capture_output=True, check=False)
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        hidden = ("var", "node_modules", "__pycache__")
        found = [
            path
            for path in ROOT.rglob("*")
            if not any(p in hidden or p.startswith(".") for p in path.relative_to(ROOT).parts)
        ]
    return [path for path in (*found, *ROOT.glob("locale/*/LC_MESSAGES/*.mo")) if path.is_file()]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


@contextmanager
def copy_of_source() -> Iterator[Path]:
    """A folder with the source in it, compiled where ours is: a bed of seconds must not compile for as long."""
    with TemporaryDirectory(prefix="jeoul-mutant-") as name:
        folder = Path(name)
        for path in _files():
            _copy(path, folder / path.relative_to(ROOT))
            if path.suffix == ".py":
                for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
                    _copy(compiled, folder / compiled.relative_to(ROOT))
        (folder / "var").mkdir()
        yield folder


def apply(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`git apply` in a folder that belongs to no repository."""
    env = _kept() | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    command = ["git", "apply", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def patched(folder: Path, name: str) -> list[str]:
    """Apply the patch of mutant `name`; the files that it changed.

    Raises DoesNotApply when it does not fit, or leaves everything as it was.
    """
    patch = PATCHES / f"{name}.patch"
    told = apply(folder, "--numstat", str(patch))
    files = [line.split("\t")[2] for line in told.stdout.splitlines()]
    before = {file: _text(folder / file) for file in files}
    done = apply(folder, str(patch))
    if told.returncode or done.returncode:
        raise DoesNotApply(f"{name}: {(told.stderr + done.stderr).strip()}")
    changed = [file for file in files if _text(folder / file) != before[file]]
    if not changed:
        raise DoesNotApply(f"{name}: the patch changes nothing")
    return changed


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def run_bed(folder: Path, mutant: Mutant) -> Verdict:
    """Play the seeds or run the tests that `mutant` names, in `folder`, as it stands there."""
    return run_all(folder, mutant.bed, mutant.runs, set(mutant.laws))


def run_all(folder: Path, bed: str, runs: tuple[str, ...], laws: set[str]) -> Verdict:
    """Runs of one kind together; `laws` are those that may kill, any when there are none."""
    began = time.monotonic()
    env = _kept() | {"JEOUL_IGNORE_DOTENV": "1", "VAR_DIR": str(folder / "var"), "COLUMNS": "220"}
    if bed == SIMULATION:
        commands = [["-m", "tests.storm", seeds] for seeds in runs]
    else:
        commands = [["-m", "pytest", "-p", "no:xdist", "-q", "-rfE", "--tb=short", *runs]]
    verdict, by = "survived", ""
    for command in commands:
        try:
            done = subprocess.run(
                [sys.executable, *command],
                cwd=folder,
                env=env,
                capture_output=True,
                text=True,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired:
            verdict, by = "broken", f"no end in {LONGEST} s"
            continue
        read = _storm if bed == SIMULATION else _tests
        found, why = read(done, laws)
        if verdict != "killed" and found != "survived":
            verdict, by = found, why
    return Verdict(verdict, by, round(time.monotonic() - began, 1))


def _storm(done: subprocess.CompletedProcess[str], laws: set[str]) -> tuple[str, str]:
    """A law that is about the mistake kills; another one, or a crash, only shows that something broke."""
    if done.returncode == 0:
        return "survived", ""
    found = [(law, f"{law}{part}", seed) for seed, law, part in _LAW.findall(done.stdout)]
    if not _SUMMED.search(done.stdout) or not found:
        return "broken", (done.stderr.strip() or done.stdout.strip())[-300:]
    mine = {(whole, seed) for law, whole, seed in found if not laws or laws & {law, whole}}
    if not mine:
        return "broken", "other laws: " + ", ".join(sorted({whole for _, whole, _ in found}))
    names = sorted({whole for whole, _seed in mine})
    seeds = sorted({int(seed) for _whole, seed in mine})
    return "killed", f"{', '.join(names)} (seed {', '.join(map(str, seeds))})"


def _tests(done: subprocess.CompletedProcess[str], laws: set[str]) -> tuple[str, str]:
    """A named test that fails kills; one that cannot even begin proves nothing."""
    if done.returncode == 0:
        return "survived", ""
    found = _FAILED.findall(done.stdout)
    failed = [(test, why) for word, test, _case, why in found if word == "FAILED"]
    if done.returncode != 1 or not failed or len(failed) < len(found):
        return "broken", (done.stdout + done.stderr).strip()[-300:]
    if all(_NO_REASON.search(why or "") for _test, why in failed):
        return "broken", failed[0][1]
    names = dict.fromkeys(test.rsplit("/", 1)[-1] for test, _why in failed)
    return "killed", ", ".join(names)
