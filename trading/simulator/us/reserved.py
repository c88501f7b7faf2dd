"""Reserved US orders: taken during Korea's day, sent ten minutes before the open, checked then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from trading.domain.sessions import SEOUL
from trading.simulator.placing import Why
from trading.simulator.us.calendar import UsCalendar
from trading.simulator.us.entry import PRICELESS, UsNewOrder
from trading.simulator.us.listings import LISTINGS

__all__ = ["SENT_BEFORE", "Reserved", "number_of", "reserve_refusal", "session_for"]

SENT_BEFORE = timedelta(minutes=10)
TAKEN_FROM = time(10)
FIRST_NUMBER = 31_100_001


@dataclass(slots=True)
class Reserved:
    """One reservation; `odno` is the order that it became, `reason` why it became none."""

    number: str
    received: datetime
    session: date
    order: UsNewOrder
    cancelled: bool = False
    sent: datetime | None = None
    odno: str = ""
    reason: str = ""

    @property
    def waiting(self) -> bool:
        return not self.cancelled and self.sent is None


def number_of(count: int) -> str:
    """The number of the reservation that follows `count` others."""
    return f"{FIRST_NUMBER + count:010d}"


def session_for(calendar: UsCalendar, now: datetime) -> date | Why:
    """The session that a reservation of now is for: the one that opens on Seoul's date, taken from
    10:00 until it is sent. Why there is none otherwise."""
    day = now.astimezone(SEOUL).date()
    if not calendar.is_session(day):
        return Why.NOT_A_SESSION
    if now.astimezone(SEOUL).time() < TAKEN_FROM:
        return Why.BEFORE_OPEN
    return Why.AFTER_CLOSE if now >= calendar.hours(day).open - SENT_BEFORE else day


def reserve_refusal(order: UsNewOrder) -> Why | None:
    """Why a reservation is not taken; money and shares are looked at when it is sent."""
    if order.code not in LISTINGS or LISTINGS[order.code].exchange != order.exchange:
        return Why.UNKNOWN_CODE
    if order.quantity <= 0:
        return Why.QUANTITY
    if order.price < 0 or (order.price == 0) is (order.dvsn not in PRICELESS):
        return Why.OFF_TICK
    return None
