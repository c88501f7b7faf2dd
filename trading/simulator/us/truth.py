"""The US exchanges and the accounts' US side as they really are, driven by the same time as Korea.

Orders come in through `place`, `revise` and `cancel`; each is accepted and journalled, or refused with a
reason. Nothing is journalled for an account that has neither dollars nor US orders.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from trading.domain.matching import Execution, OrderType
from trading.simulator.accounts import AccountPlan
from trading.simulator.journal import Journal
from trading.simulator.ledger import Cancelled, CashMoved, Expired, Revised, Settled
from trading.simulator.placing import Placed, Refused, Why
from trading.simulator.us.accounts import UsAccount
from trading.simulator.us.calendar import US, UsCalendar
from trading.simulator.us.entry import (
    AT_CLOSE,
    AT_OPEN,
    CentBook,
    UsNewOrder,
    clock_refusal,
    order_refusal,
)
from trading.simulator.us.ledger import (
    UsAccepted,
    UsEvent,
    UsFilled,
    UsHolding,
    UsLedger,
    UsOrder,
)
from trading.simulator.us.market import UsMarket
from trading.simulator.us.money import commission, won
from trading.simulator.us.rates import Rates
from trading.simulator.us.reserved import (
    SENT_BEFORE,
    Reserved,
    number_of,
    reserve_refusal,
    session_for,
)

__all__ = ["UsTruth"]

AUCTION_SHARE = 0.03
FIRST_ODNO = 30_000_000
"""US orders are numbered apart from domestic ones, which begin anew at other hours."""


@dataclass
class UsTruth:
    """The US market, the won of a dollar, and the US side of every account."""

    journal: Journal
    seed: int
    orgno: str
    time: datetime
    tame: bool = False
    plans: Mapping[str, AccountPlan] = field(default_factory=dict)
    calendar: UsCalendar = US
    accounts: dict[str, UsAccount] = field(default_factory=dict)
    books: dict[str, CentBook] = field(default_factory=dict)
    ticks: dict[str, int] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    closing: list[tuple[str, str]] = field(default_factory=list)
    """(code, order number) of what waits for the closing match, in the order it came."""
    reserved: list[Reserved] = field(default_factory=list)
    witnesses: list[Callable[[UsAccount, UsEvent, datetime], None]] = field(default_factory=list)
    """Told of every event of an account, after it has happened."""
    _orders: int = 0
    _odno: int = 0
    _due: tuple[datetime, str] | None = None

    def __post_init__(self) -> None:
        self.market = UsMarket(self.seed, self.calendar, self.calendar.begun(self.time), self.tame)
        self.rates = Rates(self.seed, self.time.date())

    @property
    def day(self) -> date:
        """The session that orders are for, or that was the last one."""
        return self.calendar.begun(self.time)

    @property
    def rate(self) -> int:
        """Hundredths of a won a dollar now."""
        return self.rates.at(self.time)

    @property
    def trading(self) -> bool:
        hours = self.calendar.hours(self.day)
        return hours.open <= self.time < hours.close

    # --- time ---------------------------------------------------------------------------------

    def run_to(self, now: datetime) -> None:
        """Let everything happen that falls due up to `now`."""
        while True:
            if self._due is None:
                self._due = self._next_boundary()
            at, turn = self._due
            target = min(at, now)
            self._trade_until(target)
            self.time = max(self.time, target)
            if at > now:
                return
            self._due = None
            getattr(self, f"_at_{turn}")(at)

    def _next_boundary(self) -> tuple[datetime, str]:
        day = self.day
        while True:
            hours = self.calendar.hours(day)
            for at, turn in (
                (hours.entry, "entry"),
                (hours.open - SENT_BEFORE, "send"),
                (hours.open, "open"),
                (hours.close, "close"),
            ):
                if at > self.time:
                    return at, turn
            day = self.calendar.next_session(day)

    def _at_entry(self, at: datetime) -> None:
        self._orders = self._odno = 0
        self._forget()
        for code in sorted(self.market.pins):
            self.market.bar(code, self.day)
        for number, account in sorted(self.accounts.items()):
            for due in sorted(d for d in account.truth.pending if d <= self.day):
                self.emit(account, Settled(due), at, lag=False)
                self._journal_cash(number, "settle", at)

    def _at_send(self, at: datetime) -> None:
        """What was reserved for this session becomes orders, in the order it came."""
        for one in self.reserved:
            if one.waiting and one.session == self.day:
                placed = self.place(one.order)
                one.sent = at
                one.odno = placed.odno if isinstance(placed, Placed) else ""
                one.reason = placed.why.value if isinstance(placed, Refused) else ""
                self.journal.write(
                    "us_sent", at, number=one.number, odno=one.odno, reason=one.reason
                )

    def _forget(self) -> None:
        self.books.clear()
        self.ticks.clear()
        self.owners.clear()
        self.closing.clear()

    def _at_open(self, at: datetime) -> None:
        for code in sorted(self.books):
            self._uncross(code, self.market.opening(code, self.day), at)
        for code in sorted(self.books):
            for order in self._resting(code):
                if order.dvsn in AT_OPEN:
                    self._expire(order, self.books[code].cancel(order.odno), at)

    def _at_close(self, at: datetime) -> None:
        for code, odno in self.closing:
            order = self._order(odno)
            if order.remaining > 0:
                self._queue(self._book(code), order)
        self.closing.clear()
        for code in sorted(self.books):
            self._uncross(code, self.market.close(code, self.day), at)
        for code in sorted(self.books):
            for odno, quantity in self.books[code].drain().items():
                self._expire(self._order(odno), quantity, at)

    def _resting(self, code: str) -> list[UsOrder]:
        """Our orders in a book, the oldest first."""
        orders = (self._order(odno) for odno in sorted(self.owners))
        return [o for o in orders if o.code == code and self.books[code].resting(o.odno)]

    def _expire(self, order: UsOrder, quantity: int, at: datetime) -> None:
        self.journal.write("us_expire", at, odno=order.odno, qty=quantity)
        self.emit(self.accounts[order.account], Expired(order.key, quantity), at)

    def _uncross(self, code: str, price: int, at: datetime) -> None:
        volume = int(self.market.bar(code, self.day).volume * AUCTION_SHARE)
        self._fills(code, self.books[code].uncross(price, 1 << 40 if self.tame else volume), at)

    def _trade_until(self, target: datetime) -> None:
        """The continuous market from `self.time` to `target`: fills of resting orders, in order."""
        if not self.books:
            return
        hours = self.calendar.hours(self.day)
        if target <= hours.open or self.time >= hours.close:
            return
        last = hours.tick(target)
        heap = [touch for code in sorted(self.books) if (touch := self._touch(code, last))]
        heapq.heapify(heap)
        while heap:
            tick, code = heapq.heappop(heap)
            self._tick(code, tick, hours.open + timedelta(seconds=tick))
            again = self._touch(code, last)
            if again:
                heapq.heappush(heap, again)

    def _touch(self, code: str, last: int) -> tuple[int, str] | None:
        """The next second at which the market could fill something resting in `code`."""
        book, first = self.books[code], self.ticks.get(code, -1) + 1
        if not book.has_resting or first > last:
            return None
        buy, sell, at_market = book.interest()
        if at_market:
            return first, code
        tick = self.market.next_touch(code, self.day, first, last, buy, sell)
        return None if tick is None else (tick, code)

    def _tick(self, code: str, tick: int, at: datetime) -> None:
        self.ticks[code] = tick
        asks, bids = self.market.ladder(code, self.day, tick)
        price = self.market.price_at(code, self.day, tick)
        volume = self.market.tape(code, self.day).traded(tick)
        self._fills(code, self.books[code].refresh(asks, bids, price, volume), at)

    # --- the book now -------------------------------------------------------------------------

    def book(self, code: str) -> CentBook:
        """The book at the present time, our resting orders included; a night shows its last second."""
        hours = self.calendar.hours(self.day)
        if self.time >= hours.close:
            book = CentBook()
            book.refresh(*self.market.ladder(code, self.day, hours.seconds - 1))
            return book
        book = self._book(code)
        if self.time < hours.open:
            return book
        tick = hours.tick(self.time)
        if self.ticks.get(code) != tick:
            self.ticks[code] = tick
            self._fills(code, book.refresh(*self.market.ladder(code, self.day, tick)), self.time)
        return book

    def _book(self, code: str) -> CentBook:
        if code not in self.books:
            self.books[code] = CentBook()
        return self.books[code]

    def recheck(self, code: str) -> None:
        """The price was moved by hand: let the present second happen again for resting orders."""
        if code in self.books and self.trading:
            self.ticks.pop(code, None)
            self.book(code)

    # --- accounts -----------------------------------------------------------------------------

    def account(self, number: str) -> UsAccount:
        """The account's US side, opened at its first use with what its plan gives it."""
        if number not in self.accounts:
            plan = self.plans.get(number, AccountPlan())
            holdings = {
                code: self._held(code, quantity, cost)
                for code, (quantity, cost) in sorted(plan.overseas.items())
            }
            self.open(number, plan.usd, holdings)
            for code, held in holdings.items():
                self.journal.write(
                    "us_position", self.time, account=number, ticker=code, qty=held.quantity,
                    cost=held.cost, won=held.won, reason="open",
                )  # fmt: skip
            if plan.usd or holdings:
                self._journal_cash(number, "open", self.time)
        return self.accounts[number]

    def open(self, number: str, cash: int, holdings: dict[str, UsHolding]) -> None:
        account = self.accounts[number] = UsAccount(UsLedger(number), UsLedger(number))
        for ledger in (account.truth, account.shown):
            ledger.open_with(cash, holdings)

    def _held(self, code: str, quantity: int, cost: int | None) -> UsHolding:
        if code not in self.market:
            raise ValueError(f"the account file holds {code}, which no US exchange lists here")
        paid = quantity * (cost or self.market.shown(code, self.time).base)
        return UsHolding(quantity, paid, won(paid, self.rate))

    def shown(self, number: str) -> UsLedger:
        """The account as the broker's inquiries show it now."""
        return self.account(number).shown_at(self.time)

    def move_cash(self, number: str, amount: int, reason: str) -> int:
        """Deposit (positive) or withdraw cents, what may leave. Returns the cents moved."""
        account = self.account(number)
        if amount < 0:
            amount = -min(-amount, account.truth.withdrawable())
        if amount:
            self.emit(account, CashMoved(amount), self.time, lag=False)
            self._journal_cash(number, reason, self.time)
        return amount

    # --- orders -------------------------------------------------------------------------------

    def place(self, order: UsNewOrder, req_seq: int | None = None) -> Placed | Refused:
        """Take or refuse a new order."""
        why = self._refusal(order, None)
        if why:
            return Refused(why)
        row = self._row(order, "new", "")
        self._accept(row, req_seq)
        return self._match(row)

    def revise(
        self, original: UsNewOrder, odno: str, price: int, req_seq: int | None = None
    ) -> Placed | Refused:
        """Move `original.quantity` (0: all) of a working order to a new price and a new number."""
        found = self._working(original, odno)
        if isinstance(found, Refused):
            return found
        old, moved = found
        wanted = UsNewOrder(old.account, old.code, old.exchange, old.side, moved, price, old.dvsn)
        why = self._refusal(wanted, old)
        if why:
            return Refused(why)
        holder = self.accounts[old.account]
        moved = self._take_out(old, moved)
        row = self._row(replace(wanted, quantity=moved), "revise", old.odno)
        self._accept(row, req_seq)
        self.journal.write("us_cancel", self.time, odno=old.odno, qty=moved)
        self.emit(holder, Revised(old.key, moved), self.time)
        return self._match(row)

    def cancel(
        self, original: UsNewOrder, odno: str, req_seq: int | None = None
    ) -> Placed | Refused:
        """Take `original.quantity` (0: all) of a working order out, under a new number."""
        found = self._working(original, odno)
        if isinstance(found, Refused):
            return found
        old, removed = found
        removed = self._take_out(old, removed)
        asked = UsNewOrder(
            old.account, old.code, old.exchange, old.side, removed, old.price, old.dvsn
        )
        row = self._row(asked, "cancel", old.odno)
        row.cancelled = removed
        self._accept(row, req_seq)
        self.journal.write("us_cancel", self.time, odno=old.odno, qty=removed)
        self.emit(self.accounts[old.account], Cancelled(old.key, removed), self.time)
        return Placed(row.odno, row.orgno, row.at, 0, row.key)

    def _take_out(self, order: UsOrder, quantity: int) -> int:
        """Of what waits for the close the order itself is the only trace."""
        if (order.code, order.odno) in self.closing:
            return quantity
        return self.book(order.code).cancel(order.odno, quantity)

    def _refusal(self, order: UsNewOrder, instead_of: UsOrder | None) -> Why | None:
        ledger = self.account(order.account).truth
        return order_refusal(order, ledger, self.calendar, self.time, instead_of)

    def _working(self, asked: UsNewOrder, odno: str) -> tuple[UsOrder, int] | Refused:
        closed = clock_refusal(self.calendar, self.time)
        if closed:
            return Refused(closed)
        order = self.account(asked.account).truth.orders.get((self.day, odno))
        if order is None or order.action == "cancel":
            return Refused(Why.NO_ORIGINAL)
        if (order.code, order.exchange) != (asked.code, asked.exchange):
            return Refused(Why.NO_ORIGINAL)
        self.book(order.code)
        quantity = asked.quantity or order.remaining
        if order.remaining <= 0:
            return Refused(Why.NOTHING_LEFT)
        if not 0 < quantity <= order.remaining:
            return Refused(Why.QUANTITY)
        return order, quantity

    def reserve(self, order: UsNewOrder, req_seq: int | None = None) -> Reserved | Refused:
        """Keep an order for the session that opens on Seoul's date."""
        session = session_for(self.calendar, self.time)
        why = session if isinstance(session, Why) else reserve_refusal(order)
        if isinstance(session, Why) or why:
            return Refused(why or Why.NOT_A_SESSION)
        one = Reserved(number_of(len(self.reserved)), self.time, session, order)
        self.reserved.append(one)
        self.journal.write(
            "us_reserved", self.time, number=one.number, account=order.account,
            ticker=order.code, exchange=order.exchange, side=order.side.value,
            qty=order.quantity, price=order.price, dvsn=order.dvsn,
            trade_date=f"{session:%Y%m%d}", req_seq=req_seq,
        )  # fmt: skip
        return one

    def unreserve(self, account: str, received: date, number: str) -> Reserved | Refused:
        """Take back what has not been sent."""
        for one in self.reserved:
            mine = one.order.account == account and one.number == number
            if mine and one.received.date() == received:
                if not one.waiting:
                    return Refused(Why.NOTHING_LEFT)
                one.cancelled = True
                self.journal.write("us_unreserved", self.time, number=number)
                return one
        return Refused(Why.NO_ORIGINAL)

    # --- acceptance and fills -----------------------------------------------------------------

    def _row(self, order: UsNewOrder, action: str, original: str) -> UsOrder:
        return UsOrder(
            account=order.account,
            odno=self._next_odno(),
            orgn_odno=original,
            orgno=self.orgno,
            day=self.day,
            at=self.time,
            code=order.code,
            exchange=order.exchange,
            side=order.side,
            quantity=order.quantity,
            price=order.price,
            dvsn=order.dvsn,
            action=action,
        )

    def _next_odno(self) -> str:
        rng = random.Random(f"{self.seed}:us:odno:{self.day}:{self._orders}")
        self._orders += 1
        self._odno += rng.randint(1, 9) if self._odno else FIRST_ODNO + rng.randint(1, 99_999)
        return f"{self._odno:010d}"

    def _accept(self, row: UsOrder, req_seq: int | None) -> None:
        link = {"orgn_odno": row.orgn_odno} if row.orgn_odno else {}
        self.journal.write(
            "us_accepted", self.time, odno=row.odno, **link, account=row.account, ticker=row.code,
            exchange=row.exchange, side=row.side.value, qty=row.quantity, req_seq=req_seq,
            action=row.action, price=row.price, orgno=row.orgno, trade_date=f"{row.day:%Y%m%d}",
            dvsn=row.dvsn,
        )  # fmt: skip
        self.owners[row.odno] = row.account
        self.emit(self.account(row.account), UsAccepted(row), self.time)

    def _match(self, row: UsOrder) -> Placed:
        if row.dvsn in AT_CLOSE:
            self.closing.append((row.code, row.odno))
            return Placed(row.odno, row.orgno, row.at, 0, row.key)
        book = self.book(row.code)
        if not self.trading:
            self._queue(book, row)
            return Placed(row.odno, row.orgno, row.at, 0, row.key)
        cap, rivals = self.market.reach(row.code, row.day, row.odno, row.quantity)
        outcome = book.submit(
            row.odno, row.side, row.quantity, price=row.price, reach=cap, rivals=rivals
        )
        self._fills(row.code, outcome.executions, self.time)
        filled = sum(f.quantity for f in outcome.executions if f.order_id == row.odno)
        return Placed(row.odno, row.orgno, row.at, filled, row.key)

    def _queue(self, book: CentBook, row: UsOrder) -> None:
        """Let an order wait for a match at one price."""
        order_type = OrderType.LIMIT if row.price else OrderType.MARKET
        book.submit(row.odno, row.side, row.remaining, order_type, row.price or None, auction=True)

    def _fills(self, code: str, fills: Iterable[Execution], at: datetime) -> None:
        for fill in fills:
            order = self._order(fill.order_id)
            # a broker charges an order, not its parts: fills in pieces cost what one fill would
            before = order.amount
            fee = commission(before + fill.price * fill.quantity) - commission(before)
            rate, settles = self.rates.at(at), self.calendar.settlement(order.day)
            self.journal.write(
                "us_fill", at, odno=fill.order_id, qty=fill.quantity, price=fill.price,
                amt=fill.price * fill.quantity, fee=fee, rate=rate,
            )  # fmt: skip
            event = UsFilled(order.key, fill.quantity, fill.price, fee, settles, rate)
            self.emit(self.accounts[order.account], event, at)
            self._journal_cash(order.account, "fill", at)

    def _order(self, odno: str) -> UsOrder:
        return self.accounts[self.owners[odno]].truth.orders[self.day, odno]

    def emit(self, account: UsAccount, event: UsEvent, at: datetime, lag: bool = True) -> None:
        """Truth changes now; the broker's screens follow a little later, in the same order."""
        account.take(event, at, self.seed if lag and not self.tame else None)
        for witness in self.witnesses:
            witness(account, event, at)

    def _journal_cash(self, number: str, reason: str, at: datetime) -> None:
        ledger = self.accounts[number].truth
        self.journal.write(
            "us_cash", at, account=number, cash=ledger.cash, settled=ledger.settled_cash,
            reason=reason,
        )  # fmt: skip

    # --- the second life ----------------------------------------------------------------------

    def continue_at(self, now: datetime) -> None:
        """Be at `now` in a day that an earlier life began: its numbers go on, its orders rest again,
        the oldest first, behind what is there now."""
        self.time, self._due = now, None
        self._forget()
        rows = sorted(
            (
                o
                for a in self.accounts.values()
                for o in a.truth.orders.values()
                if o.day == self.day
            ),
            key=lambda order: order.odno,
        )
        self._orders = len(rows)
        self._odno = max((int(row.odno) for row in rows), default=0)
        self.owners = {row.odno: row.account for row in rows}
        hours = self.calendar.hours(self.day)
        for row in rows:
            if row.remaining <= 0 or now >= hours.close:
                continue
            if row.dvsn in AT_CLOSE:
                self.closing.append((row.code, row.odno))
                continue
            book = self._book(row.code)
            if row.code not in self.ticks and now >= hours.open:
                tick = self.ticks[row.code] = hours.tick(now)
                book.refresh(*self.market.ladder(row.code, self.day, tick))
            self._queue(book, row)

    # --- the referee's view -------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """Everything true in cents; empty when no account ever had dollars or US orders."""
        used = {
            number: account.truth
            for number, account in sorted(self.accounts.items())
            if account.events or account.truth.cash or account.truth.holdings
        }
        if not used and not self.reserved:
            return {}
        return {
            "orders": [
                {
                    "account": number,
                    "trade_date": f"{order.day:%Y%m%d}",
                    "odno": order.odno,
                    **({"orgn_odno": order.orgn_odno} if order.orgn_odno else {}),
                    "ticker": order.code,
                    "exchange": order.exchange,
                    "side": order.side.value,
                    "qty": order.quantity,
                    "filled": order.filled,
                    "amount": order.amount,
                }
                for number, ledger in used.items()
                for order in ledger.orders.values()
            ],
            "positions": {
                number: {c: h.quantity for c, h in ledger.holdings.items() if h.quantity}
                for number, ledger in used.items()
            },
            "cash": {
                number: {"cash": ledger.cash, "settled": ledger.settled_cash}
                for number, ledger in used.items()
            },
            **(
                {"reserved": [self._reserved_dict(one) for one in self.reserved]}
                if self.reserved
                else {}
            ),
        }

    @staticmethod
    def _reserved_dict(one: Reserved) -> dict[str, Any]:
        return {
            "account": one.order.account,
            "number": one.number,
            "trade_date": f"{one.session:%Y%m%d}",
            "ticker": one.order.code,
            "side": one.order.side.value,
            "qty": one.order.quantity,
            "cancelled": one.cancelled,
            "odno": one.odno,
            "reason": one.reason,
        }
