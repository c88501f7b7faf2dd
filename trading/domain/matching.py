"""The exchange as a pure engine: price-time priority over anonymous liquidity and our own orders.

A `MatchingBook` holds one instrument. `refresh` replaces the anonymous book and prints a trade,
`submit` and `cancel` act for us, `uncross` runs a call auction. Nothing here reads a clock, draws a
random number or talks to anyone: the same calls give the same fills.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import is_on_tick
from trading.domain.quotes import BookLevel

__all__ = ["Execution", "MatchingBook", "OrderType", "Outcome", "Refusal", "Side", "TimeInForce"]


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """How the price is found. BEST is the other side's best, TOP our own side's best."""

    LIMIT = "limit"
    MARKET = "market"
    BEST = "best"
    TOP = "top"
    CONDITIONAL = "conditional"
    """A limit order that becomes a market order at the closing auction."""


class TimeInForce(StrEnum):
    DAY = "day"
    IOC = "ioc"
    FOK = "fok"


class Refusal(StrEnum):
    """Why the exchange does not take an order."""

    QUANTITY = "quantity"
    OFF_TICK = "off_tick"
    OUTSIDE_LIMITS = "outside_limits"
    HALTED = "halted"
    NO_PRICE = "no_price"


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill of one of our orders: whole shares at a price in won."""

    order_id: str
    side: Side
    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a submitted order. `price` is its working limit, None while at market.

    quantity asked = filled + `resting` + `cancelled`; a refusal leaves all three at zero.
    """

    executions: tuple[Execution, ...] = ()
    resting: int = 0
    cancelled: int = 0
    price: int | None = None
    refusal: Refusal | None = None


@dataclass(slots=True)
class _Resting:
    order_id: str
    side: Side
    price: int | None
    quantity: int
    ahead: int
    conditional: bool = False
    rivals: int = 0
    queued: bool = False
    """It came in an auction and has not been matched since: it may cross what stands."""


def _never_worse(side: Side, price: int, limit: int | None) -> bool:
    if limit is None:
        return True
    return price <= limit if side is Side.BUY else price >= limit


def _summed(
    side: Side, theirs: Mapping[int, int], ours: Iterable[_Resting], depth: int | None = None
) -> tuple[BookLevel, ...]:
    """Shares by price, best first: anonymous ones and those of our orders of that side."""
    total = dict(theirs)
    for order in ours:
        if order.side is side and order.price is not None:
            total[order.price] = total.get(order.price, 0) + order.quantity
    prices = sorted((p for p, q in total.items() if q > 0), reverse=side is Side.BUY)
    return tuple(BookLevel(price, total[price]) for price in prices[:depth])


@dataclass
class MatchingBook:
    """One instrument's book. Prices: whole won on the grid of `kind`, in [`lower`, `upper`]."""

    kind: InstrumentKind
    lower: int
    upper: int
    halted: bool = False
    _asks: dict[int, int] = field(default_factory=dict)
    _bids: dict[int, int] = field(default_factory=dict)
    _resting: list[_Resting] = field(default_factory=list)
    _interest: tuple[int | None, int | None, bool] | None = None
    """What `interest` found; None once the resting orders have changed."""

    # --- what can be seen ---------------------------------------------------------------------

    def levels(self, side: Side, depth: int = 10) -> tuple[BookLevel, ...]:
        """The visible levels of one side, best first, our own resting orders included.

        Outside an auction the two sides never cross: what an order of ours would have met but for
        quicker ones is theirs and not shown, and of two of ours that cross only the older is.
        """
        if not self._resting:
            return _summed(side, self._side(side), (), depth)
        ours, reach = self._shown()
        theirs = self._side(side)
        met = reach[side.opposite]
        if met is not None:
            theirs = {p: q for p, q in theirs.items() if not _never_worse(side.opposite, p, met)}
        return _summed(side, theirs, ours, depth)

    def _shown(self) -> tuple[list[_Resting], dict[Side, int | None]]:
        """(our orders that are shown, the best price among those of each side that have been matched)."""
        shown: list[_Resting] = []
        best: dict[Side, int | None] = dict.fromkeys(Side)
        for order in self._resting:
            if order.price is None:
                continue
            if not order.queued:
                across, own = best[order.side.opposite], best[order.side]
                if across is not None and _never_worse(order.side, across, order.price):
                    continue
                if own is None or _never_worse(order.side, own, order.price):
                    best[order.side] = order.price
            shown.append(order)
        return shown, best

    def _standing(self, side: Side) -> tuple[BookLevel, ...]:
        """Every level of one side that an order of ours can meet, shown or not, best first."""
        return _summed(side, self._side(side), self._resting)

    def best(self, side: Side) -> int | None:
        levels = self.levels(side, depth=1)
        return levels[0].price if levels else None

    def resting(self, order_id: str) -> int:
        """Quantity of an order still working, 0 when it is not here."""
        return sum(order.quantity for order in self._resting if order.order_id == order_id)

    @property
    def has_resting(self) -> bool:
        return bool(self._resting)

    def interest(self) -> tuple[int | None, int | None, bool]:
        """(highest resting buy, lowest resting sell, an order rests at market): what can match."""
        if self._interest is None:
            buys = [o.price for o in self._resting if o.side is Side.BUY and o.price is not None]
            sells = [o.price for o in self._resting if o.side is Side.SELL and o.price is not None]
            at_market = any(order.price is None for order in self._resting)
            self._interest = max(buys, default=None), min(sells, default=None), at_market
        return self._interest

    # --- the rest of the market ---------------------------------------------------------------

    def refresh(
        self,
        asks: Iterable[BookLevel],
        bids: Iterable[BookLevel],
        last: int | None = None,
        volume: int = 0,
    ) -> tuple[Execution, ...]:
        """Replace the anonymous book after others traded `volume` at `last`; returns our fills.

        Orders of ours at `last`, or better than it, are filled from that volume once the queue ahead
        of them has been eaten: nobody trades past a better price. Orders that the new book crosses are
        filled at their own price, up to the quantity that crosses. Among ours the better price comes
        first, then the older order. A halted book shows the levels but fills nothing.
        """
        self._asks = {level.price: level.quantity for level in asks if level.quantity > 0}
        self._bids = {level.price: level.quantity for level in bids if level.quantity > 0}
        if self.halted:
            return ()
        fills = list(self._printed(last, volume)) if last is not None else []
        for order in self._by_priority():
            fills.extend(self._cross(order))
        for order in self._resting:
            order.queued = False
            if order.price is not None:
                order.ahead = min(order.ahead, self._side(order.side).get(order.price, order.ahead))
        self._sweep_done()
        return tuple(fills)

    def _printed(self, last: int, volume: int) -> Iterable[Execution]:
        """Others traded `volume` at `last`: the queue moves up, quicker ones are served, then ours is hit."""
        for side in Side:
            flow, level, queued = volume, last, 0
            for order in self._by_priority():
                if order.side is not side or order.price is None or not order.quantity:
                    continue
                if not _never_worse(side, last, order.price):
                    continue
                if order.price != level:  # what the queue of a better price took is gone
                    flow, level, queued = max(0, flow - queued), order.price, 0
                queued = max(queued, min(order.ahead, flow))
                order.ahead, rest = max(0, order.ahead - flow), max(0, flow - order.ahead)
                theirs = min(order.rivals, rest)
                order.rivals -= theirs
                flow -= theirs
                taken = min(rest - theirs, order.quantity)
                if taken:
                    order.quantity -= taken
                    flow -= taken
                    yield Execution(order.order_id, order.side, order.price, taken)

    def _by_priority(self) -> list[_Resting]:
        """Our orders as the exchange serves them: at market, then the better price, then the older."""
        return sorted(
            self._resting,
            key=lambda o: (
                (0, 0) if o.price is None else (1, -o.price if o.side is Side.BUY else o.price)
            ),
        )

    def _cross(self, order: _Resting) -> Iterable[Execution]:
        """The new book reaches `order`: it fills at its own price, or at theirs if at market."""
        there = self._side(order.side.opposite)
        for price in self._best_first(order.side.opposite):
            if not order.quantity or not _never_worse(order.side, price, order.price):
                return
            theirs = min(order.rivals, there[price])
            order.rivals -= theirs
            there[price] -= theirs
            taken = min(order.quantity, there[price])
            there[price] -= taken
            order.quantity -= taken
            if taken:
                at = price if order.price is None else order.price
                yield Execution(order.order_id, order.side, at, taken)

    # --- our own orders -----------------------------------------------------------------------

    def check(self, order_type: OrderType, price: int | None, quantity: int) -> Refusal | None:
        """The exchange's own rules for a new order, in the order KRX applies them."""
        if quantity <= 0:
            return Refusal.QUANTITY
        if self.halted:
            return Refusal.HALTED
        if order_type in (OrderType.LIMIT, OrderType.CONDITIONAL):
            if price is None or not is_on_tick(price, self.kind):
                return Refusal.OFF_TICK
            if not self.lower <= price <= self.upper:
                return Refusal.OUTSIDE_LIMITS
        return None

    def submit(
        self,
        order_id: str,
        side: Side,
        quantity: int,
        order_type: OrderType = OrderType.LIMIT,
        price: int | None = None,
        tif: TimeInForce = TimeInForce.DAY,
        reach: int | None = None,
        rivals: int = 0,
        auction: bool = False,
    ) -> Outcome:
        """Take an order: match what can be matched, rest or cancel the remainder.

        `reach` caps what may be filled on arrival because others were quicker, and `rivals` is how
        many shares they still want before the rest of this order; `auction` only queues it.
        """
        refusal = self.check(order_type, price, quantity)
        if refusal:
            return Outcome(refusal=refusal)
        limit = self.working_price(side, order_type, price)
        if limit is None and order_type in (OrderType.BEST, OrderType.TOP):
            return Outcome(refusal=Refusal.NO_PRICE)
        conditional = order_type is OrderType.CONDITIONAL
        if auction:
            self._rest(order_id, side, limit, quantity, conditional, queued=True)
            return Outcome(resting=quantity, price=limit)
        within = quantity if reach is None else min(quantity, max(0, reach))
        if tif is TimeInForce.FOK and self._available(side, limit) < quantity:
            return Outcome(cancelled=quantity, price=limit)
        fills = tuple(self._take(order_id, side, within, limit))
        rest = quantity - sum(f.quantity for f in fills if f.order_id == order_id)
        if tif is not TimeInForce.DAY:
            return Outcome(fills, cancelled=rest, price=limit)
        if rest:
            self._rest(order_id, side, limit, rest, conditional, rivals)
        return Outcome(fills, resting=rest, price=limit)

    def cancel(self, order_id: str, quantity: int | None = None) -> int:
        """Take `quantity` (default all) of a resting order out; returns what was removed."""
        for order in self._resting:
            if order.order_id == order_id:
                removed = order.quantity if quantity is None else min(quantity, order.quantity)
                order.quantity -= removed
                self._sweep_done()
                return removed
        return 0

    def uncross(self, price: int, volume: int, closing: bool = False) -> tuple[Execution, ...]:
        """Run a call auction at `price`: `volume` shares stand against each side of ours.

        The better price is served first, then the older order; what is not served stays. With
        `closing`, conditional limit orders take part as market orders.
        """
        if self.halted:
            return ()
        fills: list[Execution] = []
        for order in self._resting:
            if order.conditional and closing:
                order.price = None
        left = dict.fromkeys(Side, volume)
        for order in self._by_priority():
            if not _never_worse(order.side, price, order.price):
                continue
            taken = min(order.quantity, left[order.side])
            left[order.side] -= taken
            if taken:
                order.quantity -= taken
                fills.append(Execution(order.order_id, order.side, price, taken))
        self._sweep_done()
        return tuple(fills)

    def drain(self) -> dict[str, int]:
        """Remove every resting order (the day ends); returns quantity by order."""
        left = {order.order_id: order.quantity for order in self._resting}
        self._resting.clear()
        self._interest = None
        return left

    # --- inside -------------------------------------------------------------------------------

    def _side(self, side: Side) -> dict[int, int]:
        return self._asks if side is Side.SELL else self._bids

    def _best_first(self, side: Side) -> list[int]:
        return sorted(self._side(side), reverse=side is Side.BUY)

    def working_price(
        self, side: Side, order_type: OrderType, price: int | None = None
    ) -> int | None:
        """The limit that an order arriving now would work with; None at market, or without a best."""
        finders: dict[OrderType, Callable[[], int | None]] = {
            OrderType.MARKET: lambda: None,
            OrderType.BEST: lambda: self._first(side.opposite),
            OrderType.TOP: lambda: self._first(side),
        }
        return finders[order_type]() if order_type in finders else price

    def _first(self, side: Side) -> int | None:
        levels = self._standing(side)
        return levels[0].price if levels else None

    def _available(self, side: Side, limit: int | None) -> int:
        levels = self._standing(side.opposite)
        return sum(level.quantity for level in levels if _never_worse(side, level.price, limit))

    def _take(
        self, order_id: str, side: Side, quantity: int, limit: int | None
    ) -> Iterable[Execution]:
        """Walk the other side, best price first; at one price by time, anonymous queue included."""
        for level in self._standing(side.opposite):
            if not quantity or not _never_worse(side, level.price, limit):
                return
            for maker, taken in self._eat(side.opposite, level.price, quantity):
                quantity -= taken
                yield Execution(order_id, side, level.price, taken)
                if maker:
                    yield Execution(maker, side.opposite, level.price, taken)
        return

    def _eat(self, side: Side, price: int, quantity: int) -> list[tuple[str | None, int]]:
        """Up to `quantity` from one price of `side`: (our order or None, taken), oldest first."""
        there, eaten = self._side(side), 0
        taken: list[tuple[str | None, int]] = []

        def anonymous(most: int) -> None:
            nonlocal quantity, eaten
            bite = min(most, quantity)
            if bite > 0:
                quantity -= bite
                eaten += bite
                taken.append((None, bite))

        ours = [o for o in self._resting if o.side is side and o.price == price and o.quantity]
        for order in ours:
            anonymous(min(order.ahead, there.get(price, 0)) - eaten)
            bite = min(order.quantity, quantity)
            if bite:
                order.quantity -= bite
                quantity -= bite
                taken.append((order.order_id, bite))
        anonymous(there.get(price, 0) - eaten)
        if price in there:
            there[price] -= eaten
        for order in ours:
            order.ahead = max(0, order.ahead - eaten)
        self._sweep_done()
        return taken

    def _rest(
        self,
        order_id: str,
        side: Side,
        price: int | None,
        quantity: int,
        conditional: bool,
        rivals: int = 0,
        queued: bool = False,
    ) -> None:
        ahead = self._side(side).get(price, 0) if price is not None else 0
        self._resting.append(
            _Resting(order_id, side, price, quantity, ahead, conditional, rivals, queued)
        )
        if self._interest is not None:
            buy, sell, at_market = self._interest
            if price is None:
                at_market = True
            elif side is Side.BUY:
                buy = price if buy is None else max(buy, price)
            else:
                sell = price if sell is None else min(sell, price)
            self._interest = buy, sell, at_market

    def _sweep_done(self) -> None:
        self._resting = [order for order in self._resting if order.quantity > 0]
        self._interest = None
