"""Orders that the broker keeps until the next session begins, and sends then: nobody looks at money before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from trading.domain.orders import AttemptState, Classification, Reply, classify_reply

__all__ = [
    "ReservedChange",
    "ReservedOrder",
    "ReservedRequest",
    "ReservedState",
    "classify_reserved",
]


class ReservedState(StrEnum):
    """What became of a reserved order."""

    WAITING = "waiting"
    SENT = "sent"
    CANCELLED = "cancelled"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ReservedRequest:
    """An order for the next session, or with `until` for every session up to that day until it is filled.

    `limit` None asks for a market order. Raises ValueError for no shares or a limit that is none.
    """

    ticker: str
    side: Literal["SELL", "BUY"]
    quantity: int
    limit: int | None
    until: date | None = None

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise ValueError("an order is for one share or more")
        if self.limit is not None and self.limit <= 0:
            raise ValueError("a limit is more than zero won")


@dataclass(frozen=True, slots=True)
class ReservedChange:
    """The cancel of reservation `number`, or with `becomes` what it shall be instead."""

    number: str
    order: ReservedRequest
    becomes: ReservedRequest | None = None


@dataclass(frozen=True, slots=True)
class ReservedOrder:
    """A reservation as the broker lists it: for which session, and what became of it.

    `order_no` is that of the order it was last sent as, empty before; `refusal` says why it was not taken.
    """

    number: str
    session: date
    until: date | None
    ticker: str
    side: Literal["SELL", "BUY"]
    quantity: int
    limit: int | None
    filled_quantity: int
    filled_amount: int
    state: ReservedState
    order_no: str
    refusal: str

    def comes_again(self, today: date) -> bool:
        """True while another session up to its end date would have it sent, whatever it was sent as before:
        until it is taken back it may still buy or sell."""
        if self.state is ReservedState.CANCELLED or self.filled_quantity >= self.quantity:
            return False
        last = self.until or self.session
        return today < last or self.state is ReservedState.WAITING


def classify_reserved(
    transport: Literal["answered", "not_sent", "lost"], reply: Reply
) -> Classification:
    """What an answer about a reservation proves. It has a number of its own and no time of order: a success
    without that number owns nothing, as everywhere; the other answers mean what they mean for orders."""
    if transport != "answered" or not reply.parsed or reply.ok is not True:
        return classify_reply(transport, reply)
    if reply.order_no.isascii() and reply.order_no.isdigit() and reply.order_no.strip("0"):
        return Classification(AttemptState.ACKED)
    return Classification(AttemptState.UNKNOWN, why="reserved without a number")
