"""Where an order outside KRX's regular book goes: to which board and window, or why nowhere."""

from __future__ import annotations

from datetime import datetime

from trading.domain.matching import OrderType
from trading.domain.sessions import Calendar
from trading.simulator.order_types import TYPES, takes
from trading.simulator.placing import NewOrder, Why
from trading.simulator.refusals import entry_refusal
from trading.simulator.windows import Board, Span, Window, open_at, spans_of

__all__ = ["misfit", "route"]

NXT_BOARDS = {"NXT": (Board.NXT,), "SOR": (Board.NXT,)}
KRX_BOARDS = (Board.BEFORE, Board.AT_CLOSE, Board.AFTER)
NO_MARKET = {Window.NXT_PRE: Why.NO_MARKET_PRE, Window.NXT_AFTER: Why.NO_MARKET_AFTER}


def route(order: NewOrder, now: datetime, calendar: Calendar) -> Span | Why | None:
    """The window that takes `order` now; None when that is KRX's regular session.

    SOR goes to KRX while that takes orders for its regular session, and to NXT at any other time.
    """
    day = now.date()
    if not calendar.is_session(day):
        return Why.NOT_A_SESSION
    if not takes(order.venue, order.dvsn, day):
        return Why.TYPE
    wanted = TYPES[order.dvsn].windows(order.venue) or ()
    regular = entry_refusal(calendar, now)
    if order.venue == "SOR" and regular is None and Window.REGULAR in wanted:
        return None
    boards = NXT_BOARDS.get(order.venue, KRX_BOARDS)
    hours = calendar.session_hours(day)
    running = [s for s in spans_of(hours) if s.board in boards and s.start <= now < s.end]
    found = next((span for span in running if span.window in wanted), None)
    if found:
        return found
    if order.order_type is OrderType.MARKET:
        for span in running:
            if span.window in NO_MARKET:
                return NO_MARKET[span.window]
    return Why.BEFORE_OPEN if now < hours.open else Why.AFTER_CLOSE


def misfit(order: NewOrder, now: datetime, calendar: Calendar) -> Why | None:
    """Why what `order` says cannot take the place of an order in its board; None when it can."""
    wanted = TYPES[order.dvsn].windows(order.venue) or ()
    if not order.board:
        return None if Window.REGULAR in wanted else Why.TYPE
    hours = calendar.session_hours(now.date())
    span = open_at(hours, Board(order.board), now)
    if span is None:
        return Why.BEFORE_OPEN if now < hours.open else Why.AFTER_CLOSE
    if order.order_type is OrderType.MARKET and span.window in NO_MARKET:
        return NO_MARKET[span.window]
    return None if span.window in wanted else Why.TYPE
