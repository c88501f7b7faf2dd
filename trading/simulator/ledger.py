"""One account as a fold of what happened: cash, D+2 cash, positions, orders.

The simulator keeps two of these for every account. Truth applies an event when it happens; the
wire's copy applies the same event when the broker's screens would show it. Money is whole won.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime

from trading.domain.costs import commission
from trading.domain.instruments import InstrumentKind
from trading.domain.matching import OrderType, Side, TimeInForce

__all__ = [
    "Accepted",
    "AccountLedger",
    "Busted",
    "Cancelled",
    "CashMoved",
    "Event",
    "Expired",
    "Filled",
    "Holding",
    "OrderRow",
    "Revised",
    "Settled",
    "reservation",
]


@dataclass(slots=True)
class OrderRow:
    """One order as a broker's screen lists it. quantity = filled + cancelled +
    revised + expired + remaining."""

    account: str
    odno: str
    orgn_odno: str
    orgno: str
    day: date
    at: datetime
    code: str
    kind: InstrumentKind
    side: Side
    quantity: int
    price: int
    """The limit as ordered, 0 for a price-less type."""
    order_type: OrderType
    tif: TimeInForce
    dvsn: str
    venue: str
    reserve_price: int
    action: str = "new"
    filled: int = 0
    amount: int = 0
    costs: int = 0
    cancelled: int = 0
    revised: int = 0
    expired: int = 0
    hidden_until: datetime | None = None
    board: str = ""
    """The book outside the regular session that it works in, empty for that session's."""
    found_price: int = 0
    """The limit that a day order at the best or the top price found as it came; 0 of every other."""

    @property
    def remaining(self) -> int:
        if self.action == "cancel":
            return 0
        return self.quantity - self.filled - self.cancelled - self.revised - self.expired

    @property
    def key(self) -> tuple[date, str]:
        return self.day, self.odno


@dataclass(slots=True)
class Holding:
    """Shares held and what they cost in total; rows sold out today stay at zero."""

    quantity: int = 0
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Accepted:
    order: OrderRow


@dataclass(frozen=True, slots=True)
class Revised:
    """`quantity` left the original order for the new one (`orgn_odno` links them)."""

    key: tuple[date, str]
    quantity: int


@dataclass(frozen=True, slots=True)
class Filled:
    key: tuple[date, str]
    quantity: int
    price: int
    fee: int
    tax: int
    settles: date

    @property
    def amount(self) -> int:
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Cancelled:
    key: tuple[date, str]
    quantity: int


@dataclass(frozen=True, slots=True)
class Expired:
    key: tuple[date, str]
    quantity: int


@dataclass(frozen=True, slots=True)
class Busted:
    """Shares of a fill taken back, with their won and costs; the order does not work again."""

    key: tuple[date, str]
    quantity: int
    amount: int
    fee: int
    tax: int
    settles: date


@dataclass(frozen=True, slots=True)
class Settled:
    day: date


@dataclass(frozen=True, slots=True)
class CashMoved:
    """Money that came or went from outside; settled at once."""

    amount: int


Event = Accepted | Revised | Filled | Busted | Cancelled | Expired | Settled | CashMoved


def reservation(quantity: int, price: int, kind: InstrumentKind) -> int:
    """Won set aside for a buy of `quantity` at `price`, commission included."""
    amount = quantity * price
    return amount + commission(amount, kind)


@dataclass(frozen=True, slots=True)
class DayTrade:
    """What one fill did, kept for the day columns of the balance."""

    day: date
    code: str
    side: Side
    quantity: int
    amount: int
    fee: int
    tax: int
    basis: int = 0
    """What the shares sold had cost; 0 for a buy."""

    @property
    def costs(self) -> int:
        return self.fee + self.tax

    @property
    def realised(self) -> int:
        """Won made or lost by a sale after its costs; 0 for a buy."""
        return self.amount - self.costs - self.basis if self.side is Side.SELL else 0


