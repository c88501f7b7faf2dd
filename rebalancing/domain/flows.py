"""Money that came or went from outside, and the shares that take it up.

A flow is what neither a fill nor a share explains. A run made for it trades in its direction only: money
in buys what is under target, money out sells what is over it (`docs/formulas.md` §6).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import floor

from portfolio.domain.cashflow import allocate_cash_flow
from trading.domain.targets import TargetWeights

__all__ = ["flow_shares", "outside_flow", "weights_of"]

Shares = Mapping[str, int]
_DUST = Decimal("1e-6")


def outside_flow(cash_change: int, strange_shares: Shares, prices: Mapping[str, int]) -> int:
    """Won that came (+) or went (−) from outside.

    `cash_change` is the change of cash that no booked fill explains, `strange_shares` the changes of
    holdings that none explains. A trade made elsewhere and not booked yet changes both, against each
    other, and is no flow; shares moved in or out without money are none either.
    """
    net = cash_change + sum(n * prices.get(ticker, 0) for ticker, n in strange_shares.items())
    if cash_change > 0:
        return max(0, min(cash_change, net))
    return min(0, max(cash_change, net))


def flow_shares(
    equity: int,
    flow: int,
    holdings: Shares,
    prices: Mapping[str, int],
    weights: Mapping[str, Decimal],
) -> dict[str, int]:
    """Shares to hold after the flow is spread; `equity` is the value with the flow in it.

    Buys are rounded down, so that they never cost more than came; sales up, so that what went is made
    good. Raises InputError as `allocate_cash_flow` does.
    """
    shares = {ticker: count for ticker, count in holdings.items() if count}
    for ticker, won in allocate_cash_flow(equity - flow, flow, holdings, prices, weights).items():
        # division leaves dust in the last digits, which must not cost a share
        whole = floor((won / prices[ticker]).quantize(_DUST))
        shares[ticker] = max(0, shares.get(ticker, 0) + whole)
    return shares


def weights_of(shares: Shares, prices: Mapping[str, int], equity: int) -> TargetWeights:
    """What `shares` are of `equity`: the aim of a run that spreads a flow."""
    return TargetWeights(
        {ticker: Decimal(count * prices[ticker]) / equity for ticker, count in shares.items()}
    )
