"""What is told of the books beside KRX's regular session: NXT on channels of its own, KRX's evening on KRX's.

The numbers are a board's own: those that inquire-price and inquire-asking-price show of NX in the same second,
and for KRX's evening those of its book alone. NXT holds no auction here, so nothing is expected of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from trading.simulator.calls.flows import firm_values, program_values
from trading.simulator.extended.shown import board_day
from trading.simulator.extended.tapes import seconds, stretches_of
from trading.simulator.investors import program
from trading.simulator.tape import Print
from trading.simulator.truth import Truth
from trading.simulator.windows import Board, Window, open_at, spans_of
from trading.simulator.ws.flow_frames import firms_row, program_row
from trading.simulator.ws.rows import DayTimes, book_row, day_row, flow_row, status_row, top_row

__all__ = ["BOARD_FRAMES", "board_book", "board_trades", "trades_on"]

Row = Mapping[str, object]
MINUTE = timedelta(seconds=60)
PHASES = {Window.NXT_PRE: "10", Window.NXT_MAIN: "20", Window.NXT_AFTER: "30", Window.AFTER: "30"}
MARKETS = {Window.NXT_PRE: "1", Window.NXT_MAIN: "2", Window.NXT_AFTER: "3", Window.AFTER: "3"}
BEGINS, ENDS = "112", "129"
"""The broker's codes of KRX's opening and close, told of each of NXT's windows."""
EXCHANGE = "2"


def trades_on(truth: Truth, board: Board, code: str) -> bool:
    """Whether a board trades an instrument at all."""
    return code in truth.market and truth.floor.trades(board, code)


def board_trades(truth: Truth, board: Board, code: str, at: datetime) -> Sequence[Row]:
    """The trades of one second on a board, others' alone; none in a break, a halt or an interruption."""
    window = _window(truth, board, code, at)
    if window is None or truth.floor.halted(code, at) or truth.floor.paused(board, code, at):
        return ()
    hours = truth.calendar.session_hours(at.date())
    tick = seconds(hours, at)
    prints = _prints(truth, board, code, at, tick)
    if not prints:
        return ()
    now = board_day(truth.floor, board, code, at)
    assert now is not None, "a board that trades has opened"
    times = DayTimes(at, now.opened, now.high_at, now.low_at, now.volume_then)
    asks, bids, _last, _volume = truth.floor.second(board, code, at.date(), tick)
    common = day_row(now.shown, times, PHASES[window], MARKETS[window]) | top_row(asks, bids)
    return [common | flow_row(now.shown, one) for one in prints]


def board_book(truth: Truth, board: Board, code: str, at: datetime) -> Sequence[Row]:
    """Ten levels of a board's book at the present time; none while it is closed."""
    window = _window(truth, board, code, truth.time)
    day = board_day(truth.floor, board, code, at)
    if window is None or day is None:
        return ()
    return (book_row(truth.board_book(board, code), day.shown, at, MARKETS[window]),)


def _window(truth: Truth, board: Board, code: str, at: datetime) -> Window | None:
    if not truth.calendar.is_session(at.date()) or not trades_on(truth, board, code):
        return None
    span = open_at(truth.calendar.session_hours(at.date()), board, at)
    return span.window if span else None


def _prints(truth: Truth, board: Board, code: str, at: datetime, tick: int) -> tuple[Print, ...]:
    """What sellers hit and buyers took in one second, with the sums of the board's day up to each."""
    sold, bought = _sums(truth, board, code, at, tick)
    sold_before, bought_before = _sums(truth, board, code, at, tick - 1)
    found = []
    if sold > sold_before:
        volume = sold + bought_before
        found.append(Print(False, sold - sold_before, volume, bought_before))
    if bought > bought_before:
        found.append(Print(True, bought - bought_before, sold + bought, bought))
    return tuple(found)


def _sums(truth: Truth, board: Board, code: str, at: datetime, tick: int) -> tuple[int, int]:
    """(shares that sellers hit, shares that buyers took) of a board's day up to a second."""
    hours, tapes = truth.calendar.session_hours(at.date()), truth.floor.tapes
    parts = [
        tapes.shares(stretch, code, at.date(), min(tick, stretch.last))
        for stretch in stretches_of(hours, board)
        if stretch.first <= tick
    ]
    return sum(sold for sold, _bought in parts), sum(bought for _sold, bought in parts)


# --- NXT's own channels -----------------------------------------------------------------------
def trades(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """NXT's trades of one second."""
    return board_trades(truth, Board.NXT, code, at)


def book(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """NXT's book as it stands."""
    return board_book(truth, Board.NXT, code, at)


def status(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """How an instrument stands on NXT: halted, or waiting for KRX's interruption; and a window's turn."""
    return (status_row(truth, code, at, _turn(truth, at), EXCHANGE),)


def _turn(truth: Truth, at: datetime) -> str:
    if not truth.calendar.is_session(at.date()):
        return ""
    moment, spans = at.replace(microsecond=0), spans_of(truth.calendar.session_hours(at.date()))
    mine = [span for span in spans if span.board is Board.NXT]
    if any(span.start == moment for span in mine):
        return BEGINS
    return ENDS if any(span.end == moment for span in mine) else ""


def programs(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """What programs have bought and sold on NXT today: their part of what was traded there."""
    day = board_day(truth.floor, Board.NXT, code, at) if _running(truth, at) else None
    if day is None:
        return ()
    shown = day.shown
    deal = program(truth.market, code, at.date(), shown.volume, shown.turnover)
    return (program_row(code, at, program_values(deal)),)


def firms(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """The five firms that bought and sold most on NXT today, and what they did in the last minute."""
    day = board_day(truth.floor, Board.NXT, code, at) if _running(truth, at) else None
    if day is None:
        return ()
    earlier = board_day(truth.floor, Board.NXT, code, at - MINUTE)
    volume = earlier.shown.volume if earlier else 0
    table = f"{code}:{Board.NXT}"
    values = firm_values(truth.seed, table, at.date(), day.shown.volume, volume)
    return (firms_row(code, values),)


def _running(truth: Truth, at: datetime) -> bool:
    """From NXT's first window to its last, breaks included."""
    if not truth.calendar.is_session(at.date()):
        return False
    spans = [s for s in spans_of(truth.calendar.session_hours(at.date())) if s.board is Board.NXT]
    return bool(spans) and spans[0].start <= at <= spans[-1].end


BOARD_FRAMES: Mapping[str, Callable[[Truth, str, datetime], Sequence[Row]]] = {
    "ccnl_nxt": trades,
    "asking_price_nxt": book,
    "market_status_nxt": status,
    "program_trade_nxt": programs,
    "member_nxt": firms,
}
