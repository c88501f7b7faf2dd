"""The exchange and the accounts as they really are; what the broker shows is the wire's business.

Time runs through `run_to`: everything that falls due up to a moment happens in order, at its own
time. Orders come in through `place`, `revise` and `cancel`; each is accepted and journalled, or
refused with a reason.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from trading.domain.costs import DEFAULT_COMMISSION, CommissionRates
from trading.domain.matching import (
    Execution,
    MatchingBook,
    OrderType,
    TimeInForce,
)
from trading.domain.sessions import Calendar, Phase
from trading.simulator.accounts import Account, AccountPlan
from trading.simulator.charges import charges
from trading.simulator.continuous import next_fill
from trading.simulator.extended.floor import Floor, Touch
from trading.simulator.journal import Journal
from trading.simulator.ledger import (
    Accepted,
    AccountLedger,
    Cancelled,
    CashMoved,
    Event,
    Expired,
    Filled,
    Holding,
    OrderRow,
    Revised,
    Settled,
)
from trading.simulator.market import Market
from trading.simulator.order_types import ONE_PRICE, PLAIN, limit_of
from trading.simulator.placing import NewOrder, Placed, Refused, Why
from trading.simulator.referee import truth_of
from trading.simulator.refusals import entry_refusal, exchange_refusal, funds_refusal
from trading.simulator.reservations import Reservations
from trading.simulator.routing import misfit, route
from trading.simulator.rows import found_price, row_of
from trading.simulator.us.truth import UsTruth
from trading.simulator.windows import Board, open_at

__all__ = ["Truth"]

AUCTION_SHARE = 0.03


@dataclass
class Truth:
    """One exchange, its instruments and every account on it."""

    market: Market
    calendar: Calendar
    journal: Journal
    seed: int
    orgno: str
    time: datetime
    tame: bool = False
    rates: CommissionRates = DEFAULT_COMMISSION
    plans: Mapping[str, AccountPlan] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    books: dict[str, MatchingBook] = field(default_factory=dict)
    ticks: dict[str, int] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    slow_proceeds: dict[str, float] = field(default_factory=dict)
    agenda: list[tuple[datetime, int, dict[str, Any]]] = field(default_factory=list)
    listeners: list[Callable[[dict[str, Any]], None]] = field(default_factory=list)
    witnesses: list[Callable[[Account, Event, datetime], None]] = field(default_factory=list)
    """Told of every event of an account, after it has happened."""
    running: bool = False
    us: UsTruth = field(init=False)
    """The US exchanges and the accounts' dollars, in the same time."""
    floor: Floor = field(init=False)
    """The books beside KRX's regular one."""
    _day: date | None = None
    _odno: int = 0
    _orders: int = 0
    _scheduled: int = 0

    def __post_init__(self) -> None:
        day = self.time.date()
        self.reservations = Reservations(self.calendar)
        self.floor = Floor(self.market, self.calendar)
        self.us = UsTruth(self.journal, self.seed, self.orgno, self.time, self.tame, self.plans)
        if self.calendar.is_session(day) and self.time >= self.calendar.session_hours(day).preopen:
            self._begin_day(day)

    # --- time ---------------------------------------------------------------------------------

    def run_to(self, now: datetime) -> None:
        """Let everything happen that falls due up to `now`."""
        self.running = True
        try:
            self._run_to(now)
        finally:
            self.running = False

    def _run_to(self, now: datetime) -> None:
        while True:
            boundary, step = self._next_boundary()
            planned = self.agenda[0][0] if self.agenda else None
            target = min(boundary, now)
            if planned is not None and planned <= target:
                target = max(planned, self.time)
                self._trade_until(target)
                self.us.run_to(target)
                self.time = target
                action = heapq.heappop(self.agenda)[2]
                for listener in self.listeners:
                    listener(action)
                continue
            self._trade_until(target)
            self.us.run_to(target)
            self.time = max(self.time, target)
            if boundary > now:
                return
            step(boundary)

    def schedule(self, at: datetime, action: dict[str, Any]) -> None:
        """Have the listeners told of `action` when time reaches `at`."""
        self._scheduled += 1
        heapq.heappush(self.agenda, (at, self._scheduled, action))

    def phase(self) -> Phase:
        return self.calendar.phase_at(self.time)

    def _next_boundary(self) -> tuple[datetime, Callable[[datetime], None]]:
        boundary, step = self._next_turn()
        ends = self.floor.next_end(self.time) if self.floor.resting else None
        return (ends, self._at_end) if ends and ends < boundary else (boundary, step)

    def _next_turn(self) -> tuple[datetime, Callable[[datetime], None]]:
        """When KRX's regular session turns next."""
        day = self.time.date()
        while True:
            if self.calendar.is_session(day):
                hours = self.calendar.session_hours(day)
                for at, step in (
                    (hours.preopen, self._at_preopen),
                    (hours.open, self._at_open),
                    (hours.closing_auction, self._at_closing_auction),
                    (hours.close, self._at_close),
                ):
                    if at > self.time:
                        return at, step
            day = self.calendar.next_session(day)

    def _at_preopen(self, at: datetime) -> None:
        if self._day != at.date():  # an order of NXT's pre-market has begun it before
            self._begin_day(at.date())
        self._settle(at.date())
        self.reservations.send(at.date(), at, self.place, self.filled, self.journal)

    def _begin_day(self, day: date) -> None:
        self._day, self._odno, self._orders = day, 0, 0
        self.books.clear()
        self.ticks.clear()
        self.owners.clear()
        self.slow_proceeds.clear()
        self.market.roll(day)

    def _settle(self, day: date) -> None:
        """Cash changes hands at KRX's first boundary of a session, whoever has traded before it."""
        for account in self.accounts.values():
            due = sorted(d for d in account.truth.pending if d <= day)
            for settles in due:
                self.emit(account, Settled(settles), self.time, lag=False)
                self.journal_cash(account, "settle", self.time)

    def continue_day(self, day: date, now: datetime) -> None:
        """Be at `now` in a day that an earlier life began: its numbers go on."""
        rows = [
            row for a in self.accounts.values() for row in a.truth.orders.values() if row.day == day
        ]
        self.time, self._day = now, day
        self._orders = len(rows)
        self._odno = max((int(row.odno) for row in rows), default=0)
        self.owners = {row.odno: row.account for row in rows}

    def _at_open(self, at: datetime) -> None:
        for code in sorted(self.books):
            price = self.market.opening(code, at.date())
            self._uncross(code, price, at, closing=False)

    def _at_closing_auction(self, at: datetime) -> None:
        return

    def _at_close(self, at: datetime) -> None:
        for code in sorted(self.books):
            self._uncross(code, self.market.close(code, at.date()), at, closing=True)
        for code in sorted(self.books):
            for odno, quantity in self.books[code].drain().items():
                self.journal.write("expire", at, odno=odno, qty=quantity)
                self.emit(self._owner(odno), Expired((at.date(), odno), quantity), at)

    def _at_end(self, at: datetime) -> None:
        """Some board's day is over."""
        for left in self.floor.close(at):
            kind, event = ("cancel", Cancelled) if left.cancelled else ("expire", Expired)
            self.journal.write(kind, at, odno=left.odno, qty=left.quantity)
            self.emit(self._owner(left.odno), event((at.date(), left.odno), left.quantity), at)

    def _uncross(self, code: str, price: int, at: datetime, closing: bool) -> None:
        book = self.books[code]
        book.halted = self.market.halted(code, at)
        volume = int(self.market.bar(code, at.date()).volume * AUCTION_SHARE)
        volume = 1_000_000_000 if self.tame else volume
        volume = 0 if (code, at.date()) in self.market.locks else volume
        self._book_fills(book.uncross(price, volume, closing), at)

    def _trade_until(self, target: datetime) -> None:
        """Continuous trading from `self.time` to `target`: fills of resting orders, in order."""
        day = target.date()
        if day != self._day or not (self.books or self.floor.books):
            return
        opened = self.calendar.session_hours(day).open
        heap = [*self._touches(day, target), *self.floor.touches(target)]
        heapq.heapify(heap)
        while heap:
            tick, code, board = heapq.heappop(heap)
            at = opened + timedelta(seconds=tick)
            if board:
                self._book_fills(self.floor.trade(Board(board), code, tick), at)
                again = self.floor.touch(Board(board), code, target)
            else:
                self._tick(code, day, tick, at)
                again = self._touch(code, opened, self._last_tick(day, target))
            if again:
                heapq.heappush(heap, again)

    def _last_tick(self, day: date, target: datetime) -> int:
        return self.market.tick_at(self.calendar.session_hours(day), target)

    def _touches(self, day: date, target: datetime) -> Iterator[Touch]:
        """For every book of the regular session the next second that could fill something in it."""
        hours = self.calendar.session_hours(day)
        if target <= hours.open or self.time >= hours.closing_auction:
            return
        last = self.market.tick_at(hours, target)
        for code in self.books:
            touch = self._touch(code, hours.open, last)
            if touch:
                yield touch

    def _touch(self, code: str, opened: datetime, last: int) -> Touch | None:
        first = self.ticks.get(code, -1) + 1
        if first > last:
            return None
        tick = next_fill(self.market, self.books[code], code, opened, first, last)
        return None if tick is None else (tick, code, "")

    def _tick(self, code: str, day: date, tick: int, at: datetime) -> None:
        book = self.books[code]
        book.halted = False
        self.ticks[code] = tick
        asks, bids = self.market.ladder(code, day, tick)
        price = self.market.price_at(code, day, tick)
        if self.market.reopening(code, day, tick, tick) is not None:
            self._uncross(code, price, at, closing=False)
            self._book_fills(book.refresh(asks, bids), at)
            return
        volume = self.market.traded_at(code, day, tick)
        self._book_fills(book.refresh(asks, bids, price, volume), at)

    # --- the book now -------------------------------------------------------------------------

    def book(self, code: str) -> MatchingBook:
        """The book of `code` at the present time, our resting orders included."""
        day = self.time.date()
        if self._day != day or self.time < self.calendar.session_hours(day).preopen:
            before = self.calendar.previous_session(day)
            return self._fresh_book(code, before, 1 << 30)
        book = self.books.get(code)
        if book is None:
            lower, upper = self.market.limits(code, day)
            book = self.books[code] = MatchingBook(self.market.listing(code).kind, lower, upper)
        book.halted = self.market.halted(code, self.time)
        hours = self.calendar.session_hours(day)
        if self.time < hours.open:
            return book
        tick = self.market.tick_at(hours, self.time)
        auction = self.market.interruption_at(code, self.time)
        if auction:  # the book stands as it was; orders queue for the match at the end
            tick = auction.start
        if self.ticks.get(code) != tick and not book.halted and not auction:
            self.ticks[code] = tick
            asks, bids = self.market.ladder(code, day, tick)
            self._book_fills(book.refresh(asks, bids), self.time)
        elif code not in self.ticks or (auction and self.ticks[code] != tick):
            self.ticks[code] = tick  # what came before it is past: `run_to` has been through it
            stopped = book.halted
            book.halted = stopped or auction is not None  # levels are shown, nothing is matched
            book.refresh(*self.market.ladder(code, day, tick))
            book.halted = stopped
        return book

    def _fresh_book(self, code: str, day: date, tick: int) -> MatchingBook:
        lower, upper = self.market.limits(code, day)
        book = MatchingBook(self.market.listing(code).kind, lower, upper)
        last = len(self.market.tape(code, day)) - 1
        book.refresh(*self.market.ladder(code, day, min(tick, last)))
        return book

    # --- accounts -----------------------------------------------------------------------------

    def account(self, number: str) -> Account:
        """The account, opened at its first use."""
        if number not in self.accounts:
            self.accounts[number] = self._open(number, self.plans.get(number, AccountPlan()))
        return self.accounts[number]

    def _open(self, number: str, plan: AccountPlan) -> Account:
        holdings = {
            code: Holding(quantity, quantity * (cost or self._value(code)))
            for code, (quantity, cost) in sorted(plan.holdings.items())
        }
        account = Account(AccountLedger(number), AccountLedger(number))
        account.truth.open_with(plan.cash, holdings)
        account.shown.open_with(plan.cash, holdings)
        for code, holding in holdings.items():
            self.journal.write(
                "position",
                self.time,
                account=number,
                ticker=code,
                qty=holding.quantity,
                cost=holding.cost,
                reason="open",
            )
        self.journal_cash(account, "open", self.time)
        if plan.usd or plan.overseas:
            self.us.account(number)
        return account

    def _value(self, code: str) -> int:
        if code not in self.market:
            raise ValueError(f"the account file holds {code}, which this market does not list")
        return self.market.shown(code, self.time).bar.reference

    def filled(self, number: str, key: tuple[date, str]) -> tuple[int, int]:
        """(shares, won) that an order of the account has really filled."""
        row = self.account(number).truth.orders[key]
        return row.filled, row.amount

    def shown(self, number: str, now: datetime) -> AccountLedger:
        """The account as the broker's inquiries show it at `now`."""
        return self.account(number).shown_at(now)

    def move_cash(self, number: str, amount: int, reason: str) -> int:
        """Deposit (positive) or withdraw what may leave. Returns the amount moved."""
        account = self.account(number)
        if amount < 0:
            amount = -min(-amount, account.truth.withdrawable(self.time.date()))
        if amount:
            self.emit(account, CashMoved(amount), self.time, lag=False)
            self.journal_cash(account, reason, self.time)
        return amount

    # --- orders -------------------------------------------------------------------------------

    def place(
        self,
        order: NewOrder,
        req_seq: int | None = None,
        reach: int | None = None,
        hide: float = 0.0,
        slow: float = 0.0,
    ) -> Placed | Refused:
        """Take or refuse a new order.

        `reach` caps what fills at once; `hide` keeps it off the lists and `slow` its proceeds out
        of buying power, both in seconds.
        """
        sent = self._sent(order)
        why = sent if isinstance(sent, Why) else self._refusal(sent)
        if isinstance(sent, Why) or why:
            return Refused(why or Why.TYPE)
        if self._day != self._today():
            self._begin_day(self._today())
        book = self._book_of(sent)
        row = self._row(sent, book.upper, "new", "")
        if hide:
            row.hidden_until = self.time + timedelta(seconds=hide)
        if slow:
            self.slow_proceeds[row.odno] = slow
        row.found_price = found_price(row, book)
        self._accept(row, req_seq)
        return self._match(row, book, reach)

    def revise(
        self,
        original: tuple[str, str],
        account: str,
        quantity: int | None,
        dvsn: tuple[str, OrderType, TimeInForce],
        price: int,
        req_seq: int | None = None,
    ) -> Placed | Refused:
        """Move `quantity` (None: all) of a working order to a new price, under a new number."""
        found = self._working(original, account, quantity)
        if isinstance(found, Refused):
            return found
        old, moved = found
        code, order_type, tif = dvsn
        wanted = NewOrder(
            account, old.code, old.side, moved, order_type, price, tif, code, old.venue, old.board
        )
        why = misfit(wanted, self.time, self.calendar) or self._refusal(wanted, instead_of=old)
        if why:
            return Refused(why)
        book = self._book_of(old)
        holder, key = self.account(account), old.key
        removed = book.cancel(old.odno, moved)
        row = self._row(replace(wanted, quantity=removed), book.upper, "revise", old.odno)
        row.found_price = found_price(row, book)
        self._accept(row, req_seq)
        self.journal.write("cancel", self.time, odno=old.odno, qty=removed)
        self.emit(holder, Revised(key, removed), self.time)
        return self._match(row, book, None)

    def cancel(
        self,
        original: tuple[str, str],
        account: str,
        quantity: int | None,
        req_seq: int | None = None,
    ) -> Placed | Refused:
        """Take `quantity` (None: all) of a working order out, under a new number."""
        found = self._working(original, account, quantity)
        if isinstance(found, Refused):
            return found
        old, removed = found
        removed = self._book_of(old).cancel(old.odno, removed)
        asked = NewOrder(
            account, old.code, old.side, removed, old.order_type, old.price, old.tif, old.dvsn,
            old.venue, old.board,
        )  # fmt: skip
        row = self._row(asked, old.reserve_price, "cancel", old.odno)
        row.cancelled = removed
        self._accept(row, req_seq)
        self.journal.write("cancel", self.time, odno=old.odno, qty=removed)
        self.emit(self.account(account), Cancelled(old.key, removed), self.time)
        return Placed(row.odno, row.orgno, row.at, 0, row.key)

    def fill_now(self, odno: str) -> int:
        """Fill what is left of a working order at its limit, or the last price. Returns shares: none
        while its market matches nothing."""
        account = self.account(self.owners[odno]).truth
        order = account.orders[self._today(), odno]
        if not self._matching(order):
            return 0
        taken = self._book_of(order).cancel(odno)
        if taken:
            price = limit_of(order) or self._last(order)
            fill = Execution(odno, order.side, price, taken)
            self._book_fills((fill,), self.time)
        return taken

    def _last(self, order: OrderRow) -> int:
        if order.board:
            return self.floor.last(Board(order.board), order.code, self.time)
        return self.market.shown(order.code, self.time).last

    def halt(self, code: str, halted: bool, seconds: float | None = None) -> None:
        """Halt an instrument by hand, for `seconds` or until lifted."""
        self.market.halt(code, halted, self.time, seconds)
        if code in self.books:
            self.books[code].halted = self.market.halted(code, self.time)

    def recheck(self, code: str) -> None:
        """The price was moved by hand: let the present second happen again for resting orders."""
        for board in self.floor.forget(code, self.time):
            self.board_book(board, code)
        if code in self.books and self.phase() is Phase.REGULAR:
            self.ticks.pop(code, None)
            self.book(code)

    # --- refusals -----------------------------------------------------------------------------

    def entry_refusal(self) -> Why | None:
        """Why no order at all may be entered now, None inside order hours."""
        return entry_refusal(self.calendar, self.time)

    def _refusal(self, order: NewOrder, instead_of: OrderRow | None = None) -> Why | None:
        closed = None if order.board else self.entry_refusal()
        if closed:
            return closed
        if order.code not in self.market:
            return Why.UNKNOWN_CODE
        if order.board and not self.floor.trades(Board(order.board), order.code):
            return Why.NOT_ON_VENUE
        book = self._book_of(order)
        kind = self.market.listing(order.code).kind
        limited = replace(order, price=book.upper) if order.dvsn in ONE_PRICE else order
        return exchange_refusal(limited, book, self._queues(order)) or funds_refusal(
            order, self.account(order.account), self.time, book.upper, kind, instead_of
        )

    def _working(
        self, original: tuple[str, str], account: str, quantity: int | None
    ) -> tuple[OrderRow, int] | Refused:
        orgno, odno = original
        order = self.account(account).truth.orders.get((self._today(), odno))
        elsewhere = order is not None and order.board
        closed = None if elsewhere else self.entry_refusal()
        if closed:
            return Refused(closed)
        if order is None or order.action == "cancel" or (orgno and orgno != order.orgno):
            return Refused(Why.NO_ORIGINAL)
        self._book_of(order)
        asked = order.remaining if quantity is None else quantity
        if order.remaining <= 0:
            return Refused(Why.NOTHING_LEFT)
        if not 0 < asked <= order.remaining:
            return Refused(Why.QUANTITY)
        return order, asked

    # --- acceptance and fills -----------------------------------------------------------------

    def _sent(self, order: NewOrder) -> NewOrder | Why:
        """The order with the board that it goes to, or why no venue takes it now."""
        if order.venue == "KRX" and order.dvsn in PLAIN:
            return order
        span = route(order, self.time, self.calendar)
        if span is None or isinstance(span, Why):
            return span or order
        return replace(order, board=span.board)

    def _book_of(self, order: NewOrder | OrderRow) -> MatchingBook:
        if not order.board:
            return self.book(order.code)
        return self.board_book(Board(order.board), order.code)

    def board_book(self, board: Board, code: str) -> MatchingBook:
        """A book beside the regular session's at the present time; of a session day only."""
        book, fills = self.floor.book(board, code, self.time)
        self._book_fills(fills, self.time)
        return book

    def _queues(self, order: NewOrder | OrderRow) -> bool:
        """True while an order is not matched as it comes."""
        if order.board:
            return self.floor.paused(Board(order.board), order.code, self.time)
        return self.in_auction(order.code)

    def _matching(self, order: OrderRow) -> bool:
        """True while what rests beside `order` could trade: no break, auction, halt or interruption."""
        if self._book_of(order).halted or self._queues(order):
            return False
        if not order.board:
            return self.phase() is Phase.REGULAR
        hours = self.calendar.session_hours(self._today())
        return open_at(hours, Board(order.board), self.time) is not None

    def in_auction(self, code: str) -> bool:
        """True while orders of KRX's regular session only queue."""
        if self.phase() in (Phase.PRE_OPEN, Phase.CLOSING_AUCTION):
            return True
        return self.market.interruption_at(code, self.time) is not None

    def _today(self) -> date:
        return self.time.date()

    def _row(self, order: NewOrder, upper: int, action: str, original: str) -> OrderRow:
        kind = self.market.listing(order.code).kind
        number = self.orgno, self._next_odno()
        return row_of(order, self.time, number, kind, upper, action, original)

    def _next_odno(self) -> str:
        rng = random.Random(f"{self.seed}:odno:{self._day}:{self._orders}")
        self._orders += 1
        self._odno += rng.randint(1, 9) if self._odno else rng.randint(1_000, 60_000)
        return f"{self._odno:010d}"

    def _accept(self, row: OrderRow, req_seq: int | None) -> None:
        number = row.account
        link = {"orgn_odno": row.orgn_odno} if row.orgn_odno else {}
        board = {"board": row.board} if row.board else {}
        works = {"works_at": row.found_price} if row.found_price else {}
        self.journal.write(
            "accepted", self.time, odno=row.odno, **link, account=number, ticker=row.code,
            side=row.side.value, qty=row.quantity, req_seq=req_seq, action=row.action,
            price=row.price, orgno=row.orgno, trade_date=f"{row.day:%Y%m%d}",
            dvsn=row.dvsn, venue=row.venue, reserve=row.reserve_price, **board, **works,
        )  # fmt: skip
        self.owners[row.odno] = number
        self.emit(self.account(number), Accepted(row), self.time)

    def _match(self, row: OrderRow, book: MatchingBook, reach: int | None) -> Placed:
        key = row.key
        if row.board:
            cap, rivals = self.floor.arrival(row, self.time)
        else:
            cap, rivals = self.market.reach(row.code, row.day, row.odno, row.quantity)
        cap = cap if reach is None else reach
        outcome = book.submit(
            row.odno, row.side, row.quantity, row.order_type, limit_of(row), row.tif,
            reach=None if row.tif is TimeInForce.FOK else cap, rivals=rivals,
            auction=self._queues(row),
        )  # fmt: skip
        self._book_fills(outcome.executions, self.time)
        if outcome.cancelled:
            self.journal.write("cancel", self.time, odno=row.odno, qty=outcome.cancelled)
            holder = self._owner(row.odno)
            self.emit(holder, Cancelled(key, outcome.cancelled), self.time)
        filled = sum(f.quantity for f in outcome.executions if f.order_id == row.odno)
        return Placed(row.odno, row.orgno, row.at, filled, key)

    def _book_fills(self, fills: Iterable[Execution], at: datetime) -> None:
        for fill in fills:
            account = self._owner(fill.order_id)
            amount = fill.price * fill.quantity
            settles = self.calendar.settlement_date(at.date())
            order = account.truth.orders[at.date(), fill.order_id]
            fee, tax = charges(order, fill, settles, self.rates)
            self.journal.write(
                "fill", at, odno=fill.order_id, qty=fill.quantity, price=fill.price,
                amt=amount, fee=fee, tax=tax,
            )  # fmt: skip
            event = Filled((at.date(), fill.order_id), fill.quantity, fill.price, fee, tax, settles)
            self.emit(account, event, at)
            held_back = self.slow_proceeds.get(fill.order_id)
            if held_back:
                account.blocked.append((at + timedelta(seconds=held_back), amount - fee - tax))
            self.journal_cash(account, "fill", at)

    def _owner(self, odno: str) -> Account:
        return self.accounts[self.owners[odno]]

    def emit(self, account: Account, event: Event, at: datetime, lag: bool = True) -> None:
        """Truth changes now; the broker's screens follow a little later, in the same order."""
        account.take(event, at, self.seed if lag and not self.tame else None)
        for witness in self.witnesses:
            witness(account, event, at)

    def journal_cash(self, account: Account, reason: str, at: datetime) -> None:
        ledger = account.truth
        self.journal.write(
            "cash", at, account=ledger.account, cash=ledger.cash, d2_cash=ledger.d2_cash,
            reason=reason,
        )  # fmt: skip

    # --- the referee's view -------------------------------------------------------------------

    def as_dict(self, epoch: int) -> dict[str, Any]:
        """Everything true, in the published shape; equals the fold of the journal."""
        return truth_of(self.accounts, epoch, self.us.as_dict())
