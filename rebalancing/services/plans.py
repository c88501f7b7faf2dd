"""A plan as the record and the pages keep it: numbers as text, expected costs per leg."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rebalancing.domain.legs import Leg
from rebalancing.domain.pipeline import PlanOutcome
from trading.domain.ports import Broker
from trading.domain.quotes import OrderBook
from trading.models import Account, Instrument
from trading.services.ledger import costs_of

__all__ = ["costs_of_legs", "outcome_json", "read_books"]


def read_books(broker: Broker, tickers: Iterable[str]) -> dict[str, OrderBook]:
    return {ticker: broker.book(ticker) for ticker in sorted(tickers)}


def _plain(value: object) -> object:
    return value if isinstance(value, (int, str, bool, type(None))) else str(value)


def outcome_json(made: PlanOutcome) -> dict[str, Any]:
    """Trades, filtered trades and every check with its numbers."""
    return {
        "trades": [_trade(trade) for trade in made.trades],
        "filtered": [_trade(trade) for trade in made.filtered],
        "checks": [
            {
                "rule": check.rule,
                "ticker": check.ticker,
                "verdict": str(check.verdict),
                "numbers": {name: _plain(value) for name, value in check.numbers.items()},
            }
            for check in made.checks
        ],
        "objective": str(made.allocation.objective) if made.allocation else "",
    }


def _trade(trade: Any) -> dict[str, Any]:
    return {
        "ticker": trade.ticker,
        "side": str(trade.side),
        "quantity": trade.quantity,
        "price": trade.price,
        "amount": trade.amount,
    }


def costs_of_legs(
    account: Account,
    legs: Iterable[Leg],
    references: Mapping[str, int],
    books: Mapping[str, OrderBook],
    now: datetime,
) -> list[dict[str, int]]:
    """Expected commission, tax and half-spread of each leg, in won, in leg order."""
    legs = list(legs)
    known = Instrument.objects.in_bulk([leg.ticker for leg in legs])
    costs = []
    for leg in legs:
        amount = leg.quantity * references[leg.ticker]
        fee, tax = costs_of(account, known[leg.ticker], str(leg.side), amount, now)
        book = books.get(leg.ticker)
        spread = leg.quantity * ((book.spread if book else None) or 0) // 2
        costs.append({"fee": fee, "tax": tax, "spread": spread, "total": fee + tax + spread})
    return costs
