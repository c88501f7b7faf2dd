"""A second life: the journal of the first one folded back into accounts, orders, tokens and books.

Exact in what a broker never forgets: orders, fills, cash, holdings, numbers, tokens, what the screens
still owe. Not kept: armed faults, scripts, snapshots, prices moved by hand, an order's place in the queue.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Protocol

from trading.domain.matching import MatchingBook, OrderType, Side
from trading.simulator.accounts import Account
from trading.simulator.auth import KeyRing
from trading.simulator.journal import US
from trading.simulator.ledger import (
    Accepted,
    AccountLedger,
    Busted,
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
from trading.simulator.order_types import TYPES
from trading.simulator.placing import NewOrder
from trading.simulator.reservations import Reservation
from trading.simulator.truth import Truth
from trading.simulator.us.resume import UsFold

__all__ = ["begun_at", "resume"]

Record = dict[str, Any]
UNFOLDED = ('"kind":"http_', '"kind":"conn_cut"')


class Setting(Protocol):
    """What must not change between two lives."""

    @property
    def seed(self) -> int: ...
    @property
    def profile(self) -> str: ...
    @property
    def tame(self) -> bool: ...


def begun_at(line: str) -> datetime:
    """When the world of a journal began: its first line says."""
    return _when(json.loads(line))


def resume(truth: Truth, keys: KeyRing, lines: Sequence[str], setting: Setting) -> datetime:
    """Bring a fresh world to where `lines` end; returns that moment.

    Raises ValueError when the journal is another world's or contradicts itself.
    """
    _require_same(json.loads(lines[0]), setting)
    last = begun_at(lines[-1])
    # the first life told its notices, and what a lost one journals would end the journal in the past
    witnesses = truth.witnesses, truth.us.witnesses
    truth.witnesses, truth.us.witnesses = [], []
    try:
        _Fold(truth, keys, UsFold(truth.us)).run(_folded(lines))
    except KeyError as error:
        raise ValueError(f"the journal does not tell {error}: another version wrote it") from error
    finally:
        truth.witnesses, truth.us.witnesses = witnesses
    _set_day(truth, last)
    _refill_books(truth)
    truth.us.continue_at(last)
    return last


def _when(record: Record) -> datetime:
    return datetime.fromisoformat(record["vt"])


def _require_same(first: Record, setting: Setting) -> None:
    for name in ("seed", "profile", "tame"):
        if name in first and first[name] != getattr(setting, name):
            raise ValueError(
                f"the journal's {name} is {first[name]!r}, not {getattr(setting, name)!r}"
            )


def _folded(lines: Iterable[str]) -> Iterable[Record]:
    """Requests and replies moved nothing by themselves; most lines are theirs."""
    return (json.loads(line) for line in lines if not any(kind in line[:90] for kind in UNFOLDED))


@dataclass
class _Fold:
    """Applies records in their order, as truth applied the events that they tell of."""

    truth: Truth
    keys: KeyRing
    us: UsFold
    opening: dict[str, dict[str, Holding]] = field(default_factory=dict)
    revised: str = ""
    """The order that the next `cancel` moves to a new number."""

    def run(self, records: Iterable[Record]) -> None:
        for record in records:
            handler = getattr(self, f"_{record['kind']}", None)
            if handler is not None:
                handler(record, _when(record))
            elif record["kind"].startswith(US):
                self.us.take(record, _when(record))

    def _token_issue(self, record: Record, at: datetime) -> None:
        self.keys.restore(record["appkey"], record["token"], at)

    def _position(self, record: Record, at: datetime) -> None:
        held = self.opening.setdefault(record["account"], {})
        held[record["ticker"]] = Holding(record["qty"], record["cost"])

    def _cash(self, record: Record, at: datetime) -> None:
        number, reason = record["account"], record["reason"]
        if reason == "open":
            self._open(number, record["cash"])
        account = self.truth.accounts[number]
        ledger = account.truth
        if reason == "settle":
            due = min(day for day in ledger.pending if day <= at.date())
            self._emit(account, Settled(due), at, lag=False)
        elif reason not in ("open", "fill", "bust"):
            self._emit(account, CashMoved(record["cash"] - ledger.cash), at, lag=False)
        if (ledger.cash, ledger.d2_cash) != (record["cash"], record["d2_cash"]):
            raise ValueError(f"the journal contradicts itself at line {record['seq']}")

    def _open(self, number: str, cash: int) -> None:
        account = Account(AccountLedger(number), AccountLedger(number))
        for ledger in (account.truth, account.shown):
            ledger.open_with(cash, self.opening.get(number, {}))
        self.truth.accounts[number] = account

    def _accepted(self, record: Record, at: datetime) -> None:
        row = self._row(record, at)
        if row.action == "revise":
            self.revised = row.orgn_odno
        if row.action == "cancel":
            row.cancelled = row.quantity
        self.truth.owners[row.odno] = row.account
        self._emit(self.truth.accounts[row.account], Accepted(row), at)

    def _row(self, record: Record, at: datetime) -> OrderRow:
        kind = TYPES[record["dvsn"]]
        return OrderRow(
            account=record["account"],
            odno=record["odno"],
            orgn_odno=record.get("orgn_odno", ""),
            orgno=record["orgno"],
            day=at.date(),
            at=at,
            code=record["ticker"],
            kind=self.truth.market.listing(record["ticker"]).kind,
            side=Side(record["side"]),
            quantity=record["qty"],
            price=record["price"],
            order_type=kind.order_type,
            tif=kind.tif,
            dvsn=record["dvsn"],
            venue=record["venue"],
            reserve_price=record["reserve"],
            action=record["action"],
            board=record.get("board", ""),
            found_price=record.get("works_at", 0),
        )

    def _fill(self, record: Record, at: datetime) -> None:
        settles = self.truth.calendar.settlement_date(at.date())
        fill = Filled(
            (at.date(), record["odno"]),
            record["qty"],
            record["price"],
            record["fee"],
            record["tax"],
            settles,
        )
        self._of_order(record, fill, at)

    def _bust(self, record: Record, at: datetime) -> None:
        settles = self.truth.calendar.settlement_date(at.date())
        key = (at.date(), record["odno"])
        taken = Busted(key, record["qty"], record["amt"], record["fee"], record["tax"], settles)
        self._of_order(record, taken, at)

    def _cancel(self, record: Record, at: datetime) -> None:
        key = (at.date(), record["odno"])
        moved = record["odno"] == self.revised
        self.revised = ""
        event = Revised(key, record["qty"]) if moved else Cancelled(key, record["qty"])
        self._of_order(record, event, at)

    def _expire(self, record: Record, at: datetime) -> None:
        self._of_order(record, Expired((at.date(), record["odno"]), record["qty"]), at)

    def _resv(self, record: Record, at: datetime) -> None:
        kind = TYPES[record["dvsn"]]
        order = NewOrder(
            record["account"], record["ticker"], Side(record["side"]), record["qty"], kind.order_type,
            record["price"], kind.tif, record["dvsn"],
        )  # fmt: skip
        first, until = (
            datetime.strptime(record[name], "%Y%m%d").date() for name in ("trade_date", "until")
        )
        one = Reservation(record["number"], at, first, until, order)
        self.truth.reservations.rows.append(one)

    def _reservation(self, record: Record) -> Reservation:
        rows = self.truth.reservations.rows
        return next(one for one in rows if one.seq == record["number"])

    def _resv_cancel(self, record: Record, at: datetime) -> None:
        self._reservation(record).cancelled = at

    def _resv_revise(self, record: Record, at: datetime) -> None:
        one = self._reservation(record)
        kind = TYPES[record["dvsn"]]
        one.order = replace(
            one.order, quantity=record["qty"], price=record["price"], order_type=kind.order_type,
            tif=kind.tif, dvsn=record["dvsn"],
        )  # fmt: skip
        one.until = datetime.strptime(record["until"], "%Y%m%d").date()

    def _resv_sent(self, record: Record, at: datetime) -> None:
        one = self._reservation(record)
        one.sent_at, one.reason = at, record["reason"]
        if record["odno"]:
            one.sent.append((at.date(), record["odno"]))

    def _of_order(self, record: Record, event: Event, at: datetime) -> None:
        self._emit(self.truth.accounts[self.truth.owners[record["odno"]]], event, at)

    def _emit(self, account: Account, event: Event, at: datetime, lag: bool = True) -> None:
        self.truth.emit(account, event, at, lag)


def _set_day(truth: Truth, last: datetime) -> None:
    day = last.date()
    begun = any(row.day == day for a in truth.accounts.values() for row in a.truth.orders.values())
    early = truth.calendar.is_session(day) and last < truth.calendar.session_hours(day).preopen
    if not truth.calendar.is_session(day) or (early and not begun):
        day = truth.calendar.previous_session(day)
    truth.continue_day(day, last)


def _refill_books(truth: Truth) -> None:
    """Today's working orders rest again, oldest first, behind what is there now."""
    day = truth.time.date()
    if not truth.calendar.is_session(day):
        return
    working = [
        row
        for account in truth.accounts.values()
        for row in account.truth.working.values()
        if row.day == day and row.remaining > 0
    ]
    for row in sorted(working, key=lambda row: row.odno):
        if row.board:
            truth.floor.refill(row, truth.time)
            continue
        book = truth.books.get(row.code) or _book(truth, row.code, day)
        truth.books[row.code] = book
        kind = OrderType.LIMIT if row.found_price else row.order_type
        price = row.price or row.found_price or None
        queues = truth.in_auction(row.code)
        book.submit(row.odno, row.side, row.remaining, kind, price, reach=0, auction=queues)


def _book(truth: Truth, code: str, day: date) -> MatchingBook:
    """The book of this second as others fill it; what traded in it before is past."""
    market = truth.market
    lower, upper = market.limits(code, day)
    book = MatchingBook(market.listing(code).kind, lower, upper)
    hours = truth.calendar.session_hours(day)
    if truth.time >= hours.open:
        running = market.interruption_at(code, truth.time)
        tick = running.start if running else market.tick_at(hours, truth.time)
        truth.ticks[code] = tick
        book.refresh(*market.ladder(code, day, tick))
    return book
