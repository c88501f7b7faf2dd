"""Every code has a sentence and every sentence has both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils.translation import override

from rebalancing.domain.states import RunState
from rebalancing.selectors.words import STATE_NAMES, WORDS
from tests.desk.conftest import DeskWorld
from tests.desk.messages import ROOT, python_messages, template_messages, untranslated
from trading.domain import limits

ENGLISH = ROOT / "locale" / "en" / "LC_MESSAGES" / "django.po"
HANGUL = re.compile(r"[가-힣]+")

SAID_ELSEWHERE = {
    # read by the simulator's own client or by programs, never shown to a person
    "not authorized",
}
MOVES = {
    "prices_moved",
    "new_generation",
    "resumed",
    "resolved",
    "unknown_order",
    "next_day",
    "too_late_today",
    "trading_stopped",
}
LEG_OUTCOMES = {
    "deadline",
    "no_cash",
    "person",
    "too_late_today",
    "rejected",
    "rejected_late",
    "vetoed",
    "abandoned",
    "revoked",
    "expired_approval",
    "denied",
}


def codes_in_source() -> set[str]:
    """The first word given to Reason, StateConflict and alert, every end_reason, and why a state moved."""
    found: set[str] = set()
    for app in ("trading", "portfolio", "rebalancing"):
        for room in ("domain", "services", "planners", "api"):
            for path in (ROOT / app).glob(f"{room}/**/*.py"):
                found |= _codes(ast.parse(path.read_text(encoding="utf-8")))
        single = ROOT / app / "services.py"
        if single.exists():
            found |= _codes(ast.parse(single.read_text(encoding="utf-8")))
    return found - SAID_ELSEWHERE


def _codes(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        first = node.args[0] if node.args else None
        if name in ("Reason", "StateConflict", "alert", "_flag") and isinstance(
            first, ast.Constant
        ):
            found.add(str(first.value))
        for keyword in node.keywords:
            told = keyword.arg == "end_reason" or (keyword.arg == "reason" and name == "move")
            if told and isinstance(keyword.value, ast.Constant):
                found.add(str(keyword.value.value))
    return {code for code in found if code and not code.endswith("_")}


@pytest.mark.parametrize("code", sorted(codes_in_source() | MOVES | LEG_OUTCOMES))
def test_every_code_has_a_sentence(code: str) -> None:
    assert code in WORDS, f"add a sentence for {code!r} to the app's selectors/words.py"


def gate_rules() -> set[str]:
    return {*limits._ORDER_RULES, *limits._CANCEL_RULES}


@pytest.mark.parametrize("rule", sorted(gate_rules()))
def test_every_rule_of_the_gate_has_a_sentence(rule: str) -> None:
    assert rule in WORDS


def test_every_state_has_a_name() -> None:
    assert set(STATE_NAMES) == set(RunState)


def test_facts_are_written_as_people_write_them() -> None:
    assert "1,234,567원" in WORDS.say("shortfall", {"cash": 1234567})
    assert WORDS.say("run_active", {"run": 12345}).count("#12345") == 1
    assert WORDS.say("shortfall", {}).endswith("–원.")
    assert WORDS.say("cash,shares", {}).count(".") == 2
    assert WORDS.say("who_knows") == "who_knows"


def test_every_message_has_english() -> None:
    assert untranslated(ENGLISH) == []


def test_every_sentence_of_a_template_is_english_where_it_is_rendered() -> None:
    """The catalogue holds a sentence with its per cent signs doubled; a page looks it up so."""
    page = Template("{% load i18n %}{% translate sentence %}")
    sentences = {text.replace("%%", "%") for text in template_messages() if "%(" not in text}
    assert "보낼 때의 호가로 다시 정하며, 기준가 ±2 % 밖이면 보내지 않습니다." in sentences
    with override("en"):
        shown = {text: page.render(Context({"sentence": text})) for text in sentences}
    wrong = [text for text, told in shown.items() if HANGUL.search(told) or "%%" in told]
    assert wrong == []


def unmarked(path: Path) -> set[str]:
    """Korean that `path` says to somebody without having marked it for translation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    notes = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and node.value is not None
    }
    said = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in notes
    }
    return {text for text in said if HANGUL.search(text)} - python_messages()


def test_what_the_api_says_is_marked_for_translation() -> None:
    rooms = [*ROOT.glob("*/api/**/*.py"), *(ROOT / "config").glob("*.py")]
    assert {str(path): found for path in rooms if (found := unmarked(path))} == {}


@pytest.mark.parametrize(("language", "korean"), [("en", False), ("ko", True)])
def test_a_refusal_of_the_api_speaks_the_callers_language(
    targeted: DeskWorld, language: str, korean: bool
) -> None:
    answer = targeted.client("viewer").post(
        "/api/macro-trading/rebalancing/runs",
        {"account": targeted.account.pk},
        content_type="application/json",
        headers={"Idempotency-Key": "words-0001", "Accept-Language": language},
    )
    assert answer.status_code == 403
    assert bool(HANGUL.search(answer.json()["detail"])) is korean


def test_english_keeps_every_number() -> None:
    import polib

    places = re.compile(r"%\((\w+)\)[sd]")
    for entry in polib.pofile(str(ENGLISH)):
        texts = [entry.msgstr, *entry.msgstr_plural.values()]
        for text in filter(None, texts):
            assert set(places.findall(text)) == set(places.findall(entry.msgid)), entry.msgid
        assert not HANGUL.search("".join(texts)) or entry.msgid == "한국어"


def test_english_sentences_speak_english() -> None:
    with override("en"):
        assert WORDS.say("no_targets") == (
            "This account has no target. Set an MP and Sub-MPs in the admin."
        )


def test_english_pages_hold_no_korean(targeted: DeskWorld) -> None:
    targeted.snapshot()
    run = targeted.run()
    client = targeted.client("owner")
    client.cookies["django_language"] = "en"
    for path in (
        "/",
        "/rebalancing/",
        "/rebalancing/start/",
        f"/rebalancing/runs/{run.pk}/",
        "/portfolio/",
        "/health/",
    ):
        text = client.get(path).content.decode().replace("한국어", "")
        assert not HANGUL.search(text), (path, HANGUL.findall(text)[:5])


def test_the_language_switch(desk: DeskWorld) -> None:
    client = desk.client("viewer")
    assert "개요" in client.get("/").content.decode()
    client.post("/i18n/setlang/", {"language": "en", "next": "/"})
    page = client.get("/").content.decode()
    assert '<html lang="en"' in page
    assert "Overview" in page


def test_theme_and_colours_are_kept(desk: DeskWorld) -> None:
    client = desk.client("viewer")
    client.post("/looks/", {"theme": "dark", "next": "/"})
    client.post("/looks/", {"up": "blue", "next": "/"})
    client.post("/looks/", {"up": "javascript:", "theme": "<b>"})
    assert 'data-theme="dark" data-up="blue"' in client.get("/").content.decode()
