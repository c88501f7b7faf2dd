"""Cents, hundredths of a won and what the screens make of them. Exact: no number here is a float."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, InvalidOperation

__all__ = [
    "COMMISSION",
    "cents_of",
    "commission",
    "decimals",
    "dollars",
    "largest_amount",
    "reservation",
    "share",
    "won",
]

COMMISSION = Decimal("0.0025")
"""0.25 % of what an order trades; no other fee is told of."""


def dollars(cents: int, places: int = 2) -> str:
    """Cents as the broker writes dollars, with at least two places."""
    whole, part = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{part:02d}" + "0" * (places - 2)


def decimals(value: Decimal, places: int) -> str:
    """A decimal with exactly so many places."""
    return f"{value.quantize(Decimal(1).scaleb(-places)):f}"


def cents_of(text: object) -> int | None:
    """Whole cents of a dollar amount; None for what is no amount or finer than a cent."""
    try:
        value = Decimal(str(text).strip()) * 100
        return int(value) if value.is_finite() and value == value.to_integral_value() else None
    except (InvalidOperation, ValueError):
        return None


def commission(cents: int) -> int:
    """The commission on `cents` of trading, below a cent cut off."""
    return int(cents * COMMISSION)


def reservation(quantity: int, price: int, filled: int = 0) -> int:
    """Cents set aside for a buy of `quantity` at `price` with its commission, after `filled` cents
    of the same order."""
    amount = quantity * price
    return amount + commission(filled + amount) - commission(filled)


def largest_amount(free: int) -> int:
    """The largest amount that, with its commission, fits into `free` cents."""
    amount = int(Decimal(max(0, free)) / (1 + COMMISSION))
    while amount + 1 + commission(amount + 1) <= free:
        amount += 1
    while amount > 0 and amount + commission(amount) > free:
        amount -= 1
    return amount


def won(cents: int, rate: int) -> int:
    """Whole won of `cents` at `rate` hundredths of a won a dollar, below a won cut off."""
    return int((Decimal(cents) * rate / 10_000).to_integral_value(rounding=ROUND_FLOOR))


def share(part: int, whole: int, places: int = 2) -> Decimal:
    """`part` in % of `whole`; zero of nothing."""
    value = Decimal(part * 100) / whole if whole else Decimal(0)
    return value.quantize(Decimal(1).scaleb(-places))
