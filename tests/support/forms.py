"""A form of a page as a browser would send it: every field with what the page showed, hidden ones too."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

__all__ = ["form_of"]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, list[str]] = {}
        self.select = ""
        self.area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        name = told.get("name", "")
        if tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in told:
            self._add(self.select, told.get("value", ""))
        elif tag == "textarea" and name:
            self.area = name
            self.found.setdefault(name, [""])
        elif tag == "input" and name:
            kind = told.get("type", "text")
            if kind in ("checkbox", "radio"):
                if "checked" in told:
                    self._add(name, told.get("value", "on"))
            elif kind not in ("submit", "button", "file", "image"):
                self._add(name, told.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self.area:
            self.found[self.area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = None

    def _add(self, name: str, value: str) -> None:
        self.found.setdefault(name, []).append(value)


def form_of(answer: Any, form_id: str) -> dict[str, Any]:
    """Fields of the form with this id, ready for `client.post`; a field with several values is a list."""
    page = answer.content.decode()
    found = re.search(rf'<form[^>]*id="{form_id}".*?</form>', page, re.DOTALL)
    assert found, f"no form {form_id}"
    reader = _Reader()
    reader.feed(found[0])
    reader.found.pop("csrfmiddlewaretoken", None)
    return {name: values if len(values) > 1 else values[0] for name, values in reader.found.items()}
