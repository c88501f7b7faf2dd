"""What each channel says of one second of the market, field by field as the broker names them.

The numbers are the ones that the REST screens show of the same second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from trading.domain.sessions import Phase, SessionHours
from trading.kis_wire import Channel
from trading.simulator.market import Market, Shown
from trading.simulator.truth import Truth
from trading.simulator.windows import Board
from trading.simulator.ws.board_frames import BOARD_FRAMES, board_book, board_trades
from trading.simulator.ws.flow_frames import FLOW_FRAMES
from trading.simulator.ws.fund_frames import FUND_FRAMES
from trading.simulator.ws.index_frames import INDEX_FRAMES
from trading.simulator.ws.program_frames import PROGRAM_FRAMES
from trading.simulator.ws.rows import (
    DayTimes,
    book_row,
    day_row,
    flow_row,
    status_row,
    top_row,
)
from trading.simulator.ws.us_frames import US_FRAMES

__all__ = ["MARKET_FRAMES", "STATES", "Maker", "Row", "encode"]

Row = Mapping[str, object]
Maker = Callable[[Truth, str, datetime], Sequence[Row]]
PHASE_CODES = {Phase.PRE_OPEN: "11", Phase.REGULAR: "20", Phase.CLOSING_AUCTION: "21"}
MARKET_CODES = {Phase.PRE_OPEN: "1", Phase.REGULAR: "2"}


def encode(channel: Channel, rows: Sequence[Row], appended: bool) -> str:
    """A plain data frame: the records one after the other, each in the channel's order.

    Fields that no row gives are empty. `appended` adds what the broker added at the end over time.
    """
    names = channel.fields + (channel.appended if appended else ())
    payload = "^".join(str(row.get(name, "")) for row in rows for name in names)
    return f"0|{channel.tr_id}|{len(rows):03d}|{payload}"


def trades(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """The trades of one second: what sellers hit, then what buyers took.

    The regular session's, and on its own channel KRX's evening with the numbers of that alone.
    """
    market = truth.market
    where = _second_of(truth, at)
    if where is None:
        return board_trades(truth, Board.AFTER, code, at)
    if market.closed(code, at):
        return ()
    hours, tick = where
    prints = market.tape(code, hours.day).prints(tick)
    if not prints:
        return ()
    shown = market.shown(code, at)
    common = _day(market, shown, hours, tick) | top_row(*market.ladder(code, hours.day, tick))
    return [common | flow_row(shown, one) for one in prints]


def book(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """The regular session's book from its first auction on, the evening's while that trades."""
    phase = truth.phase()
    if phase not in PHASE_CODES:
        return board_book(truth, Board.AFTER, code, at)
    shown = truth.market.shown(code, at)
    row = book_row(truth.book(code), shown, at, MARKET_CODES.get(phase, "5"))
    row["HOUR_CLS_CODE"] = "0" if phase is Phase.REGULAR else "B"
    return (row | _interrupted(shown),)


def expected(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """What an auction would match at; silent outside the two auctions and interruptions."""
    shown = truth.market.shown(code, at)
    auction = truth.phase() in (Phase.PRE_OPEN, Phase.CLOSING_AUCTION) or shown.interruption
    if not auction or at.second % 5:
        return ()
    hours = truth.calendar.session_hours(at.date())
    tick = truth.market.tick_at(hours, at)
    row = _day(truth.market, shown, hours, tick) | {
        "STCK_CNTG_HOUR": f"{at:%H%M%S}",
        "NEW_MKOP_CLS_CODE": PHASE_CODES[truth.phase()],
        "HOUR_CLS_CODE": "B",
        "CNTG_VOL": 0,
    }
    if shown.interruption:
        row |= {
            "STCK_PRPR": shown.expected,
            "PRDY_VRSS_SIGN": shown.sign(shown.expected),
            "PRDY_VRSS": shown.expected - shown.bar.reference,
            "PRDY_CTRT": shown.rate(shown.expected),
        }
    return (row,)


def status(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """How an instrument stands, and the market's turn in the seconds that have one.

    `turned` says which of these is worth telling.
    """
    turn = _turn(truth, at)
    return (status_row(truth, code, at, turn or _running(truth), "1"),)


def _turn(truth: Truth, at: datetime) -> str:
    if not truth.calendar.is_session(at.date()):
        return ""
    hours = truth.calendar.session_hours(at.date())
    turns = {
        hours.preopen: "110",
        hours.open: "112",
        hours.closing_auction: "121",
        hours.close: "129",
    }
    return turns.get(at.replace(microsecond=0), "")


def _running(truth: Truth) -> str:
    return "20" if truth.phase() is Phase.REGULAR else ""


# --- parts of a row ---------------------------------------------------------------------------
def _second_of(truth: Truth, at: datetime) -> tuple[SessionHours, int] | None:
    """The second of the continuous session that `at` is in, None outside it."""
    if not truth.calendar.is_session(at.date()):
        return None
    hours = truth.calendar.session_hours(at.date())
    if not hours.open <= at < hours.closing_auction:
        return None
    return hours, truth.market.tick_at(hours, at)


def _day(market: Market, shown: Shown, hours: SessionHours, tick: int) -> dict[str, object]:
    """The regular session so far."""
    tape = market.tape(shown.listing.code, hours.day)
    now, high, low = (
        hours.open + timedelta(seconds=one)
        for one in (tick, tape.high_made(tick), tape.low_made(tick))
    )
    then = shown.previous_volume * (tick + 1) // len(tape)
    return day_row(shown, DayTimes(now, hours.open, high, low, then), "20", "2")


def _interrupted(shown: Shown) -> dict[str, object]:
    """The book's picture of what an interruption is going to match at; else nothing of its own."""
    if not shown.interruption:
        return {}
    return {
        "ANTC_CNPR": shown.expected,
        "ANTC_CNTG_VRSS": shown.expected - shown.bar.reference,
        "ANTC_CNTG_VRSS_SIGN": shown.sign(shown.expected),
        "ANTC_CNTG_PRDY_CTRT": shown.rate(shown.expected),
    }


MARKET_FRAMES: Mapping[str, Maker] = {
    "ccnl_krx": trades,
    "ccnl_total": trades,
    "asking_price_krx": book,
    "asking_price_total": book,
    "exp_ccnl_krx": expected,
    "exp_ccnl_total": expected,
    "market_status_krx": status,
    "market_status_total": status,
    **BOARD_FRAMES,
    **INDEX_FRAMES,
    **FLOW_FRAMES,
    **FUND_FRAMES,
    **PROGRAM_FRAMES,
    **US_FRAMES,
}
STATES = frozenset({*FLOW_FRAMES, *FUND_FRAMES, *PROGRAM_FRAMES, "program_trade_nxt", "member_nxt"})
"""Channels that tell how things stand, and only when that is new."""
