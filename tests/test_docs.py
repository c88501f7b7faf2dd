"""Documentation that can fail: what it names exists, and it speaks of Jeoul alone."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve

from config.errors import unknown

ROOT = Path(__file__).resolve().parents[1]
DOCS = [ROOT / "README.md", ROOT / "README.ko.md", *sorted((ROOT / "docs").glob("*.md"))]
SETTINGS = ROOT / "docs" / "settings.md"
_COMMAND = re.compile(r"manage\.py ([a-z_]+)((?: +--?[a-z-]+| +[^\s`]+)*)")
_OPTION = re.compile(r"--[a-z][a-z-]*")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_ADDRESS = re.compile(r"(?<![\w:./$}])(/(?:api|accounts|admin|health|rebalancing)/[\w/{}-]*)")
_TARGET = re.compile(r"\bmake ([a-z]+)\b")
_FILE = re.compile(r"`((?:config|trading|portfolio|rebalancing|tests|benchmarks)/[\w/.]+\.py)`")
_READ = re.compile(
    r'(?:env\.\w+|kept_secret|whole|decimal|yes|chosen|time_zone|web_address|model_name)\(\s*"([A-Z][A-Z0-9_]*)"'
)
_ABSENT = ("/api/trading", "/api/stocks", "/api/backtest")
"""Addresses that a document names to say that they do not exist."""


def _ids(path: Path) -> str:
    return path.name


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _mentions(pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    for path in DOCS:
        for match in pattern.finditer(_text(path)):
            yield path, match


# --- commands ---------------------------------------------------------------------------------
FAULT_PAGE = ROOT / "docs" / "faults.md"


def test_every_command_exists_with_its_options() -> None:
    known = get_commands()
    problems, seen = [], 0
    for path, match in _mentions(_COMMAND):
        name = match[1]
        seen += 1
        if name not in known:
            problems.append(f"{path.name}: {name}")
            continue
        parser = load_command_class(known[name], name).create_parser("manage.py", name)
        options = set(parser._option_string_actions)
        problems += [
            f"{path.name}: {name} {option}"
            for option in _OPTION.findall(match[2])
            if option not in options
        ]
    assert seen > 10
    assert problems == []


def test_every_command_of_ours_is_documented() -> None:
    own = {
        name
        for name, app in get_commands().items()
        if app in ("config", "trading", "portfolio", "strategies", "rebalancing")
    }
    text = "".join(map(_text, DOCS))
    assert [name for name in sorted(own) if f"`{name}" not in text and f" {name}" not in text] == []


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", _text(ROOT / "Makefile"), re.MULTILINE))
    assert {match[1] for _, match in _mentions(_TARGET)} <= targets


# --- addresses --------------------------------------------------------------------------------
def test_every_address_is_served() -> None:
    unserved = set()
    for path, match in _mentions(_ADDRESS):
        address = match[1].replace("{id}", "1").replace("{code}", "MP-3")
        if address.startswith(_ABSENT) or address in ("/api/macro-trading", "/api/macro-trading/"):
            continue
        if not _is_served(address):
            unserved.add(f"{path.name}: {address}")
    assert unserved == set()


def _is_served(address: str) -> bool:
    """Whether a view of its own answers; the API's "nothing here" does not count."""
    try:
        return bool(resolve(address).func is not unknown)
    except Resolver404:
        return False


def test_addresses_said_to_be_missing_are_missing() -> None:
    assert [prefix for prefix in _ABSENT if _is_served(prefix)] == []


def test_every_endpoint_is_documented() -> None:
    from config.api_urls import urlpatterns

    text = _text(ROOT / "docs" / "api.md")
    inside = [row for row in urlpatterns if str(row.pattern) == "macro-trading/"]
    paths = [str(path.pattern) for row in inside for path in row.url_patterns] + ["limits"]
    paths = [p.replace("<int:pk>", "{id}").replace("<slug:code>", "{code}") for p in paths]
    assert len(paths) > 30
    assert [path for path in paths if f"/api/macro-trading/{path}`" not in text] == []


# --- settings ---------------------------------------------------------------------------------
def _read_in_config() -> set[str]:
    names = set()
    for path in (ROOT / "config").rglob("*.py"):
        names |= set(_READ.findall(_text(path)))
    return names


def _environment_table() -> set[str]:
    table = _text(SETTINGS).split("## Rows")[0]
    return set(re.findall(r"^\| `([A-Z][A-Z0-9_]*)`", table, re.MULTILINE))


