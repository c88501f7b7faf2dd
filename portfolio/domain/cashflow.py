"""Money in buys what is under target, money out sells what is over it, and nothing else moves.

So a deposit or a withdrawal brings the portfolio nearer to its targets without a single trade in
the other direction (`docs/formulas.md` §6).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from portfolio.domain.valuation import value_holdings
from trading.domain.errors import InputError, Reason

__all__ = ["allocate_cash_flow"]


def allocate_cash_flow(
    equity: int,
    flow: int,
    holdings: Mapping[str, int],
    prices: Mapping[str, int],
    weights: Mapping[str, Decimal],
) -> dict[str, Decimal]:
    """Won to buy (+) or sell (−) per ticker for a `flow` of won into (+) or out of (−) the account.

    `equity` is the value before the flow. The gaps to the targets of the new equity share the flow
    in proportion, and none is overfilled: what is left over stays in, or comes out of, the cash.
    Amounts are not yet whole shares. Raises InputError when the account cannot pay the withdrawal
    or a holding has no price.
    """
    after = equity + flow
    if after < 0:
        raise InputError(Reason("withdrawal_exceeds_equity", {"equity": equity, "flow": flow}))
    values = value_holdings(holdings, prices)
    sign = 1 if flow > 0 else -1
    gaps = {}
    for ticker in sorted({*weights, *values}):
        gap = sign * (Fraction(weights.get(ticker, Decimal(0))) * after - values.get(ticker, 0))
        if gap > 0:
            gaps[ticker] = gap
    total = sum(gaps.values(), Fraction(0))
    share = min(Fraction(1), abs(flow) / total) if total else Fraction(0)
    amounts = {ticker: sign * gap * share for ticker, gap in gaps.items() if share}
    return {t: Decimal(won.numerator) / Decimal(won.denominator) for t, won in amounts.items()}
