"""What a ranking leaves out: kinds of shares, prices, volumes and rates, as the parameters say."""

from __future__ import annotations

from collections.abc import Callable

from trading.domain.instruments import InstrumentKind
from trading.simulator.calls.asked import chosen, number_of, require
from trading.simulator.calls.leaders import universe
from trading.simulator.calls.quotes import MARKETS
from trading.simulator.market import Shown
from trading.simulator.prices import Listing
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask

__all__ = ["asked_codes", "asked_of", "is_common", "is_preferred"]

CREDIT_BIT = 6
"""All shares here are bought with 20 % of margin and lent on at 40 %: the one of nine classes that fits."""
EXCLUSIONS: dict[int, Callable[[Truth, Listing], bool]] = {
    4: lambda truth, one: is_preferred(one),
    5: lambda truth, one: truth.market.halted(one.code, truth.time),
    6: lambda truth, one: one.kind is InstrumentKind.ETF,
    7: lambda truth, one: one.kind.is_fund and one.kind is not InstrumentKind.ETF,
    9: lambda truth, one: "스팩" in one.name,
}
"""By place in the exclusion bits; nothing here is warned of, administered, liquidated or unlendable."""


def is_preferred(listing: Listing) -> bool:
    """Codes of preferred shares end with another character than 0."""
    return not listing.kind.is_fund and not listing.code.endswith("0")


def is_common(listing: Listing) -> bool:
    return not listing.kind.is_fund and listing.code.endswith("0")


def asked_codes(truth: Truth, ask: Ask, screen: str) -> list[str]:
    """The codes that a ranking is of, before prices are looked at. Raises Refusal."""
    require(ask, "FID_COND_MRKT_DIV_CODE", MARKETS)
    if screen:
        chosen(ask, "FID_COND_SCR_DIV_CODE", screen, (screen,))
    kind = chosen(ask, "FID_DIV_CLS_CODE", "0", ("0", "1", "2"))
    classes = ask.get("FID_TRGT_CLS_CODE")
    if classes.strip("0") and classes[CREDIT_BIT : CREDIT_BIT + 1] != "1":
        return []
    left_out = [
        test
        for place, test in EXCLUSIONS.items()
        if ask.get("FID_TRGT_EXLS_CLS_CODE")[place : place + 1] == "1"
    ]
    of_kind = {"0": lambda one: True, "1": is_common, "2": is_preferred}[kind]
    return [
        code
        for code in universe(truth, ask)
        if of_kind(truth.market.listing(code))
        and not any(test(truth, truth.market.listing(code)) for test in left_out)
    ]


def asked_of(
    ask: Ask,
    low: str = "FID_INPUT_PRICE_1",
    high: str = "FID_INPUT_PRICE_2",
    volume: str = "FID_VOL_CNT",
) -> Callable[[Shown], bool]:
    """Whether an instrument's price, volume and rate are inside what is asked for; zeros ask for all."""
    least, most = number_of(ask, low), number_of(ask, high)
    traded = number_of(ask, volume)
    slowest, fastest = number_of(ask, "FID_RSFL_RATE1"), number_of(ask, "FID_RSFL_RATE2")
    by_rate = bool(slowest or fastest)

    def fits(shown: Shown) -> bool:
        rate = float(shown.rate(shown.last)) if by_rate else 0.0
        return (
            (not least or shown.last >= least)
            and (not most or shown.last <= most)
            and (not traded or shown.volume >= traded)
            and (slowest is None or not by_rate or rate >= slowest)
            and (fastest is None or not by_rate or rate <= fastest)
        )

    return fits