def test_the_settings_table_is_what_config_reads() -> None:
    assert _environment_table() == _read_in_config()


def test_the_example_environment_is_what_config_reads() -> None:
    text = _text(ROOT / ".env.example")
    names = set(re.findall(r"^# ([A-Z][A-Z0-9_]*)=", text, re.MULTILINE))
    assert names == _read_in_config()


def test_the_compose_file_sets_only_known_variables() -> None:
    own = _text(ROOT / "compose.yaml").split("services:")[0]
    names = set(re.findall(r"^    ([A-Z][A-Z0-9_]*):", own, re.MULTILINE))
    assert names - {"DJANGO_SETTINGS_MODULE"} <= _read_in_config()


# --- links, files, words ------------------------------------------------------------------------
@pytest.mark.parametrize("path", DOCS, ids=_ids)
def test_every_link_leads_somewhere(path: Path) -> None:
    targets = [t for t in _LINK.findall(_text(path)) if "://" not in t]
    assert [t for t in targets if not (path.parent / t).exists()] == []


def test_every_named_file_exists() -> None:
    missing = {
        f"{path.name}: {match[1]}"
        for path, match in _mentions(_FILE)
        if not (ROOT / match[1]).exists()
    }
    assert missing == set()


def test_every_function_of_the_journeys_exists() -> None:
    """`name` in the architecture document is a word of the source."""
    source = "".join(
        _text(path)
        for folder in ("config", "trading", "portfolio", "rebalancing")
        for path in (ROOT / folder).rglob("*.py")
    )
    named = set(re.findall(r"`(_?[a-z]+_[a-z_]+)`", _text(ROOT / "docs" / "architecture.md")))
    assert [name for name in sorted(named) if not re.search(rf"\b{name}\b", source)] == []


def _tracked() -> list[Path]:
    """The repository's text files; all files of the folder where there is no repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else []
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


_MACHINE = "/" + "work/"
_NEIGHBOUR = "shared" + "/"
_READS_NEIGHBOUR = ("tests/", "benchmarks/", ".ci/")


def test_no_file_speaks_of_the_machine_it_was_written_on() -> None:
    guilty = []
    for path in _tracked():
        try:
            text = _text(path)
        except UnicodeDecodeError:
            continue
        name = path.relative_to(ROOT).as_posix()
        if _MACHINE in text:
            guilty.append(f"{name}: a path of one machine")
        outside = not name.startswith(_READS_NEIGHBOUR)
        if outside and re.search(rf"(?<![\w-]){_NEIGHBOUR}", text):
            guilty.append(f"{name}: a folder outside the repository")
    assert guilty == []


def test_every_test_that_the_page_on_safety_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", _text(ROOT / "docs" / "trading-safety.md"))
    assert len(named) >= 15
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists() or f"def {name}(" not in _text(ROOT / path)
    ]
    assert missing == []


def test_the_page_of_faults_names_each_once_with_a_test_that_is_there_or_says_that_none_is() -> (
    None
):
    """And what it says of seeds is what seeds draw."""
    from tests.storm.seeds import EVERY, HARNESS, WAITING
    from trading.simulator.faults import FAULTS

    rows = re.findall(r"^\| ([A-L]\d\d) \| .+? \| ([^|]*) \| ([^|]*) \|$", _text(FAULT_PAGE), re.M)
    ids = [row[0] for row in rows]
    assert len(ids) == len(set(ids)) >= 158 and set(FAULTS) <= set(ids)
    wrong = []
    for fault, how, where in rows:
        path, _, name = where.strip("`").partition("::")
        if not where:
            if how != "not yet" and not how.startswith(("waits for", "none:")):
                wrong.append(f"{fault}: {how}")
        elif not (ROOT / path).exists() or f"def {name}(" not in _text(ROOT / path):
            wrong.append(f"{fault}: {where}")
        if ("seeds" in how) < (fault in EVERY or fault in HARNESS):
            wrong.append(f"{fault} is drawn by seeds")
        if fault in WAITING and "wait" not in how:
            wrong.append(f"{fault} waits for {WAITING[fault]}")
    assert wrong == []


def test_every_hostile_input_has_its_test() -> None:
    """By the number it has in the list: bodies, forms, the door, the admin, sockets, files, advice."""
    texts = [_text(path) for path in (ROOT / "tests").rglob("*.py")]
    named = {int(number) for text in texts for number in re.findall(r"(?i)hx[-_](\d\d)", text)}
    assert set(range(1, 56)) | set(range(62, 69)) <= named
