"""The US lines of a journal folded back into accounts and orders; the books are filled after them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from trading.domain.matching import Side
from trading.simulator.ledger import Cancelled, CashMoved, Expired, Revised, Settled
from trading.simulator.us.entry import UsNewOrder
from trading.simulator.us.ledger import UsAccepted, UsEvent, UsFilled, UsHolding, UsOrder
from trading.simulator.us.reserved import Reserved
from trading.simulator.us.truth import UsTruth

__all__ = ["UsFold"]

Record = dict[str, Any]


@dataclass
class UsFold:
    """Applies records in their order, as truth applied the events that they tell of."""

    us: UsTruth
    opening: dict[str, dict[str, UsHolding]] = field(default_factory=dict)
    revised: str = ""
    """The order that the next `us_cancel` moves to a new number."""

    def take(self, record: Record, at: datetime) -> None:
        """One line. Raises ValueError when the journal contradicts itself."""
        handler = getattr(self, f"_{record['kind']}", None)
        if handler is not None:
            handler(record, at)

    def _us_position(self, record: Record, at: datetime) -> None:
        held = self.opening.setdefault(record["account"], {})
        held[record["ticker"]] = UsHolding(record["qty"], record["cost"], record["won"])

    def _us_cash(self, record: Record, at: datetime) -> None:
        number, reason = record["account"], record["reason"]
        if reason == "open":
            self.us.open(number, record["cash"], self.opening.get(number, {}))
        account = self.us.account(number)
        ledger = account.truth
        if reason == "settle":
            due = min(day for day in ledger.pending if day <= self._day(at))
            self.us.emit(account, Settled(due), at, lag=False)
        elif reason not in ("open", "fill"):
            self.us.emit(account, CashMoved(record["cash"] - ledger.cash), at, lag=False)
        if (ledger.cash, ledger.settled_cash) != (record["cash"], record["settled"]):
            raise ValueError(f"the journal contradicts itself at line {record['seq']}")

    def _us_accepted(self, record: Record, at: datetime) -> None:
        row = self._row(record, at)
        if row.action == "revise":
            self.revised = row.orgn_odno
        if row.action == "cancel":
            row.cancelled = row.quantity
        self.us.owners[row.odno] = row.account
        self.us.emit(self.us.account(row.account), UsAccepted(row), at)

    def _row(self, record: Record, at: datetime) -> UsOrder:
        return UsOrder(
            account=record["account"],
            odno=record["odno"],
            orgn_odno=record.get("orgn_odno", ""),
            orgno=record["orgno"],
            day=self._day(at),
            at=at,
            code=record["ticker"],
            exchange=record["exchange"],
            side=Side(record["side"]),
            quantity=record["qty"],
            price=record["price"],
            dvsn=record["dvsn"],
            action=record["action"],
        )

    def _us_fill(self, record: Record, at: datetime) -> None:
        day = self._day(at)
        settles = self.us.calendar.settlement(day)
        self._of_order(
            record,
            UsFilled(
                (day, record["odno"]), record["qty"], record["price"], record["fee"], settles,
                record["rate"],
            ),
            at,
        )  # fmt: skip

    def _us_cancel(self, record: Record, at: datetime) -> None:
        key = (self._day(at), record["odno"])
        moved = record["odno"] == self.revised
        self.revised = ""
        event = Revised(key, record["qty"]) if moved else Cancelled(key, record["qty"])
        self._of_order(record, event, at)

    def _us_expire(self, record: Record, at: datetime) -> None:
        self._of_order(record, Expired((self._day(at), record["odno"]), record["qty"]), at)

    def _us_reserved(self, record: Record, at: datetime) -> None:
        order = UsNewOrder(
            record["account"], record["ticker"], record["exchange"], Side(record["side"]),
            record["qty"], record["price"], record["dvsn"],
        )  # fmt: skip
        session = datetime.strptime(record["trade_date"], "%Y%m%d").date()
        self.us.reserved.append(Reserved(record["number"], at, session, order))

    def _us_unreserved(self, record: Record, at: datetime) -> None:
        self._reservation(record).cancelled = True

    def _us_sent(self, record: Record, at: datetime) -> None:
        one = self._reservation(record)
        one.sent, one.odno, one.reason = at, record["odno"], record["reason"]

    def _reservation(self, record: Record) -> Reserved:
        return next(one for one in self.us.reserved if one.number == record["number"])

    def _of_order(self, record: Record, event: UsEvent, at: datetime) -> None:
        self.us.emit(self.us.account(self.us.owners[record["odno"]]), event, at)

    def _day(self, at: datetime) -> date:
        return self.us.calendar.begun(at)
