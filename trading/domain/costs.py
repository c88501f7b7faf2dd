"""What a trade costs: commission, the dated sell tax, the settlement day that decides which rate applies.

Rates are data with a date; the amount is floored to the won (`docs/formulas.md` §1). Slippage is the
business of the back-test, not of a fill that really happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from trading.domain.instruments import InstrumentKind

__all__ = [
    "DEFAULT_COMMISSION",
    "SELL_TAX",
    "CommissionRates",
    "TaxRate",
    "commission",
    "sell_tax",
    "sell_tax_rate",
]


@dataclass(frozen=True, slots=True)
class TaxRate:
    """Sell tax, including the rural tax of KOSPI, for trades that settle on or after `since`."""

    since: date
    rate: Decimal


_LISTED = (
    TaxRate(date(2026, 1, 1), Decimal("0.0020")),
    TaxRate(date(2025, 1, 1), Decimal("0.0015")),
    TaxRate(date(2024, 1, 1), Decimal("0.0018")),
    TaxRate(date(2023, 1, 1), Decimal("0.0020")),
    TaxRate(date(2021, 1, 1), Decimal("0.0023")),
    TaxRate(date(2019, 6, 3), Decimal("0.0025")),
)
_KONEX = (TaxRate(date(2019, 6, 3), Decimal("0.0010")),)

SELL_TAX: dict[InstrumentKind, tuple[TaxRate, ...]] = {
    InstrumentKind.KOSPI: _LISTED,
    InstrumentKind.KOSDAQ: _LISTED,
    InstrumentKind.KONEX: _KONEX,
    InstrumentKind.ETF: (),
    InstrumentKind.ETN: (),
}
"""Newest first. An empty row means exempt."""


@dataclass(frozen=True, slots=True)
class CommissionRates:
    """The broker's commission per side; an account may carry its own."""

    stock: Decimal = Decimal("0.000140527")
    fund: Decimal = Decimal("0.000146527")

    def of(self, kind: InstrumentKind) -> Decimal:
        return self.fund if kind.is_fund else self.stock


DEFAULT_COMMISSION = CommissionRates()


def _floor(amount: Decimal) -> int:
    return int(amount.to_integral_value(rounding=ROUND_FLOOR))


def sell_tax_rate(settles: date, kind: InstrumentKind) -> Decimal:
    """The rate for a sale that settles on `settles`. Raises ValueError before the first known rate."""
    rates = SELL_TAX[kind]
    if not rates:
        return Decimal(0)
    for row in rates:
        if settles >= row.since:
            return row.rate
    raise ValueError(f"no sell tax is known for {kind} settling on {settles}")


def sell_tax(amount: int, settles: date, kind: InstrumentKind) -> int:
    """Tax in whole won on a sale of `amount` won that settles on `settles` (T+2)."""
    return _floor(amount * sell_tax_rate(settles, kind))


def commission(
    amount: int, kind: InstrumentKind, rates: CommissionRates = DEFAULT_COMMISSION
) -> int:
    """The broker's commission in whole won on a fill of `amount` won, either side."""
    return _floor(amount * rates.of(kind))
