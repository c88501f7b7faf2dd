"""What can be traded: kinds of instruments and the shape of their codes."""

from __future__ import annotations

import re
from enum import StrEnum

__all__ = ["InstrumentKind", "TICKER_PATTERN", "is_ticker"]

TICKER_PATTERN = re.compile(r"[0-9A-Z]{6,7}")


class InstrumentKind(StrEnum):
    """Decides the price grid, the sell tax and the commission."""

    KOSPI = "kospi"
    KOSDAQ = "kosdaq"
    KONEX = "konex"
    ETF = "etf"
    ETN = "etn"

    @property
    def is_fund(self) -> bool:
        """ETF and ETN: coarse price grid, no transaction tax."""
        return self in (InstrumentKind.ETF, InstrumentKind.ETN)


def is_ticker(text: object) -> bool:
    """True for a domestic code exactly as KRX writes it: 6 or 7 digits and capitals, nothing else."""
    return isinstance(text, str) and text.isascii() and TICKER_PATTERN.fullmatch(text) is not None
