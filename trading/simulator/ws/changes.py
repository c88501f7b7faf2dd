"""What a channel of state last said of a key, so that it says the same thing only once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["LastSaid"]

Row = Mapping[str, object]
Place = tuple[str, str]
TIMES = frozenset({"STCK_CNTG_HOUR"})
"""Fields that move by themselves."""


@dataclass
class LastSaid:
    """The latest rows of each channel and key that somebody listens to."""

    _rows: dict[Place, list[dict[str, object]]] = field(default_factory=dict)

    def is_news(self, place: Place, rows: Sequence[Row]) -> bool:
        """Whether `rows` differ from the last ones in more than their time; they are the last ones now."""
        said = [{n: v for n, v in row.items() if n not in TIMES} for row in rows]
        if self._rows.get(place) == said:
            return False
        self._rows[place] = said
        return True

    def keep(self, places: Collection[Place]) -> None:
        """Forget what nobody listens to any more."""
        for place in [one for one in self._rows if one not in places]:
            del self._rows[place]
