"""The books beside KRX's regular one, and what happens in them as time goes by.

A book is made when somebody looks at it or trades in it, and emptied when its board's day ends. While nothing
of ours rests in any of them, time passes here without any work.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from trading.domain.matching import Execution, MatchingBook
from trading.domain.quotes import BookLevel
from trading.domain.sessions import Calendar, SessionHours
from trading.simulator.extended.at_close import AtClose, Interest
from trading.simulator.extended.names import on_nxt
from trading.simulator.extended.tapes import Stretch, Tapes, seconds, stretches_of
from trading.simulator.ledger import OrderRow
from trading.simulator.market import Market
from trading.simulator.order_types import UNTIL_PRE_END, limit_of
from trading.simulator.windows import Board, Span, Window, end_of, open_at, spans_of

__all__ = ["Floor", "Left", "Touch"]

AT_ONE_PRICE = (Board.BEFORE, Board.AT_CLOSE)
Touch = tuple[int, str, str]
"""(second from KRX's open, code, board) in which something resting could be filled; see `NewOrder.board`."""
Key = tuple[Board, str]


@dataclass(frozen=True, slots=True)
class Left:
    """What an order could not trade when its time was over; `cancelled`: it was good for less than the day."""

    odno: str
    quantity: int
    cancelled: bool


@dataclass
class Floor:
    """Every book of every board on one day."""

    market: Market
    calendar: Calendar
    tapes: Tapes = field(init=False)
    at_close: AtClose = field(init=False)
    day: date | None = None
    books: dict[Key, MatchingBook] = field(default_factory=dict)
    ticks: dict[Key, int] = field(default_factory=dict)
    stopped: set[Key] = field(default_factory=set)
    """Books that did not trade when they were last looked at: their levels are not the present ones."""
    until_pre_end: set[str] = field(default_factory=set)
    """Orders that NXT cancels when its pre-market ends."""

    def __post_init__(self) -> None:
        self.tapes, self.at_close = Tapes(self.market), AtClose(self.market)

    @property
    def resting(self) -> bool:
        """True while an order of ours rests in any of the books."""
        return any(book.has_resting for book in self.books.values())

    # --- the book now -------------------------------------------------------------------------

    def book(
        self, board: Board, code: str, now: datetime
    ) -> tuple[MatchingBook, tuple[Execution, ...]]:
        """A book at `now`, and what the present second fills of our orders in it."""
        day = now.date()
        if self.day != day:
            self.day = day
            self.books.clear()
            self.ticks.clear()
            self.stopped.clear()
            self.until_pre_end.clear()
        key, hours = (board, code), self.calendar.session_hours(day)
        book = self.books.get(key)
        if book is None:
            book = self.books[key] = MatchingBook(self.market.listing(code).kind, 0, 0)
        book.lower, book.upper = self._limits(board, code, day)
        book.halted = self.halted(code, now)
        tick = seconds(hours, now)
        stopped = book.halted or self.paused(board, code, now)
        seen = self.ticks.get(key) == tick and key not in self.stopped
        self.ticks[key] = tick  # what came before it is past
        if stopped or not open_at(hours, board, now):
            self.stopped.add(key)
            return book, ()
        if seen:
            return book, ()
        self.stopped.discard(key)
        asks, bids, _last, _volume = self.second(board, code, day, tick)
        return book, book.refresh(asks, bids)

    def trades(self, board: Board, code: str) -> bool:
        """True for an instrument that a board takes orders in: the evening's and NXT's take no funds."""
        if board is Board.NXT:
            return on_nxt(self.market, code)
        return board is not Board.AFTER or not self.market.listing(code).kind.is_fund

    def forget(self, code: str, now: datetime) -> list[Board]:
        """Let the present second of today's books of a code happen again; returns their boards."""
        if self.day != now.date():
            return []
        boards = [board for board, one in self.books if one == code]
        for board in boards:
            self.ticks[board, code] -= 1
        return boards

    def most(self, dvsn: str, code: str, now: datetime) -> int:
        """Won a share that a price-less order can cost at most, where no quotation tells it; else 0."""
        day = now.date()
        if not self.calendar.is_session(day):
            return 0
        hours = self.calendar.session_hours(day)
        if dvsn == "05" and now >= hours.preopen:
            return self.at_close.price(Board.BEFORE, code, day)
        if dvsn == "06" and now >= hours.close:
            return self.at_close.price(Board.AT_CLOSE, code, day)
        early = now < hours.preopen and open_at(hours, Board.NXT, now) is not None
        return self.market.limits(code, day)[1] if early else 0

    def last(self, board: Board, code: str, now: datetime) -> int:
        """The last price on a board; in a break that of KRX."""
        hours = self.calendar.session_hours(now.date())
        if board in AT_ONE_PRICE:
            return self.at_close.price(board, code, now.date())
        tick = seconds(hours, now)
        for stretch in stretches_of(hours, board):
            if stretch.first <= tick <= stretch.last:
                return self.tapes.price(stretch, code, now.date(), tick)
        return self.market.shown(code, now).last

    def halted(self, code: str, now: datetime) -> bool:
        """True while `code` may not trade on any venue."""
        return not self.market.bar(code, now.date()).traded or self.market.halted(code, now)

    def paused(self, board: Board, code: str, now: datetime) -> bool:
        """True while NXT waits for an interruption on KRX to end."""
        return board is Board.NXT and self.market.interruption_at(code, now) is not None

    def arrival(self, row: OrderRow, now: datetime) -> tuple[int | None, int]:
        """(how much of a new order fills at once, shares others want before the rest); as `Market.reach`."""
        board, day = Board(row.board), row.day
        if row.dvsn in UNTIL_PRE_END:
            self.until_pre_end.add(row.odno)
        if board in AT_ONE_PRICE:
            queue = self._interest(board, row.code, day).queue(row.side)
            return (0, queue) if queue else (None, 0)
        reach, rivals = self.market.reach(row.code, day, row.odno, row.quantity)
        tick = seconds(self.calendar.session_hours(day), now)
        shares = (self.tapes.depth(s) for s in self._stretches(board, day) if tick <= s.last)
        return reach, int(rivals * next(shares, 1.0))

    def refill(self, row: OrderRow, now: datetime) -> None:
        """Let an order of an earlier life rest again, behind those who are there."""
        board = Board(row.board)
        book, _nothing_rests = self.book(board, row.code, now)
        price = limit_of(row) or row.found_price or book.best(row.side)
        price = price or self.last(board, row.code, now)
        rivals = self.arrival(row, now)[1]
        stopped, book.halted = book.halted, False
        book.submit(row.odno, row.side, row.remaining, price=price, reach=0, rivals=rivals)
        book.halted = stopped

    # --- time ---------------------------------------------------------------------------------

    def touches(self, until: datetime) -> Iterator[Touch]:
        """For every book with orders of ours the next second up to `until` that could fill some."""
        for board, code in self.books:
            touch = self.touch(board, code, until)
            if touch:
                yield touch

    def touch(self, board: Board, code: str, until: datetime) -> Touch | None:
        book, day = self.books[board, code], self.day
        if not book.has_resting or day is None or until.date() != day:
            return None
        hours = self.calendar.session_hours(day)
        first = self.ticks.get((board, code), -(1 << 30)) + 1
        last = seconds(hours, until)
        tick = (
            self._next_at_close(board, code, first, last, hours)
            if board in AT_ONE_PRICE
            else self._next_trade(board, code, first, last, hours)
        )
        return None if tick is None else (tick, code, board)

    def trade(self, board: Board, code: str, tick: int) -> tuple[Execution, ...]:
        """One second of a board happens: fills of our orders."""
        assert self.day is not None
        book = self.books[board, code]
        book.halted = False
        self.ticks[board, code] = tick
        self.stopped.discard((board, code))
        asks, bids, last, volume = self.second(board, code, self.day, tick)
        return book.refresh(asks, bids, last, volume)

    def next_end(self, now: datetime) -> datetime | None:
        """When the next of the boards with orders of ours closes, or ends its pre-market."""
        if self.day is None or now.date() != self.day:
            return None
        hours = self.calendar.session_hours(self.day)
        boards = {board for (board, _code), book in self.books.items() if book.has_resting}
        ends = [end_of(hours, board) for board in boards]
        if Board.NXT in boards and self.until_pre_end:
            ends.append(_pre_market(hours).end)
        return min((end for end in ends if end > now), default=None)

    def close(self, at: datetime) -> Iterator[Left]:
        """What is over at `at`: boards that close, and orders that were good until then only."""
        if self.day is None or at.date() != self.day:
            return
        hours = self.calendar.session_hours(self.day)
        for (board, _code), book in sorted(self.books.items()):
            if end_of(hours, board) == at:
                for odno, quantity in book.drain().items():
                    yield Left(odno, quantity, cancelled=False)
            elif board is Board.NXT and _pre_market(hours).end == at:
                for odno in sorted(self.until_pre_end):
                    quantity = book.cancel(odno)
                    if quantity:
                        yield Left(odno, quantity, cancelled=True)

    # --- inside -------------------------------------------------------------------------------

    def _limits(self, board: Board, code: str, day: date) -> tuple[int, int]:
        if board in AT_ONE_PRICE:
            price = self.at_close.price(board, code, day)
            return price, price
        return self.market.limits(code, day)

    def _stretches(self, board: Board, day: date) -> tuple[Stretch, ...]:
        return stretches_of(self.calendar.session_hours(day), board)

    def second(
        self, board: Board, code: str, day: date, tick: int
    ) -> tuple[tuple[BookLevel, ...], tuple[BookLevel, ...], int | None, int]:
        """(asks, bids, the last price, shares traded at it) of others in one second."""
        if board in AT_ONE_PRICE:
            begins = self._begins(board, day)
            price = self.at_close.price(board, code, day)
            asks, bids = self._interest(board, code, day).levels(tick - begins, price)
            return asks, bids, None, 0
        stretch = next(s for s in self._stretches(board, day) if s.first <= tick <= s.last)
        price = self.tapes.price(stretch, code, day, tick)
        rng = random.Random(f"{self.market.seed}:book:{board}:{code}:{day}:{tick}")
        asks, bids = self.market.ladder_around(code, day, price, rng, self.tapes.depth(stretch))
        return asks, bids, price, self.tapes.traded(stretch, code, day, tick)

    def _begins(self, board: Board, day: date) -> int:
        hours = self.calendar.session_hours(day)
        return next(seconds(hours, s.start) for s in spans_of(hours) if s.board is board)

    def _interest(self, board: Board, code: str, day: date) -> Interest:
        hours = self.calendar.session_hours(day)
        span = next(span for span in spans_of(hours) if span.board is board)
        return self.at_close.interest(
            board, code, day, int((span.end - span.start).total_seconds())
        )

    def _next_at_close(
        self, board: Board, code: str, first: int, last: int, hours: SessionHours
    ) -> int | None:
        buy, sell, _at_market = self.books[board, code].interest()
        begins, interest = self._begins(board, hours.day), self._interest(board, code, hours.day)
        first = max(first, begins)
        while True:
            found = interest.next(first - begins, last - begins, buy is not None, sell is not None)
            if found is None:
                return None
            opens = self._opens(board, code, found + begins, hours)
            if opens == found + begins:
                return opens
            if opens is None:
                return None
            first = opens

    def _next_trade(
        self, board: Board, code: str, first: int, last: int, hours: SessionHours
    ) -> int | None:
        buy, sell, _at_market = self.books[board, code].interest()
        for stretch in self._stretches(board, hours.day):
            begin, end = max(first, stretch.first), min(last, stretch.last)
            while begin <= end:
                found = self.tapes.next_touch(stretch, code, hours.day, begin, end, buy, sell)
                if found is None:
                    break
                opens = self._opens(board, code, found, hours)
                if opens == found:
                    return found
                if opens is None:
                    return None
                begin = opens
        return None

    def _opens(self, board: Board, code: str, tick: int, hours: SessionHours) -> int | None:
        """`tick` where the board trades in it, else the first second after what stops it, None without one."""
        moment = hours.open + timedelta(seconds=tick)
        if not self.halted(code, moment) and not self.paused(board, code, moment):
            return tick
        again = self.market.trading_again(code, moment)
        return (
            None
            if again is None
            else max(tick + 1, -int(-(again - hours.open).total_seconds() // 1))
        )


def _pre_market(hours: SessionHours) -> Span:
    return next(span for span in spans_of(hours) if span.window is Window.NXT_PRE)
