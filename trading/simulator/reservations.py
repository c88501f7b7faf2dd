"""Reserved orders: taken between two sessions, sent at 08:30 of each session until filled or over.

One with an end date waits again after each session that left something of it unfilled.

Money, shares and the day's limits are looked at when they are sent, not when they are taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from trading.domain.matching import OrderType
from trading.domain.sessions import SEOUL, Calendar
from trading.simulator.journal import Journal
from trading.simulator.market import Market
from trading.simulator.order_types import ONE_PRICE
from trading.simulator.placing import NewOrder, Placed, Refused, Why

__all__ = ["Reservation", "Reservations"]

AFTER_CLOSE, UNTIL_BEFORE = timedelta(minutes=10), timedelta(hours=1)
"""Taken from 15:40 to 07:30, an hour later on days that begin an hour later."""
LONGEST = timedelta(days=30)
FIRST_NUMBER = 42_401
Place = Callable[[NewOrder], Placed | Refused]
Filled = Callable[[str, tuple[date, str]], tuple[int, int]]
"""(shares, won) filled of an account's order."""


@dataclass(slots=True)
class Reservation:
    """`first` is the session it is meant for, `until` the last day it is tried; `sent` the orders it became.

    `sent_at` and `reason` (empty: taken) tell of the last time it was tried.
    """

    seq: int
    received: datetime
    first: date
    until: date
    order: NewOrder
    cancelled: datetime | None = None
    sent: list[tuple[date, str]] = field(default_factory=list)
    sent_at: datetime | None = None
    reason: str = ""


@dataclass
class Reservations:
    """Those of all accounts in the order they came."""

    calendar: Calendar
    rows: list[Reservation] = field(default_factory=list)

    def session_for(self, now: datetime) -> date | Why:
        """The session that a reservation of now is for; why none is taken now."""
        day = now.astimezone(SEOUL).date()
        if not self.calendar.is_session(day):
            return self.calendar.next_session(day)
        hours = self.calendar.session_hours(day)
        if now < hours.preopen - UNTIL_BEFORE:
            return day
        late = now >= hours.close + AFTER_CLOSE
        return self.calendar.next_session(day) if late else Why.AFTER_CLOSE

    def take(
        self, order: NewOrder, until: date | None, now: datetime, market: Market, journal: Journal
    ) -> Reservation | Refused:
        """A new reservation, tried on one session or up to `until`."""
        first = self.session_for(now)
        why = first if isinstance(first, Why) else _unfit(order, market)
        if isinstance(first, Why) or why is not None:
            return Refused(why or Why.AFTER_CLOSE)
        last = until or first
        if not first <= last <= first + LONGEST:
            return Refused(Why.NOT_A_SESSION)
        one = Reservation(FIRST_NUMBER + len(self.rows), now, first, last, order)
        self.rows.append(one)
        journal.write(
            "resv", now, number=one.seq, account=order.account, ticker=order.code,
            side=order.side.value, qty=order.quantity, price=order.price, dvsn=order.dvsn,
            trade_date=f"{first:%Y%m%d}", until=f"{last:%Y%m%d}",
        )  # fmt: skip
        return one

    def waits(self, one: Reservation, now: datetime, filled: Filled) -> bool:
        """True while a session is to come on which it will be tried."""
        coming = self._coming(now)
        return one.cancelled is None and coming <= one.until and _left(one, filled) > 0

    def _coming(self, now: datetime) -> date:
        """The next session on which anything will be tried."""
        day = now.astimezone(SEOUL).date()
        tried = self.calendar.is_session(day) and now >= self.calendar.session_hours(day).preopen
        return self.calendar.next_session(day if tried else day - timedelta(days=1))

    def waiting(self, account: str, seq: str, now: datetime, filled: Filled) -> Reservation | None:
        """One of an account that will still be tried."""
        found = (r for r in self.rows if str(r.seq) == seq and r.order.account == account)
        one = next(found, None)
        return one if one and self.waits(one, now, filled) else None

    def cancel(
        self, account: str, seq: str, now: datetime, filled: Filled, journal: Journal
    ) -> Reservation | Refused:
        """Take back one that waits; what it has become before stays."""
        one = self.waiting(account, seq, now, filled)
        if one is None or isinstance(self.session_for(now), Why):
            return Refused(Why.NO_ORIGINAL if one is None else Why.AFTER_CLOSE)
        one.cancelled = now
        journal.write("resv_cancel", now, number=one.seq)
        return one

    def revise(
        self,
        seq: str,
        order: NewOrder,
        until: date | None,
        now: datetime,
        market: Market,
        filled: Filled,
        journal: Journal,
    ) -> Reservation | Refused:
        """Another quantity, price, type or last day for one that waits; the quantity counts what has been
        filled, without `until` the last day stays."""
        one = self.waiting(order.account, seq, now, filled)
        if one is None or (one.order.code, one.order.side) != (order.code, order.side):
            return Refused(Why.NO_ORIGINAL)
        why = _unfit(order, market)
        if why is None and _left(replace(one, order=order), filled) <= 0:
            why = Why.QUANTITY
        if isinstance(self.session_for(now), Why) or why is not None:
            return Refused(why or Why.AFTER_CLOSE)
        last = until or one.until
        if not max(one.first, self._coming(now)) <= last <= one.first + LONGEST:
            return Refused(Why.NOT_A_SESSION)
        one.order, one.until = order, last
        journal.write(
            "resv_revise", now, number=one.seq, qty=order.quantity, price=order.price,
            dvsn=order.dvsn, until=f"{last:%Y%m%d}",
        )  # fmt: skip
        return one

    def send(
        self, day: date, now: datetime, place: Place, filled: Filled, journal: Journal
    ) -> None:
        """What is still wanted becomes orders of this session, in the order it came."""
        for one in self.rows:
            if one.cancelled is not None or not one.first <= day <= one.until:
                continue
            left = _left(one, filled)
            if left <= 0:
                continue
            placed = place(replace(one.order, quantity=left))
            one.sent_at, one.reason, odno = now, "", ""
            if isinstance(placed, Refused):
                one.reason = placed.why.value
            else:
                odno = placed.odno
                one.sent.append((day, odno))
            journal.write("resv_sent", now, number=one.seq, odno=odno, reason=one.reason)


def _left(one: Reservation, filled: Filled) -> int:
    """Shares that none of the orders it became has filled."""
    return one.order.quantity - sum(filled(one.order.account, key)[0] for key in one.sent)


def _unfit(order: NewOrder, market: Market) -> Why | None:
    if order.code not in market:
        return Why.UNKNOWN_CODE
    if order.quantity <= 0:
        return Why.QUANTITY
    priced = order.order_type is OrderType.LIMIT and order.dvsn not in ONE_PRICE
    return Why.OFF_TICK if priced and order.price <= 0 else None
