"""Which venue a quotation tells of: J and UN mean KRX, NX means NXT.

The last price of J is the regular session's all night. Its book is that session's too, but while the
after-market is open it is the after-market's.
"""

from __future__ import annotations

from trading.domain.matching import MatchingBook
from trading.simulator.extended.shown import nxt_shown
from trading.simulator.market import Shown
from trading.simulator.truth import Truth
from trading.simulator.windows import Board, open_at
from trading.simulator.wire import Ask, Refusal

__all__ = ["NXT", "book_of", "on_nxt"]

NXT = "NX"


def on_nxt(truth: Truth, ask: Ask) -> Shown:
    """The instrument that is asked for as NXT tells it. Raises Refusal for one that it does not trade."""
    code = ask.get("FID_INPUT_ISCD")
    traded = code in truth.market and truth.floor.trades(Board.NXT, code)
    shown = nxt_shown(truth.floor, code, truth.time) if traded else None
    if shown is None:
        raise Refusal("MCA05918", "종목코드 오류입니다.")
    return shown


def book_of(truth: Truth, market: str, code: str) -> MatchingBook:
    """The book that `market` shows now; an empty one where it trades nothing."""
    board = Board.NXT if market == NXT else Board.AFTER
    if truth.calendar.is_session(truth.time.date()):
        hours = truth.calendar.session_hours(truth.time.date())
        if open_at(hours, board, truth.time) and truth.floor.trades(board, code):
            return truth.board_book(board, code)
    if market == NXT:
        return MatchingBook(truth.market.listing(code).kind, 0, 0)
    return truth.book(code)
