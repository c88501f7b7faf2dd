"""JSON as strictly as an order deserves: no duplicate keys, no NaN, bounded size and depth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

__all__ = ["StrictJSONParser"]

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A duplicate key would let two readers of one body disagree on a quantity."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ParseError(
                _("같은 항목이 두 번 있습니다: %(name)s. 한 번만 보내세요.") % {"name": key[:60]}
            )
        found[key] = value
    return found


def _no_constants(name: str) -> Any:
    raise ParseError(_("%(name)s은(는) 숫자가 아닙니다.") % {"name": name})


def _is_plain(value: Any) -> bool:
    """No lone surrogate and no NUL in any text, names of fields included."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, dict):
        return all(_is_plain(key) and _is_plain(item) for key, item in value.items())
    return all(map(_is_plain, value)) if isinstance(value, list) else True


def _depth(text: str) -> int:
    deepest = depth = 0
    for char in text:
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


class StrictJSONParser(JSONParser):
    """Raises ParseError (400) for anything that is not one plain, small JSON document."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise ParseError(_("본문이 %(most)s바이트보다 큽니다.") % {"most": MAX_BYTES})
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ParseError(_("본문이 UTF-8이 아닙니다.")) from error
        if _depth(text) > MAX_DEPTH:
            raise ParseError(_("본문이 %(most)s단계보다 깊습니다.") % {"most": MAX_DEPTH})
        try:
            found = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constants)
        except ValueError as error:
            raise ParseError(_("본문이 JSON이 아닙니다.")) from error
        if not _is_plain(found):
            raise ParseError(_("저장할 수 없는 문자가 들어 있습니다."))
        return found
