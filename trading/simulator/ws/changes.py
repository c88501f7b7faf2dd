"""What a channel of state last said of a key, so that it says the same thing only once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from trading.simulator.ws.rows import TURNS

__all__ = ["LastSaid"]

Row = Mapping[str, object]
Place = tuple[str, str]
TIMES = frozenset({"STCK_CNTG_HOUR", "BSOP_HOUR"})
"""Fields that move by themselves."""
STATE = ("TRHT_YN", "VI_CLS_CODE")
"""What of an instrument's state is told when it changes."""


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

    def turned(self, place: Place, rows: Sequence[Row]) -> bool:
        """Whether an instrument's state is another than the last one, or a market begins or ends."""
        turn = any(row["MKOP_CLS_CODE"] in TURNS for row in rows)
        states = [{name: row[name] for name in STATE} for row in rows]
        return self.is_news(place, states) or turn

    def stands(self, place: Place, rows: Sequence[Row]) -> None:
        """Take `rows` for known where nothing is: a new listener is told of what changes from now on."""
        if place not in self._rows:
            self.turned(place, rows)

    def keep(self, places: Collection[Place]) -> None:
        """Forget what nobody listens to any more."""
        for place in [one for one in self._rows if one not in places]:
            del self._rows[place]
