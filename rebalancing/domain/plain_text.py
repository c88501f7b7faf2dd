"""Text from outside made harmless before it is stored, sent on or shown."""

from __future__ import annotations

import unicodedata

__all__ = ["inert"]

_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})


def inert(text: str, most: int) -> str:
    """`text` on one line of at most `most` characters: nothing unseen, no link, nobody called by name.

    Control, direction and zero-width characters become spaces; `@` and `://` lose their meaning to
    programs and keep it for people.
    """
    seen = "".join(" " if unicodedata.category(char) in _UNSEEN else char for char in text)
    line = " ".join(seen.replace("@", "＠").replace("://", " : ").split())
    return line if len(line) <= most else line[: most - 1] + "…"
