"""The first so many of a whole market by some value, without looking at every instrument.

A bound that is cheap to know tells which instruments cannot be among the first.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from trading.simulator.indices import INDICES, members
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask, Refusal

__all__ = ["ROWS", "largest", "leaders", "universe"]

ROWS = 30
LOOKED_BACK_ON = 300
ALL, KOSPI, KOSDAQ, KOSPI200 = "0000", "0001", "1001", "2001"


Value = TypeVar("Value", int, float)


def leaders(
    codes: Iterable[str],
    bound: Callable[[str], float],
    value: Callable[[str], Value | None],
    count: int,
) -> list[tuple[str, Value]]:
    """The `count` codes of the greatest value with it, the greatest first, equal ones by code.

    `bound` is never below `value`; a value of None leaves an instrument out.
    """
    order = sorted(((bound(code), code) for code in codes), key=lambda one: (-one[0], one[1]))
    found: list[tuple[str, Value]] = []
    kept: list[float] = []
    for most, code in order:
        if len(kept) == count and most < kept[0]:
            break
        got = value(code)
        if got is None:
            continue
        found.append((code, got))
        if len(kept) < count:
            heapq.heappush(kept, got)
        else:
            heapq.heappushpop(kept, got)
    return sorted(found, key=lambda one: (-one[1], one[0]))[:count]


def largest(truth: Truth, codes: Collection[str]) -> list[str]:
    """The 300 codes of the greatest worth on the first day: enough for what needs months of each."""
    if len(codes) <= LOOKED_BACK_ON:
        return list(codes)
    listed = truth.market.listing

    def worth(code: str) -> int:
        return listed(code).shares * listed(code).base

    return sorted(codes, key=lambda code: (-worth(code), code))[:LOOKED_BACK_ON]


def universe(truth: Truth, ask: Ask, name: str = "FID_INPUT_ISCD") -> list[str]:
    """The codes of a market: 0000 everything, 0001 KOSPI, 1001 KOSDAQ (funds included), or an index.

    Raises Refusal for a code that stands for none.
    """
    code = ask.get(name) or ALL
    listings = truth.market.source.listings
    if code == ALL:
        return list(listings)
    if code in (KOSPI, KOSDAQ):
        wanted = "KOSPI" if code == KOSPI else "KOSDAQ"
        return [one for one in listings if truth.market.listing(one).market == wanted]
    if code in INDICES:
        return list(members(truth.market, INDICES[code]))
    raise Refusal("MCA05918", "업종코드 오류입니다.")
