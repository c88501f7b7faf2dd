"""What the channel of funds' values says: the value of a share, told when it changes.

The numbers are the ones that etf-nav-comparison-trend shows of the same second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from trading.simulator.calls.funds import nav_values
from trading.simulator.truth import Truth
from trading.simulator.ws.flow_frames import in_session

__all__ = ["FUND_FRAMES", "knows"]

Row = Mapping[str, object]
NAMES = (
    "NAV",
    "NAV_PRDY_VRSS_SIGN",
    "NAV_PRDY_VRSS",
    "NAV_PRDY_CTRT",
    "OPRC_NAV",
    "HPRC_NAV",
    "LPRC_NAV",
)
"""Fields of a record; the screen calls the same numbers alike."""


def knows(truth: Truth, key: str) -> bool:
    """Whether an instrument has a value beside its price: a fund has, a share has none."""
    return key in truth.market and truth.market.listing(key).kind.is_fund


def value(truth: Truth, key: str, at: datetime) -> Sequence[Row]:
    """The value of a share with the day's first, highest and lowest."""
    if not in_session(truth, at):
        return ()
    values = nav_values(truth, key, at)
    return ({"MKSC_SHRN_ISCD": key} | {name: values[name.lower()] for name in NAMES},)


FUND_FRAMES: Mapping[str, Callable[[Truth, str, datetime], Sequence[Row]]] = {
    "etf_nav_trend": value,
}