@dataclass
class AccountLedger:
    """Apply events in order; every number below is derived from them."""

    account: str
    cash: int = 0
    d2_cash: int = 0
    pending: dict[date, int] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    orders: dict[tuple[date, str], OrderRow] = field(default_factory=dict)
    working: dict[tuple[date, str], OrderRow] = field(default_factory=dict)
    trades: list[DayTrade] = field(default_factory=list)
    _set_aside: int = 0
    _locked: dict[str, int] = field(default_factory=dict)
    _holds: dict[tuple[date, str], int] = field(default_factory=dict)
    """What each working order holds back: won of a buy, shares of a sell."""

    def apply(self, event: Event) -> None:
        match event:
            case Accepted(order):
                self._accept(order)
            case Filled():
                self._fill(event)
            case Busted():
                self._bust(event)
            case Revised(key, quantity):
                self._order(key).revised += quantity
                self._settle_order(key)
            case Cancelled(key, quantity):
                self._order(key).cancelled += quantity
                self._settle_order(key)
            case Expired(key, quantity):
                self._order(key).expired += quantity
                self._settle_order(key)
            case Settled(day):
                self.cash += self.pending.pop(day, 0)
            case CashMoved(amount):
                self.cash += amount
                self.d2_cash += amount

    def open_with(self, cash: int, holdings: dict[str, Holding]) -> None:
        """The state an account starts from."""
        self.cash = self.d2_cash = cash
        self.holdings = {c: Holding(h.quantity, h.cost) for c, h in holdings.items()}

    def cash_by(self, day: date) -> int:
        """Won once everything that settles up to `day` has settled."""
        return self.cash + sum(flow for due, flow in self.pending.items() if due <= day)

    def reserved(self) -> int:
        """Won held back for working buys, commission included."""
        return self._set_aside

    def available(self) -> int:
        """Won a new buy may use, commission included."""
        return self.d2_cash - self.reserved()

    def locked(self, code: str) -> int:
        """Shares already offered by working sells."""
        return self._locked.get(code, 0)

    def held(self, code: str) -> int:
        return self.holdings[code].quantity if code in self.holdings else 0

    def sellable(self, code: str) -> int:
        return self.held(code) - self.locked(code)

    def withdrawable(self, today: date) -> int:
        """The most that can leave without any later settlement turning cash negative."""
        running = lowest = self.cash
        for day in sorted(self.pending):
            running += self.pending[day]
            lowest = min(lowest, running)
        return max(0, min(lowest, self.available()))

    # --- inside -------------------------------------------------------------------------------

    def _order(self, key: tuple[date, str]) -> OrderRow:
        return self.orders[key]

    def _accept(self, order: OrderRow) -> None:
        own = replace(order)
        self.orders[own.key] = own
        if own.action != "cancel":
            self.working[own.key] = own
            self._hold(own)

    def _settle_order(self, key: tuple[date, str]) -> None:
        order = self._order(key)
        if order.remaining <= 0:
            self.working.pop(key, None)
        self._hold(order)

    def _hold(self, order: OrderRow) -> None:
        """Bring what an order holds back to what is left of it."""
        left = order.remaining if order.key in self.working else 0
        if order.side is Side.BUY:
            held = reservation(left, order.reserve_price, order.kind) if left else 0
            self._set_aside += held - self._holds.get(order.key, 0)
        else:
            held = left
            locked = self._locked.get(order.code, 0) + held - self._holds.get(order.key, 0)
            self._locked[order.code] = locked
        if held:
            self._holds[order.key] = held
        else:
            self._holds.pop(order.key, None)

    def _fill(self, fill: Filled) -> None:
        order = self._order(fill.key)
        order.filled += fill.quantity
        order.amount += fill.amount
        order.costs += fill.fee + fill.tax
        holding = self.holdings.setdefault(order.code, Holding())
        basis = 0
        if order.side is Side.BUY:
            flow = -(fill.amount + fill.fee)
            holding.quantity += fill.quantity
            holding.cost += fill.amount
        else:
            flow = fill.amount - fill.fee - fill.tax
            basis = holding.cost * fill.quantity // max(1, holding.quantity)
            holding.cost -= basis
            holding.quantity -= fill.quantity
        self.d2_cash += flow
        self.pending[fill.settles] = self.pending.get(fill.settles, 0) + flow
        self.trades.append(
            DayTrade(
                order.day,
                order.code,
                order.side,
                fill.quantity,
                fill.amount,
                fill.fee,
                fill.tax,
                basis,
            )
        )
        self._settle_order(fill.key)

    def _bust(self, bust: Busted) -> None:
        """The day's trades of the balance keep what they showed: they tell what was traded."""
        order = self._order(bust.key)
        order.filled -= bust.quantity
        order.amount -= bust.amount
        order.costs -= bust.fee + bust.tax
        order.expired += bust.quantity
        holding = self.holdings.setdefault(order.code, Holding())
        way = 1 if order.side is Side.BUY else -1
        holding.quantity -= way * bust.quantity
        holding.cost = max(0, holding.cost - way * bust.amount)
        flow = way * bust.amount + bust.fee + bust.tax
        self.d2_cash += flow
        self.pending[bust.settles] = self.pending.get(bust.settles, 0) + flow
        self._settle_order(bust.key)
