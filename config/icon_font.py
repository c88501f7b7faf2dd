"""The admin theme's icon font, cut down to the icons that can be drawn here: 292 kB of 4,000 become about 30.

The whole font stands in the installed package; nothing of it is kept in this repository. An icon is a word in
`unfold`'s sources or ours that the font knows, so that one more word too many costs a hundred bytes, while a
word that is missed would be shown as a word.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

__all__ = ["IconFontFinder", "icons_named", "smaller_font"]

FONT = "unfold/fonts/material-symbols/Material-Symbols-Outlined.woff2"
WORD = re.compile(r"[a-z0-9_]+")
OURS = ("config", "templates", "static", "portfolio", "trading", "rebalancing", "strategies")
KINDS = frozenset({".css", ".html", ".js", ".py"})


class IconFontFinder(BaseFinder):
    """Finds one file: the small font, under the name of the whole one. Stands before the other finders."""

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    @cached_property
    def storage(self) -> FileSystemStorage:
        whole = Path(str(files("unfold") / "static" / FONT))
        words = icons_named(_sources(whole.parents[4]))
        mark = hashlib.sha256(whole.read_bytes() + " ".join(sorted(words)).encode()).hexdigest()[
            :16
        ]
        folder = settings.VAR / "icons" / mark
        if not (folder / FONT).exists():
            _keep(smaller_font(whole, words), folder / FONT)
        return FileSystemStorage(location=folder)

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path != FONT:
            return []
        found = self.storage.path(path)
        return [found] if find_all or kwargs.get("all") else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Any]]:
        yield FONT, self.storage


def icons_named(sources: Iterable[Path]) -> frozenset[str]:
    """Every word of the files that could be an icon's name."""
    return frozenset(
        word for path in sources for word in WORD.findall(path.read_text(encoding="utf-8"))
    )


def smaller_font(whole: Path, words: frozenset[str]) -> TTFont:
    """The font with the icons among `words` alone. An icon's name is a ligature of its letters."""
    font = TTFont(whole)
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    drawn: set[str] = set()
    for table in _ligatures(font):
        for first, all_of_it in table.ligatures.items():
            kept = [
                one
                for one in all_of_it
                if "".join(letters[part] for part in (first, *one.Component)) in words
            ]
            table.ligatures[first] = kept
            drawn.update(one.LigGlyph for one in kept)
    options = Options(layout_features=["*"], layout_closure=False)
    options.flavor = "woff2"
    options.drop_tables += ["FFTM"]
    cut = Subsetter(options)
    cut.populate(glyphs=drawn, text="abcdefghijklmnopqrstuvwxyz0123456789_ ")
    cut.subset(font)
    return font


def _ligatures(font: TTFont) -> Iterator[Any]:
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            if hasattr(table, "ligatures"):
                yield table


def _sources(theme: Path) -> Iterator[Path]:
    for root in (theme, *(settings.BASE_DIR / name for name in OURS)):
        for path in sorted(root.rglob("*")):
            if path.suffix in KINDS and path.is_file():
                yield path


def _keep(font: TTFont, path: Path) -> None:
    """Whole or not at all: another process may be reading or writing the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.{id(font)}.part")
    font.flavor = "woff2"
    font.save(half)
    half.replace(path)
