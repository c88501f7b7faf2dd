"""A stored target as Decimals again."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

__all__ = ["sub_percentages"]


def sub_percentages(
    snapshot: Mapping[str, Any],
) -> tuple[dict[str, Decimal], dict[str, dict[str, Decimal]]]:
    """(percent by class, percent by class and ticker) of a stored decision."""
    mp = {name: Decimal(text) for name, text in snapshot["mp"].items()}
    sub = {
        name: {ticker: Decimal(text) for ticker, text in tickers.items()}
        for name, tickers in snapshot["sub"].items()
    }
    return mp, sub
