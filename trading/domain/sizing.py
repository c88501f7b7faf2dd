"""How many whole shares of each name bring the account closest to its target weights.

Minimises J = Σ|n·p − w·E| / E over whole n ≥ 0 (w = 0 ⇒ n = 0) while Σ n·p·(1+fee) stays inside
E·(1 − buffer) (`docs/formulas.md` §4). The exact optimum is a knapsack; this comes within
max(0.0005, 5 % of J) of it and says so by comparing itself with the bound of the relaxed problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from trading.domain.errors import InputError, Reason
from trading.domain.lots import Lots, fill_lots

__all__ = ["DEFAULT_BUFFER", "MAX_EQUITY", "Allocation", "calculate_target_quantities"]

DEFAULT_BUFFER = Decimal("0.01")
MAX_EQUITY = 10**14
"""Won. Above it the search's 64-bit sums could overflow; no account of ours comes near."""

_MIL = 1_000
"""The search counts thousandths of a won, so that a fee per share is not lost in rounding."""

Fees = Decimal | Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Allocation:
    """Whole shares per ticker, every target name included, zero too.

    `objective` is J as a fraction of equity; `cash_left` and `budget` are won rounded down.
    """

    shares: dict[str, int]
    objective: Decimal
    cash_left: int
    budget: int


def calculate_target_quantities(
    equity: int,
    weights: Mapping[str, Decimal],
    prices: Mapping[str, int],
    *,
    buffer: Decimal = DEFAULT_BUFFER,
    fee: Fees = Decimal(0),
) -> Allocation:
    """Target shares for `equity` won. Same input, same answer, whatever the order of the mappings.

    Raises InputError with every problem: equity, buffer, fee, weight, and each target name that has
    no positive whole price. A name without a price never becomes a target of zero, which would sell
    it.
    """
    fees = {ticker: _fee_of(fee, ticker) for ticker in weights}
    _refuse_bad_input(equity, weights, prices, buffer, fees)
    wanted = {ticker: Fraction(weights[ticker]) * equity for ticker in sorted(weights)}
    budget = equity * (1 - Fraction(buffer))
    wished = [ticker for ticker, won in wanted.items() if won > 0]
    lots = Lots(
        prices=[prices[ticker] * _MIL for ticker in wished],
        costs=[_ceil(prices[ticker] * (1 + Fraction(fees[ticker])) * _MIL) for ticker in wished],
        targets=[round(wanted[ticker] * _MIL) for ticker in wished],
        budget=int(budget * _MIL),
        scale=equity * _MIL,
    )
    shares = dict.fromkeys(wanted, 0) | dict(zip(wished, fill_lots(lots), strict=True))
    return _described(equity, int(budget), shares, wanted, prices, fees)


def _described(
    equity: int,
    budget: int,
    shares: dict[str, int],
    wanted: Mapping[str, Fraction],
    prices: Mapping[str, int],
    fees: Mapping[str, Decimal],
) -> Allocation:
    miss, spent = Fraction(0), Fraction(0)
    for ticker, count in shares.items():
        held = count * prices[ticker] if count else 0
        miss += abs(held - wanted[ticker])
        spent += held * (1 + Fraction(fees[ticker]))
    objective = miss / equity
    return Allocation(
        shares=shares,
        objective=Decimal(objective.numerator) / Decimal(objective.denominator),
        cash_left=(equity - spent).__floor__(),
        budget=budget,
    )


def _fee_of(fee: Fees, ticker: str) -> Decimal:
    return fee.get(ticker, Decimal(0)) if isinstance(fee, Mapping) else fee


def _ceil(value: Fraction) -> int:
    return value.__ceil__()


def _refuse_bad_input(
    equity: int,
    weights: Mapping[str, Decimal],
    prices: Mapping[str, int],
    buffer: Decimal,
    fees: Mapping[str, Decimal],
) -> None:
    reasons: list[Reason] = []
    if not 0 < equity <= MAX_EQUITY:
        reasons.append(Reason("equity_out_of_range", {"equity": equity, "max": MAX_EQUITY}))
    if not 0 <= buffer < 1:
        reasons.append(Reason("buffer_out_of_range", {"buffer": buffer}))
    for ticker, weight in sorted(weights.items()):
        if not (weight.is_finite() and weight >= 0):
            reasons.append(Reason("weight_out_of_range", {"ticker": ticker, "weight": weight}))
        elif weight > 0 and ticker not in prices:
            reasons.append(Reason("missing_price", {"ticker": ticker}))
        elif weight > 0 and not _is_whole_price(prices[ticker]):
            reasons.append(Reason("bad_price", {"ticker": ticker, "price": prices[ticker]}))
        if not 0 <= fees[ticker] < 1:
            reasons.append(Reason("fee_out_of_range", {"ticker": ticker, "fee": fees[ticker]}))
    if reasons:
        raise InputError(reasons)


def _is_whole_price(price: object) -> bool:
    return isinstance(price, int) and not isinstance(price, bool) and price > 0
