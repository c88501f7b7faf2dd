"""Every message the code marks for translation, from Python by its syntax tree, from templates by Django."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import polib
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
APPS = ("config", "trading", "portfolio", "strategies", "rebalancing")
_CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "pgettext"}
_TEMPLATE_CALL = re.compile(r"\b(?:n?gettext|_)\((u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"))")


@cache
def python_messages() -> frozenset[str]:
    """Read once: the whole source is parsed for it."""
    found: set[str] = set()
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _name(node.func) in _CALLS and node.args:
                    text = node.args[0]
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        found.add(text.value)
    return frozenset(found)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def template_messages() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        source = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        for match in _TEMPLATE_CALL.finditer(source):
            found.add(ast.literal_eval(match[1].removeprefix("u")))
    return found


def all_messages() -> set[str]:
    return python_messages() | template_messages()


def untranslated(source: Path) -> list[str]:
    """Messages in use that have no finished translation in `source`."""
    done = {
        entry.msgid
        for entry in polib.pofile(str(source))
        if (entry.msgstr or all(entry.msgstr_plural.values())) and "fuzzy" not in entry.flags
    }
    return sorted(all_messages() - done)
