"""What to do next with one leg: send, cancel, wait, or give up and say why.

A resting limit is chased by cancel, confirmed, then a new order for what is left, until the deadline.
Nothing is ever sent while an earlier order of the leg may still be alive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

__all__ = [
    "CHASE",
    "CHASE_AFTER",
    "CHECKING",
    "Cancels",
    "LegView",
    "Move",
    "MoveKind",
    "OrderView",
    "cancel_is_due",
    "fit_slices",
    "next_move",
    "repeat_is_due",
]

CHASE_AFTER = timedelta(seconds=15)
CHASE = "chase"
"""Why an order is cancelled that has rested for long: to go on at a price that is reached."""
CANCEL_AGAIN_AFTER = timedelta(seconds=6)
CANCEL_AGAIN_AT_MOST = timedelta(seconds=60)
CANCEL_REPEAT_AFTER = timedelta(seconds=30)
_ALIVE = frozenset({"ACKED", "PARTIAL", "CANCELING"})
_DOUBTFUL = frozenset({"SENDING", "UNKNOWN"})
CHECKING = "CHECKING"
"""An order that was refused and may be sent again once the broker's list has confirmed it."""
_GIVEN_UP = frozenset(
    {"REJECTED", "REJECTED_LATE", "VETOED", "REVOKED", "DENIED", "EXPIRED_APPROVAL"}
)
"""ABANDONED is not among them: a person has declared that order absent, so what it wanted is open again."""


class MoveKind(StrEnum):
    NEW = "new"
    SEND = "send"
    CANCEL = "cancel"
    WAIT = "wait"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Cancels:
    """How often the cancel of one order was tried, and when the last try got its answer."""

    tried: int = 0
    last_at: datetime | None = None


def cancel_is_due(cancels: Cancels, now: datetime) -> bool:
    """A cancel that did not take is tried again later each time: 6 s, 12 s, up to a minute."""
    if cancels.last_at is None or cancels.tried == 0:
        return True
    doubled = CANCEL_AGAIN_AFTER * 2 ** min(cancels.tried - 1, 8)
    return now - cancels.last_at >= min(doubled, CANCEL_AGAIN_AT_MOST)


def repeat_is_due(cancels: Cancels, canceling_since: datetime, now: datetime) -> bool:
    """An accepted cancel that the list still does not show is asked for once more, after half a minute."""
    since = cancels.last_at or canceling_since
    return now - since >= CANCEL_REPEAT_AFTER and cancel_is_due(cancels, now)


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order intent of the leg. `since` is when it reached its state."""

    intent_id: int
    slice_no: int
    generation: int
    quantity: int
    filled: int
    state: str
    since: datetime
    resting: bool
    cancels: Cancels = Cancels()


@dataclass(frozen=True, slots=True)
class LegView:
    """A leg with its orders, oldest first. `slices` add up to what is wanted."""

    slices: Sequence[int]
    orders: Sequence[OrderView]

    @property
    def wanted(self) -> int:
        return sum(self.slices)

    @property
    def filled(self) -> int:
        return sum(order.filled for order in self.orders)


@dataclass(frozen=True, slots=True)
class Move:
    """`intent_id` for SEND and CANCEL; slice, generation, quantity and predecessor for NEW."""

    kind: MoveKind
    intent_id: int | None = None
    slice_no: int = 0
    generation: int = 0
    quantity: int = 0
    supersedes: int | None = None
    why: str = ""


def next_move(leg: LegView, now: datetime, deadline: datetime, *, stopping: bool = False) -> Move:
    """The one next thing. `stopping` works like a deadline that has passed."""
    over = stopping or now >= deadline
    for order in leg.orders:
        if order.state in _DOUBTFUL:
            return Move(MoveKind.WAIT, why="unknown")
    for order in leg.orders:
        if order.state == CHECKING:
            return Move(MoveKind.WAIT, why="refusal_unchecked")
        if order.state in _ALIVE:
            return _live(order, now, over)
        if order.state == "AUTHORIZED":
            if over:
                return Move(MoveKind.DONE, intent_id=order.intent_id, why="deadline")
            return Move(MoveKind.SEND, intent_id=order.intent_id)
    return _next_order(leg, over)


def _live(order: OrderView, now: datetime, over: bool) -> Move:
    if order.state == "CANCELING":
        if not repeat_is_due(order.cancels, order.since, now):
            return Move(MoveKind.WAIT, why="canceling")
        return Move(MoveKind.CANCEL, intent_id=order.intent_id)
    due = over or (order.resting and now - order.since >= CHASE_AFTER)
    if not due or not cancel_is_due(order.cancels, now):
        return Move(MoveKind.WAIT, why="working")
    return Move(MoveKind.CANCEL, intent_id=order.intent_id, why="" if over else CHASE)


def _next_order(leg: LegView, over: bool) -> Move:
    if leg.filled >= leg.wanted:
        return Move(MoveKind.DONE)
    last = leg.orders[-1] if leg.orders else None
    if last is not None and last.state in _GIVEN_UP:
        return Move(MoveKind.DONE, why=last.state.lower())
    if over:
        return Move(MoveKind.DONE, why="deadline")
    if last is None:
        return Move(MoveKind.NEW, quantity=leg.slices[0])
    done = sum(order.filled for order in leg.orders if order.slice_no == last.slice_no)
    rest = leg.slices[last.slice_no] - done
    if rest > 0:
        return Move(
            MoveKind.NEW,
            slice_no=last.slice_no,
            generation=last.generation + 1,
            quantity=rest,
            supersedes=last.intent_id,
        )
    return Move(MoveKind.NEW, slice_no=last.slice_no + 1, quantity=leg.slices[last.slice_no + 1])


def fit_slices(slices: Sequence[int], wanted: int) -> tuple[int, ...]:
    """`slices` cut from the end until they add up to `wanted`, which must not be more than their sum."""
    if wanted > sum(slices):
        raise ValueError("a leg only shrinks")
    fitted, left = [], wanted
    for part in slices:
        take = min(part, left)
        if take:
            fitted.append(take)
        left -= take
    return tuple(fitted)
