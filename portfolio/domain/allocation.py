"""How the account is spread over asset classes right now, cash being one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from portfolio.domain.valuation import value_holdings
from trading.domain.targets import CASH, OTHER

__all__ = ["CurrentAllocation", "current_allocation"]


@dataclass(frozen=True, slots=True)
class CurrentAllocation:
    """Won: the whole account, each class, and each ticker inside its class.

    Held tickers that belong to no class stand under OTHER.
    """

    equity: int
    classes: dict[str, int]
    tickers: dict[str, dict[str, int]]


def current_allocation(
    cash: int,
    holdings: Mapping[str, int],
    prices: Mapping[str, int],
    groups: Mapping[str, str],
    classes: Iterable[str] = (),
) -> CurrentAllocation:
    """Value by class, `groups` giving the class of each known ticker.

    `classes` are listed even when nothing is held in them. Raises InputError naming every held
    ticker without a price.
    """
    values = value_holdings(holdings, prices)
    tickers: dict[str, dict[str, int]] = {}
    for ticker, won in values.items():
        tickers.setdefault(groups.get(ticker, OTHER), {})[ticker] = won
    totals = dict.fromkeys([*sorted(classes), CASH], 0)
    totals |= {name: sum(inside.values()) for name, inside in sorted(tickers.items())}
    totals[CASH] += cash
    return CurrentAllocation(sum(totals.values()), totals, tickers)
