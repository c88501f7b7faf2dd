"""What NXT trades: the larger half of the shares by what changes hands in a day, at most 800; no funds."""

from __future__ import annotations

from trading.domain.instruments import InstrumentKind
from trading.simulator.market import Market

__all__ = ["on_nxt"]

MOST = 800
KINDS = (InstrumentKind.KOSPI, InstrumentKind.KOSDAQ)


def on_nxt(market: Market, code: str) -> bool:
    """True for a listing that NXT trades too."""
    known: frozenset[str] | None = market.memory.get("nxt")
    if known is None:
        known = market.memory["nxt"] = _names(market)
    return code in known


def _names(market: Market) -> frozenset[str]:
    listings = market.source.listings.values()
    shares = [one for one in listings if one.kind in KINDS]
    shares.sort(key=lambda one: (-one.base * one.volume, one.code))
    return frozenset(one.code for one in shares[: min(MOST, (len(shares) + 1) // 2)])
