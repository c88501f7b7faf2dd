"""What the account is worth: orderable cash plus every holding at its price, at one moment.

A holding without a price has no value we may guess; treating it as nothing would make the account
look poorer and the holding look sold, so the valuation refuses and names it (`docs/formulas.md` §2).
"""

from __future__ import annotations

from collections.abc import Mapping

from trading.domain.errors import InputError, Reason

__all__ = ["calculate_equity", "missing_prices", "value_holdings"]


def missing_prices(holdings: Mapping[str, int], prices: Mapping[str, int]) -> list[Reason]:
    """One reason for each held ticker that has no positive price."""
    return [
        Reason("missing_price", {"ticker": ticker})
        for ticker, quantity in sorted(holdings.items())
        if quantity and prices.get(ticker, 0) <= 0
    ]


def value_holdings(holdings: Mapping[str, int], prices: Mapping[str, int]) -> dict[str, int]:
    """Won per held ticker. Raises InputError naming every held ticker without a positive price."""
    if reasons := missing_prices(holdings, prices):
        raise InputError(reasons)
    return {ticker: n * prices[ticker] for ticker, n in sorted(holdings.items()) if n}


def calculate_equity(cash: int, holdings: Mapping[str, int], prices: Mapping[str, int]) -> int:
    """Won: `cash` (orderable, D+2, pending sells included) + Σ quantity × price.

    Raises InputError naming every held ticker without a positive price.
    """
    return cash + sum(value_holdings(holdings, prices).values())
