"""Which registrations one session should have, which it has, and what to say next. No I/O, no clock.

Notices come first, then what is held, then what is watched: `Wish.priority`, the lowest number first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from trading.brokers.kis.stream.messages import Ack

__all__ = ["Registrations", "Request", "Row", "State", "Wish", "share_out"]

SLOTS = 40
"""One less than the broker takes: its own client stops there."""
ANSWER_SECONDS = 5.0
AGAIN_SECONDS = (2.0, 60.0)
DOUBLINGS = 10
FATAL = frozenset({"OPSP8991", "OPSP8992", "OPSP8993", "OPSP9990", "OPSP9991"})


class State(StrEnum):
    """Where one registration stands."""

    WANTED = "WANTED"
    ASKED = "ASKED"
    LIVE = "LIVE"
    RELEASING = "RELEASING"
    REFUSED = "REFUSED"
    NO_SLOT = "NO_SLOT"


@dataclass(frozen=True, slots=True)
class Wish:
    """One channel (by name) and key that should be heard."""

    channel: str
    key: str
    priority: int = 9

    @property
    def place(self) -> tuple[str, str]:
        return self.channel, self.key


@dataclass(frozen=True, slots=True)
class Request:
    """What to send: a registration, or a release."""

    channel: str
    key: str
    register: bool


@dataclass(slots=True)
class Row:
    """One registration as a page shows it; times are the caller's seconds."""

    wish: Wish
    state: State = State.WANTED
    since: float = 0.0
    heard: float | None = None
    tries: int = 0
    why: str = ""

    @property
    def is_hopeless(self) -> bool:
        """Refused for what it is: asking again cannot help."""
        return self.state is State.REFUSED and self.why in FATAL

    def age(self, now: float) -> float | None:
        """Seconds since the last record; None before the first."""
        return None if self.heard is None else now - self.heard


class Registrations:
    """The registrations of one session. `wish` says what should be, `due` what to send for it."""

    def __init__(self, slots: int = SLOTS) -> None:
        self.slots = slots
        self.rows: dict[tuple[str, str], Row] = {}

    def wish(self, wishes: Iterable[Wish], now: float) -> None:
        """Exactly these should be registered; what is not among them is released."""
        wanted = {wish.place: wish for wish in wishes}
        for place, wish in wanted.items():
            row = self.rows.setdefault(place, Row(wish, since=now))
            row.wish = wish
            if row.state is State.RELEASING:
                self._to(row, State.WANTED, now)
        for place in [place for place in self.rows if place not in wanted]:
            row = self.rows[place]
            if row.state in (State.LIVE, State.ASKED):
                self._to(row, State.RELEASING, now)
            elif row.state is not State.RELEASING:
                del self.rows[place]

    def due(self, now: float) -> list[Request]:
        """What to send now, releases first; what was asked and never answered is asked again."""
        chosen = self._chosen()
        requests = []
        for place, row in self.rows.items():
            if place not in chosen and row.state in (State.LIVE, State.ASKED):
                self._to(row, State.RELEASING, now)
                row.why = ""
            if row.state is State.RELEASING and self._may_ask(row, now):
                requests.append(self._ask(row, False, now))
        free = self.slots - sum(1 for row in self.rows.values() if row.state in _TAKEN)
        for place, row in sorted(self.rows.items(), key=lambda item: item[1].wish.priority):
            if row.is_hopeless:
                continue
            if place not in chosen:
                if row.state in (State.WANTED, State.REFUSED):
                    self._to(row, State.NO_SLOT, now)
                continue
            if row.state is State.NO_SLOT:
                self._to(row, State.WANTED, now)
            if row.state is State.ASKED and self._may_ask(row, now):
                requests.append(self._ask(row, True, now))
            elif (
                row.state in (State.WANTED, State.REFUSED) and self._may_ask(row, now) and free > 0
            ):
                free -= 1
                requests.append(self._ask(row, True, now))
        return requests

    def answered(self, channel: str, ack: Ack, now: float) -> None:
        """Take in an acknowledgement; one that nobody waits for changes nothing."""
        row = self.rows.get((channel, ack.key))
        if row is None:
            return
        if row.state is State.RELEASING and ack.code in ("OPSP0001", "OPSP0003"):
            del self.rows[channel, ack.key]
        elif ack.code in ("OPSP0000", "OPSP0002"):
            if row.state is State.ASKED:
                self._to(row, State.LIVE, now)
                row.tries = 0
        elif ack.code == "OPSP0008":
            # somebody else's registrations count too: believe the broker and ask for less
            self._to(row, State.WANTED, now)
            self.slots = max(1, sum(1 for r in self.rows.values() if r.state in _TAKEN))
        elif row.state is State.ASKED:
            self._to(row, State.REFUSED, now)
            row.why = ack.code

    def heard(self, channel: str, key: str, now: float) -> None:
        """A record came: only now the registration is known to work."""
        row = self.rows.get((channel, key))
        if row is not None:
            row.heard = now
            if row.state is State.ASKED:
                self._to(row, State.LIVE, now)

    def lost(self, now: float) -> None:
        """The line is gone and every registration with it; how old the data is stays known."""
        for place in [p for p, row in self.rows.items() if row.state is State.RELEASING]:
            del self.rows[place]
        for row in self.rows.values():
            self._to(row, State.WANTED, now)
            row.tries = 0

    @property
    def unheard(self) -> Sequence[Row]:
        """What has no slot: somebody must ask for it in another way."""
        return [row for row in self.rows.values() if row.state is State.NO_SLOT]

    def _chosen(self) -> set[tuple[str, str]]:
        """The places that deserve a slot, as many as there are."""
        able = [
            row
            for row in self.rows.values()
            if row.state is not State.RELEASING and not row.is_hopeless
        ]
        able.sort(key=lambda row: (row.wish.priority, row.since))
        return {row.wish.place for row in able[: self.slots]}

    def _may_ask(self, row: Row, now: float) -> bool:
        if row.tries == 0:
            return True
        low, high = AGAIN_SECONDS
        wait = (
            ANSWER_SECONDS
            if row.state in _TAKEN
            else min(high, low * 2 ** min(DOUBLINGS, row.tries - 1))
        )
        return now - row.since >= wait

    def _ask(self, row: Row, register: bool, now: float) -> Request:
        tries = row.tries + 1
        self._to(row, State.ASKED if register else State.RELEASING, now)
        row.tries = tries
        return Request(row.wish.channel, row.wish.key, register)

    @staticmethod
    def _to(row: Row, state: State, now: float) -> None:
        if row.state is not state and state is State.RELEASING:
            row.tries = 0
        row.state, row.since = state, now


_TAKEN = frozenset({State.ASKED, State.LIVE, State.RELEASING})


def share_out(
    wishes: Iterable[Wish], bound: Mapping[str, Iterable[Wish]], slots: int = SLOTS
) -> dict[str, list[Wish]]:
    """Spread wishes over several keys. `bound` names every key with the wishes that only it can have
    (its own notices); the others go, best first, where most room is left, the last key's rest to nobody.
    """
    shares = {key: list(own) for key, own in bound.items()}
    if not shares:
        return {}
    for wish in sorted(wishes, key=lambda wish: wish.priority):
        roomiest = min(shares, key=lambda key: (len(shares[key]), key))
        shares[roomiest].append(wish)
    return shares
