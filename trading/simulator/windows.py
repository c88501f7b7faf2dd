"""When each venue trades outside KRX's regular session, and in what way: a day's windows.

KRX's hours are the calendar's. NXT's are told from them, so that a day that begins later begins later on
both venues; its last window ends at eight in the evening on every day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

from trading.domain.sessions import AFTER_MARKET_SINCE, SEOUL, SessionHours

__all__ = ["NXT_SINCE", "Board", "Span", "Window", "end_of", "open_at", "spans_of"]

NXT_SINCE = date(2025, 3, 4)
NXT_END = time(20)
AT_PREVIOUS_CLOSE = timedelta(minutes=10)
NXT_BEFORE, NXT_PAUSE, NXT_LATER = timedelta(hours=1), timedelta(minutes=10), timedelta(seconds=30)
"""NXT begins an hour before KRX opens, pauses ten minutes before it and goes on half a minute after."""


class Board(StrEnum):
    """A book of its own; the regular session's is none of these."""

    BEFORE = "krx_before"
    AT_CLOSE = "krx_at_close"
    AFTER = "krx_after"
    NXT = "nxt"


class Window(StrEnum):
    """A stretch of a day in which some kinds of order may be entered."""

    REGULAR = "regular"
    BEFORE = "before"
    """KRX at the close of the day before."""
    AT_CLOSE = "at_close"
    """KRX at the close of the day."""
    AFTER = "after"
    """KRX's continuous market of the evening."""
    NXT_PRE = "nxt_pre"
    NXT_MAIN = "nxt_main"
    NXT_AFTER = "nxt_after"


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds of a window on one day: its start belongs to it, its end does not."""

    window: Window
    board: Board
    start: datetime
    end: datetime


@lru_cache(maxsize=64)
def spans_of(hours: SessionHours) -> tuple[Span, ...]:
    """Every window of a session but the regular one, in the order of their starts."""
    day = hours.day
    found = [
        Span(Window.BEFORE, Board.BEFORE, hours.preopen, hours.preopen + AT_PREVIOUS_CLOSE),
        Span(Window.AT_CLOSE, Board.AT_CLOSE, hours.after_close, hours.after_close_end),
    ]
    if day >= AFTER_MARKET_SINCE:
        found.append(Span(Window.AFTER, Board.AFTER, hours.after_close_end, hours.after_market_end))
    if day >= NXT_SINCE:
        evening = datetime.combine(day, NXT_END, SEOUL)
        pre, main = hours.open - NXT_BEFORE, hours.open + NXT_LATER
        found += [
            Span(Window.NXT_PRE, Board.NXT, pre, hours.open - NXT_PAUSE),
            Span(Window.NXT_MAIN, Board.NXT, main, hours.closing_auction),
            Span(Window.NXT_AFTER, Board.NXT, hours.close, evening),
        ]
    return tuple(sorted(found, key=lambda span: span.start))


@lru_cache(maxsize=256)
def board_spans(hours: SessionHours, board: Board) -> tuple[Span, ...]:
    return tuple(span for span in spans_of(hours) if span.board is board)


def open_at(hours: SessionHours, board: Board, moment: datetime) -> Span | None:
    """The window in which a board trades at a moment, None in a break."""
    spans = board_spans(hours, board)
    return next((span for span in spans if span.start <= moment < span.end), None)


def end_of(hours: SessionHours, board: Board) -> datetime:
    """When what is left on a board expires."""
    return board_spans(hours, board)[-1].end
