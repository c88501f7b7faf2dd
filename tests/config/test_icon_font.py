"""The icon font as it is served: every icon that is named somewhere, and little else."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from fontTools.ttLib import TTFont

from config.icon_font import FONT, icons_named, smaller_font

WHOLE = Path(str(files("unfold") / "static" / FONT))


def _icons(font: TTFont) -> set[str]:
    """What the font draws an icon for, by its ligatures."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    found = set()
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            for first, ligatures in getattr(table, "ExtSubTable", table).ligatures.items():
                for one in ligatures:
                    found.add("".join(letters[part] for part in (first, *one.Component)))
    return found


def test_the_font_that_is_found_is_a_tenth_of_the_whole_and_draws_the_icons_of_our_menu() -> None:
    found = Path(finders.find(FONT))
    assert found.stat().st_size < WHOLE.stat().st_size / 8
    drawn = _icons(TTFont(found))
    assert {"home", "search", "chevron_right", "dark_mode", "key"} <= drawn
    assert {"calendar_today", "navigate_before", "navigate_next"} <= drawn, "named in a style sheet"


def test_only_the_icons_that_are_named_are_drawn() -> None:
    assert _icons(smaller_font(WHOLE, frozenset({"home", "no_such_icon", "expand_more"}))) == {
        "home",
        "expand_more",
    }


def test_every_other_file_is_found_where_it_was() -> None:
    assert finders.find("unfold/css/styles.css").endswith("unfold/static/unfold/css/styles.css")
    assert finders.find("no/such/file.css") is None


@pytest.mark.parametrize(
    "text",
    [
        '<span class="x">event_note</span>',
        '"icon": "event_note",',
        "icon='event_note'",
        'content:"event_note"',
    ],
)
def test_a_name_counts_however_it_is_written(tmp_path: Path, text: str) -> None:
    source = tmp_path / "some.html"
    source.write_text(text, encoding="utf-8")
    assert "event_note" in icons_named([source])


def test_pages_are_compressed_for_a_browser_that_asks(client) -> None:
    plain = client.get("/accounts/login/")
    packed = client.get("/accounts/login/", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 2
