"""What an account sent today, and what follows from it for the next order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trading.domain.orders import IntentState

__all__ = [
    "UNANSWERED",
    "WORKING",
    "Sent",
    "Spent",
    "Tally",
    "Wanted",
    "same_order",
    "spent",
    "tally",
]

WORKING = frozenset(
    s.value
    for s in (
        IntentState.SENDING,
        IntentState.UNKNOWN,
        IntentState.ACKED,
        IntentState.PARTIAL,
        IntentState.CANCELING,
    )
)
"""An order in one of these may still be filled."""
UNANSWERED = frozenset({"SENDING", "UNKNOWN"})
"""Nobody knows yet what came of an attempt in one of these."""
_NOTHING_CAME_OF_IT = frozenset({"NOT_SENT", "ABSENT", "REJECTED"})


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt, with the order it was for and the life of the program that made it.

    `price` is the order's limit, or where it has none the price it was decided by.
    """

    action: str
    state: str
    at: datetime
    intent: int
    instrument: str
    side: str
    quantity: int
    limit_price: int | None
    price: int
    origin: str
    origin_id: int | None
    intent_state: str
    filled_quantity: int
    filled_amount: int
    epoch: int
    epoch_ended: bool
    build: str

    @property
    def traded_won(self) -> int:
        """What it has traded, and at most still will; nothing where it came back unsent or refused."""
        if self.state in _NOTHING_CAME_OF_IT:
            return 0
        rest = self.quantity - self.filled_quantity if self.intent_state in WORKING else 0
        return self.filled_amount + rest * self.price


@dataclass(frozen=True, slots=True)
class Wanted:
    """The order that is about to go out: its name, side, quantity and limit, and whose it is."""

    intent: int
    terms: tuple[str, str, int, int | None]
    parent: tuple[str, int | None]


@dataclass(frozen=True, slots=True)
class Tally:
    """Orders (not cancels) sent today and within a minute, and their won: all, of one name, of one parent."""

    today: int
    minute: int
    day_won: int
    ticker_won: int
    run_won: int


def tally(sent: Iterable[Sent], wanted: Wanted, now: datetime) -> Tally:
    """Of what was sent today, seen from the next order."""
    orders = [one for one in sent if one.action == "order"]
    since = now - timedelta(minutes=1)
    return Tally(
        today=len(orders),
        minute=sum(one.at > since for one in orders),
        day_won=sum(one.traded_won for one in orders),
        ticker_won=sum(one.traded_won for one in orders if one.instrument == wanted.terms[0]),
        run_won=sum(one.traded_won for one in orders if _parent(one) == wanted.parent),
    )


@dataclass(frozen=True, slots=True)
class Spent:
    """What a day's limits have left no room for any more: orders sent, and won traded or still working of all,
    of one run and of each name."""

    orders: int = 0
    day_won: int = 0
    run_won: int = 0
    names: Mapping[str, int] = field(default_factory=dict)


def spent(sent: Iterable[Sent], parent: tuple[str, int | None]) -> Spent:
    """Of what was sent today, seen from a plan of `parent`."""
    orders = [one for one in sent if one.action == "order"]
    names: Counter[str] = Counter()
    for one in orders:
        names[one.instrument] += one.traded_won
    return Spent(
        orders=len(orders),
        day_won=sum(names.values()),
        run_won=sum(one.traded_won for one in orders if _parent(one) == parent),
        names=names,
    )


def same_order(sent: Iterable[Sent], wanted: Wanted, since: datetime) -> int:
    """How often the same order of another parent went out after `since`."""
    return sum(
        one.action == "order"
        and one.state != "NOT_SENT"
        and one.at > since
        and one.intent != wanted.intent
        and (one.instrument, one.side, one.quantity, one.limit_price) == wanted.terms
        and (wanted.parent[1] is None or _parent(one) != wanted.parent)
        for one in sent
    )


def _parent(one: Sent) -> tuple[str, int | None]:
    return one.origin, one.origin_id
