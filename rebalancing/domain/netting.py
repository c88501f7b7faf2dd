"""From target shares to the one trade per name that is really wanted.

Targets of several Sub-MPs are added up before holdings are taken off, so that nobody sells for one
what he buys for the other (`docs/formulas.md` §5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from trading.domain.errors import InputError, Reason

__all__ = [
    "DEFAULT_MIN_TRADE",
    "FilteredTrades",
    "NetChange",
    "Side",
    "Trade",
    "apply_minimum_trade_filter",
    "calculate_net_trades",
]

DEFAULT_MIN_TRADE = 10_000
"""Won."""

Shares = Mapping[str, int]


class Side(StrEnum):
    SELL = "SELL"
    BUY = "BUY"


class NetChange(NamedTuple):
    """Shares of one name now and as wanted."""

    current: int
    target: int

    @property
    def delta(self) -> int:
        return self.target - self.current

    @property
    def closes(self) -> bool:
        return self.target == 0 and self.current > 0


@dataclass(frozen=True, slots=True)
class Trade:
    """An intended net change: whole shares, reference price and amount in won."""

    ticker: str
    side: Side
    quantity: int
    price: int
    amount: int

    @property
    def signed(self) -> int:
        """Shares, negative for a sale."""
        return self.quantity if self.side is Side.BUY else -self.quantity


@dataclass(frozen=True, slots=True)
class FilteredTrades:
    """What is worth its cost and what is not, each sorted by ticker."""

    kept: tuple[Trade, ...]
    dropped: tuple[Trade, ...]


def calculate_net_trades(
    current: Shares, targets: Shares | Sequence[Shares]
) -> dict[str, NetChange]:
    """One change per name that has to move; a name held and not targeted is closed out.

    `targets` is one set of target shares or one per Sub-MP. Raises InputError for every negative
    count.
    """
    wanted: dict[str, int] = {}
    for shares in [targets] if isinstance(targets, Mapping) else targets:
        for ticker, count in shares.items():
            wanted[ticker] = wanted.get(ticker, 0) + count
    names = sorted({*current, *wanted})
    changes = {name: NetChange(current.get(name, 0), wanted.get(name, 0)) for name in names}
    if negative := [name for name, change in changes.items() if min(change) < 0]:
        raise InputError([Reason("negative_shares", {"ticker": name}) for name in negative])
    return {name: change for name, change in changes.items() if change.delta}


def apply_minimum_trade_filter(
    changes: Mapping[str, NetChange],
    prices: Mapping[str, int],
    min_amount: int = DEFAULT_MIN_TRADE,
) -> FilteredTrades:
    """Trades of at least `min_amount` won, and close-outs of any size; the rest is set aside.

    Raises InputError naming every changing ticker without a positive price.
    """
    if unpriced := [ticker for ticker in sorted(changes) if prices.get(ticker, 0) <= 0]:
        raise InputError([Reason("missing_price", {"ticker": ticker}) for ticker in unpriced])
    kept: list[Trade] = []
    dropped: list[Trade] = []
    for ticker, change in sorted(changes.items()):
        trade = _trade(ticker, change.delta, prices[ticker])
        worth_it = change.closes or trade.amount >= min_amount
        (kept if worth_it else dropped).append(trade)
    return FilteredTrades(tuple(kept), tuple(dropped))


def _trade(ticker: str, delta: int, price: int) -> Trade:
    quantity = abs(delta)
    return Trade(ticker, Side.BUY if delta > 0 else Side.SELL, quantity, price, quantity * price)
