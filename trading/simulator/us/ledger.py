"""One account's US side as a fold of what happened: dollars, settlements to come, holdings, orders.

Money is whole cents. The simulator keeps two of these for every account: truth applies an event when it
happens, the screens' copy when the broker would show it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from trading.domain.matching import Side
from trading.simulator.ledger import Cancelled, CashMoved, Expired, Revised, Settled
from trading.simulator.us.money import reservation, won

__all__ = [
    "UsAccepted",
    "UsEvent",
    "UsFilled",
    "UsHolding",
    "UsLedger",
    "UsOrder",
    "UsTrade",
]


@dataclass(slots=True)
class UsOrder:
    """One order. quantity = filled + cancelled + revised + expired + remaining."""

    account: str
    odno: str
    orgn_odno: str
    orgno: str
    day: date
    """The session it is for, in New York."""
    at: datetime
    code: str
    exchange: str
    side: Side
    quantity: int
    price: int
    """The limit in cents, 0 without one."""
    dvsn: str
    action: str = "new"
    filled: int = 0
    amount: int = 0
    costs: int = 0
    cancelled: int = 0
    revised: int = 0
    expired: int = 0

    @property
    def remaining(self) -> int:
        if self.action == "cancel":
            return 0
        return self.quantity - self.filled - self.cancelled - self.revised - self.expired

    @property
    def key(self) -> tuple[date, str]:
        return self.day, self.odno


@dataclass(frozen=True, slots=True)
class UsAccepted:
    order: UsOrder


@dataclass(frozen=True, slots=True)
class UsFilled:
    """One fill; `rate` is hundredths of a won a dollar at that moment."""

    key: tuple[date, str]
    quantity: int
    price: int
    fee: int
    settles: date
    rate: int

    @property
    def amount(self) -> int:
        return self.quantity * self.price


UsEvent = UsAccepted | UsFilled | Revised | Cancelled | Expired | Settled | CashMoved


@dataclass(frozen=True, slots=True)
class UsTrade:
    """What one fill did; `basis` is what the shares of a sale had cost."""

    day: date
    settles: date
    odno: str
    code: str
    exchange: str
    side: Side
    quantity: int
    price: int
    fee: int
    rate: int
    basis: int = 0

    @property
    def amount(self) -> int:
        return self.quantity * self.price

    @property
    def flow(self) -> int:
        """Cents that come (positive) or go when it settles."""
        return self.amount - self.fee if self.side is Side.SELL else -self.amount - self.fee

    @property
    def realised(self) -> int:
        """Cents made or lost by a sale after its fee; 0 for a buy."""
        return self.amount - self.fee - self.basis if self.side is Side.SELL else 0


@dataclass(slots=True)
class UsHolding:
    """Shares held, what they cost in cents and what that was in won when they were bought."""

    quantity: int = 0
    cost: int = 0
    won: int = 0

    def change(self, trade: UsTrade) -> None:
        """Shares come at what they cost or go at their average cost."""
        if trade.side is Side.BUY:
            self.quantity += trade.quantity
            self.cost += trade.amount
            self.won += won(trade.amount, trade.rate)
        else:
            self.won -= self.won * trade.quantity // max(1, self.quantity)
            self.cost -= trade.basis
            self.quantity -= trade.quantity


@dataclass
class UsLedger:
    """Apply events in order; every number of every screen is derived from them."""

    account: str
    cash: int = 0
    pending: dict[date, int] = field(default_factory=dict)
    holdings: dict[str, UsHolding] = field(default_factory=dict)
    delivered: dict[str, UsHolding] = field(default_factory=dict)
    """Holdings of which everything has settled."""
    orders: dict[tuple[date, str], UsOrder] = field(default_factory=dict)
    working: dict[tuple[date, str], UsOrder] = field(default_factory=dict)
    trades: list[UsTrade] = field(default_factory=list)

    def apply(self, event: UsEvent) -> None:
        match event:
            case UsAccepted(order):
                own = replace(order)
                self.orders[own.key] = own
                if own.action != "cancel":
                    self.working[own.key] = own
            case UsFilled():
                self._fill(event)
            case Revised(key, quantity):
                self.orders[key].revised += quantity
            case Cancelled(key, quantity):
                self.orders[key].cancelled += quantity
            case Expired(key, quantity):
                self.orders[key].expired += quantity
            case Settled(day):
                self.cash += self.pending.pop(day, 0)
                self.delivered = self.delivered_by(day, {day})
            case CashMoved(amount):
                self.cash += amount
        if not isinstance(event, UsFilled | Revised | Cancelled | Expired):
            return
        if self.orders[event.key].remaining <= 0:
            self.working.pop(event.key, None)

    def open_with(self, cash: int, holdings: dict[str, UsHolding]) -> None:
        """The state an account starts from."""
        self.cash = cash
        self.holdings = {code: replace(holding) for code, holding in holdings.items()}
        self.delivered = {code: replace(holding) for code, holding in holdings.items()}

    def delivered_by(self, day: date, due: Iterable[date] | None = None) -> dict[str, UsHolding]:
        """Holdings once everything that settles up to `day` has settled; `due` are the days that
        have not yet, by default all that are pending."""
        waiting = self.pending.keys() if due is None else due
        found = {code: replace(holding) for code, holding in self.delivered.items()}
        for trade in self.trades:
            if trade.settles <= day and trade.settles in waiting:
                found.setdefault(trade.code, UsHolding()).change(trade)
        return found

    def cash_by(self, day: date) -> int:
        """Cents once everything that settles up to `day` has settled."""
        return self.cash + sum(flow for due, flow in self.pending.items() if due <= day)

    @property
    def settled_cash(self) -> int:
        """Cents once everything has settled."""
        return self.cash + sum(self.pending.values())

    def unsettled(self, side: Side) -> int:
        """Cents of trading that have not changed hands yet: paid with fees, received after them."""
        flows = (t.flow for t in self.trades if t.side is side and t.settles in self.pending)
        return abs(sum(flows))

    def reserved(self) -> int:
        """Cents held back for working buys, commission included."""
        return sum(
            reservation(order.remaining, order.price, order.amount)
            for order in self.working.values()
            if order.side is Side.BUY
        )

    def available(self) -> int:
        """Cents a new buy may use, commission included: proceeds of sales at once."""
        return self.settled_cash - self.reserved()

    def locked(self, code: str) -> int:
        """Shares already offered by working sells."""
        return sum(
            order.remaining
            for order in self.working.values()
            if order.side is Side.SELL and order.code == code
        )

    def held(self, code: str) -> int:
        return self.holdings[code].quantity if code in self.holdings else 0

    def sellable(self, code: str) -> int:
        return self.held(code) - self.locked(code)

    def withdrawable(self) -> int:
        """The most that can leave without any later settlement turning cash negative."""
        running = lowest = self.cash
        for day in sorted(self.pending):
            running += self.pending[day]
            lowest = min(lowest, running)
        return max(0, min(lowest, self.available()))

    def _fill(self, fill: UsFilled) -> None:
        order = self.orders[fill.key]
        order.filled += fill.quantity
        order.amount += fill.amount
        order.costs += fill.fee
        holding = self.holdings.setdefault(order.code, UsHolding())
        basis = 0
        if order.side is Side.SELL:
            basis = holding.cost * fill.quantity // max(1, holding.quantity)
        trade = UsTrade(
            order.day, fill.settles, order.odno, order.code, order.exchange, order.side,
            fill.quantity, fill.price, fill.fee, fill.rate, basis,
        )  # fmt: skip
        holding.change(trade)
        self.trades.append(trade)
        self.pending[fill.settles] = self.pending.get(fill.settles, 0) + trade.flow
