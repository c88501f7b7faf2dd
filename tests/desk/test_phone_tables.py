"""On a phone a row is a card: each value carries its column's word, or is the card's own title."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.desk.conftest import ROOT, DeskWorld
from trading.services.api_tokens import issue_token

TABLE = re.compile(r'(?s)<table class="table">.*?</table>')
HEAD = re.compile(r"(?s)<th\b[^>]*>(.*?)</th>")
CELL = re.compile(r"(?s)<td\b([^>]*)>(.*?)</td>")
TAGS = re.compile(r"{%(?! trans).*?%}|<[^>]*>")


def templates() -> list[str]:
    pages = sorted((ROOT / "templates").rglob("*.html"))
    return [str(p.relative_to(ROOT)) for p in pages if TABLE.search(p.read_text("utf-8"))]


@pytest.mark.parametrize("page", templates())
def test_no_value_of_a_table_stands_without_its_word(page: str) -> None:
    for table in TABLE.findall((ROOT / page).read_text("utf-8")):
        words = {TAGS.sub("", head).strip() for head in HEAD.findall(table)}
        cells = [(given, inside) for given, inside in CELL.findall(table) if inside.strip()]
        assert cells
        for given, inside in cells:
            label = re.search(r'data-label="((?:{%.*?%}|[^"{])*)"', given)
            named = label is not None and label[1] in words
            assert named or re.search(r'class="[^"]*\bfull\b', given), (page, inside[:80])


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_list_of_tokens_says_what_each_value_is(targeted: DeskWorld, language: str) -> None:
    issue_token(targeted.people["trader"], "notebook", "full", 30)
    client = targeted.client("trader")
    client.cookies["django_language"] = language
    (table,) = TABLE.findall(client.get("/accounts/tokens/").content.decode())
    heads = [unescape(TAGS.sub("", head)) for head in HEAD.findall(table)]
    labels = [unescape(label) for label in re.findall(r'data-label="([^"]*)"', table)]
    assert labels == heads[1:-1] and len(labels) == 4
    assert "sr-only" not in table, "no style of the desk hides that class"
