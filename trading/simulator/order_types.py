"""The broker's order types by venue: what each of them is and in which windows it may be entered.

One row a code, as the broker's table has it. A venue without windows in a row does not take the type. Types
that no row has (midpoint 21, 23, 24, stop 22) are refused as no type.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from trading.domain.matching import OrderType, TimeInForce
from trading.domain.sessions import AFTER_MARKET_SINCE
from trading.simulator.ledger import OrderRow
from trading.simulator.windows import Window

__all__ = [
    "MOCK_TYPES",
    "ONE_PRICE",
    "PLAIN",
    "TYPES",
    "UNTIL_PRE_END",
    "Kind",
    "limit_of",
    "takes",
]

DAY, IOC, FOK = TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET
BEST, TOP = OrderType.BEST, OrderType.TOP
Windows = tuple[Window, ...]

REGULAR: Windows = (Window.REGULAR,)
NXT: Windows = (Window.NXT_PRE, Window.NXT_MAIN, Window.NXT_AFTER)
NXT_MAIN: Windows = (Window.NXT_MAIN,)
NXT_PRE: Windows = (Window.NXT_PRE,)
SMART: Windows = (Window.REGULAR, Window.NXT_PRE, Window.NXT_AFTER)
"""Where SOR sends an order: to KRX while that takes one for the regular session, else to NXT."""
AFTER: Windows = (Window.AFTER,)
GONE: Windows = ()
"""The single-price auctions of the evening: taken by KRX in their time, not modelled."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One type. None under a venue: that does not take it; an empty tuple: taken, but never in time."""

    name: str
    order_type: OrderType
    tif: TimeInForce
    krx: Windows | None
    nxt: Windows | None = None
    sor: Windows | None = None
    since: date = date.min
    until: date = date.max
    """The first day on which it is no type any more."""

    def windows(self, venue: str) -> Windows | None:
        return {"KRX": self.krx, "NXT": self.nxt, "SOR": self.sor}[venue]


SINCE = AFTER_MARKET_SINCE
TYPES: dict[str, Kind] = {
    #          name            type   time  KRX      NXT       SOR
    "00": Kind("지정가", LIMIT, DAY, REGULAR, NXT, SMART),
    "01": Kind("시장가", MARKET, DAY, REGULAR, None, REGULAR),
    "02": Kind("조건부지정가", OrderType.CONDITIONAL, DAY, REGULAR),
    "03": Kind("최유리지정가", BEST, DAY, REGULAR, NXT, SMART),
    "04": Kind("최우선지정가", TOP, DAY, REGULAR, NXT, SMART),
    "05": Kind("장전 시간외", LIMIT, DAY, (Window.BEFORE,)),
    "06": Kind("장후 시간외", LIMIT, DAY, (Window.AT_CLOSE,)),
    "07": Kind("시간외 단일가", LIMIT, DAY, GONE, until=SINCE),
    "11": Kind("지정가", LIMIT, IOC, REGULAR, NXT, SMART),
    "12": Kind("지정가", LIMIT, FOK, REGULAR, NXT, SMART),
    "13": Kind("시장가", MARKET, IOC, REGULAR, NXT_MAIN, REGULAR),
    "14": Kind("시장가", MARKET, FOK, REGULAR, NXT_MAIN, REGULAR),
    "15": Kind("최유리", BEST, IOC, REGULAR, NXT, SMART),
    "16": Kind("최유리", BEST, FOK, REGULAR, NXT, SMART),
    "27": Kind("프리마켓 지정가", LIMIT, DAY, None, NXT_PRE, since=SINCE),
    "28": Kind("프리마켓 최유리", BEST, DAY, None, NXT_PRE, since=SINCE),
    "29": Kind("프리마켓 최우선", TOP, DAY, None, NXT_PRE, since=SINCE),
    "41": Kind("애프터마켓 지정가", LIMIT, DAY, AFTER, since=SINCE),
    "42": Kind("애프터마켓 지정가", LIMIT, IOC, AFTER, since=SINCE),
    "43": Kind("애프터마켓 지정가", LIMIT, FOK, AFTER, since=SINCE),
    "44": Kind("애프터마켓 최유리", BEST, DAY, AFTER, since=SINCE),
    "45": Kind("애프터마켓 최유리", BEST, IOC, AFTER, since=SINCE),
    "46": Kind("애프터마켓 최유리", BEST, FOK, AFTER, since=SINCE),
    "47": Kind("애프터마켓 최우선", TOP, DAY, AFTER, since=SINCE),
}
PLAIN = frozenset(code for code, kind in TYPES.items() if kind.krx == REGULAR)
"""Types that KRX takes for the regular session and for nothing else."""
ONE_PRICE = frozenset({"05", "06"})
"""Sent without a price: they trade at the session's only one."""
UNTIL_PRE_END = frozenset({"27", "28", "29"})
"""What is left of them is cancelled when NXT's pre-market ends."""
MOCK_TYPES = frozenset({"00", "01", "02", "03", "04"})


def limit_of(row: OrderRow) -> int | None:
    """The limit that an order works with: as ordered, or its session's only price; None without one."""
    return row.price or (row.reserve_price if row.dvsn in ONE_PRICE else None)


def takes(venue: str, dvsn: str, day: date) -> bool:
    """True when `venue` knows the type on `day`, at whatever hour."""
    kind = TYPES.get(dvsn)
    return kind is not None and kind.windows(venue) is not None and kind.since <= day < kind.until
