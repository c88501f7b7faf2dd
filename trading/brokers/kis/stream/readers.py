"""Records of each channel as values, strictly: a number that cannot be read makes the record bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

from trading.brokers.kis import parsing
from trading.brokers.kis.stream.fields import (
    SEOUL,
    Row,
    clock_of,
    levels_of,
    order_number,
    side_of,
    ticker_of,
)
from trading.brokers.kis.stream.market_readers import MARKET_READERS
from trading.brokers.kis.stream.messages import BadFrame
from trading.brokers.kis.stream.us_readers import US_READERS
from trading.domain.errors import BrokerGarbled
from trading.domain.ticks import (
    BookTick,
    ExpectedTick,
    FundTick,
    HaltTick,
    IndexProgramTick,
    IndexTick,
    OrderNotice,
    ProgramTick,
    Tick,
    UsBookTick,
    UsOrderNotice,
    UsTick,
)
from trading.kis_wire import Channel, channels

__all__ = ["READERS", "Reader", "least_fields", "offered", "read_record"]

FARTHEST_PERCENT = 31
"""Beyond the day's ±30 % and its rounding no Korean stock trades: such a record is a fault of the line."""
OLD_NOTICE_FIELDS = 23
Market = (
    Tick
    | BookTick
    | HaltTick
    | ExpectedTick
    | IndexTick
    | ProgramTick
    | IndexProgramTick
    | FundTick
)
Value = Market | OrderNotice | UsTick | UsBookTick | UsOrderNotice
Reader = Callable[[Row, datetime], Value]


def offered(mock: bool) -> dict[str, Channel]:
    """Channels by name that this environment offers."""
    return {name: c for name, c in channels().items() if not mock or c.mock}


def least_fields(channel: Channel) -> int:
    """How long a record has to be: the documents' own example of a market's state lacks its last field."""
    if channel.name in _HALTS:
        return channel.fields.index("TRHT_YN") + 1
    return OLD_NOTICE_FIELDS if channel.name == "ccnl_notice" else len(channel.fields)


def read_record(channel: Channel, values: list[str], now: datetime) -> Value:
    """One record of a channel that is read here. Raises BadFrame; `now` dates what carries no date."""
    reader = READERS.get(channel.name)
    if reader is None:
        raise BadFrame(f"{channel.name} is not read here")
    names = channel.fields
    if channel.name == "ccnl_notice" and len(values) < len(names):
        names = _OLD_NOTICE
    try:
        return reader(dict(zip(names, values, strict=False)), now)
    except BrokerGarbled as error:
        raise BadFrame(f"{channel.name}: {error}") from error


_OLD_NOTICE = tuple(
    "CNTG_ISNM" if name == "ORD_COND_PRC" else name
    for name in channels()["ccnl_notice"].fields
    if name not in ("ORD_EXG_GB", "POPUP_YN", "FILLER")
)


def _tick(row: Row, now: datetime) -> Tick:
    price = _positive(row, "STCK_PRPR")
    if abs(parsing.decimal(row, "PRDY_CTRT")) > FARTHEST_PERCENT:
        raise BrokerGarbled("a price beyond the day's limits")
    high, low = parsing.integer(row, "STCK_HGPR"), parsing.integer(row, "STCK_LWPR")
    if high and low and not low <= price <= high:
        raise BrokerGarbled("a price outside the day's own range")
    quantity, volume = parsing.integer(row, "CNTG_VOL"), parsing.integer(row, "ACML_VOL")
    if quantity < 0 or volume < quantity:
        raise BrokerGarbled("a volume that cannot be")
    day = parsing.day(row, "BSOP_DATE")
    return Tick(
        ticker=ticker_of(row),
        at=clock_of(row, "STCK_CNTG_HOUR", datetime(day.year, day.month, day.day, tzinfo=SEOUL)),
        price=price,
        quantity=quantity,
        side=_TAKER.get(row.get("CCLD_DVSN") or row.get("CNTG_CLS_CODE") or "", ""),
        volume=volume,
        halted=parsing.flag(row, "TRHT_YN"),
        phase=_PHASES.get(row.get("NEW_MKOP_CLS_CODE", "")[:1], ""),
    )


def _book(row: Row, now: datetime) -> BookTick:
    asks, bids = _levels(row, "ASKP", falling=False), _levels(row, "BIDP", falling=True)
    if asks and bids and bids[0][0] >= asks[0][0] and row.get("HOUR_CLS_CODE") == "0":
        raise BrokerGarbled("a crossed book")
    return BookTick(ticker_of(row), clock_of(row, "BSOP_HOUR", now), asks, bids)


def _levels(row: Row, side: str, falling: bool) -> tuple[tuple[int, int], ...]:
    return levels_of(row, side + "{}", side + "_RSQN{}", parsing.integer, falling)


def _halt(row: Row, now: datetime) -> HaltTick:
    return HaltTick(ticker_of(row), parsing.flag(row, "TRHT_YN"))


def _notice(row: Row, now: datetime) -> OrderNotice:
    refused = parsing.code(row, "RFUS_YN", "[01YN]?") in ("1", "Y")
    filled = parsing.code(row, "CNTG_YN", "[12]") == "2"
    kind: Literal["RECEIPT", "FILL", "REFUSED"] = "FILL" if filled else "RECEIPT"
    quantity = parsing.integer(row, "CNTG_QTY") if filled else 0
    price = parsing.integer(row, "CNTG_UNPR") if filled else 0
    if filled and (quantity <= 0 or price <= 0 or refused):
        raise BrokerGarbled("a fill of nothing")
    return OrderNotice(
        account_no=parsing.code(row, "ACNT_NO", r"[0-9]{10}"),
        order_no=parsing.code(row, "ODER_NO", r"[0-9]{1,10}").zfill(10),
        original_order_no=order_number(parsing.text(row, "OODER_NO")),
        ticker=parsing.code(row, "STCK_SHRN_ISCD", r"[0-9A-Z]{6,7}"),
        side=side_of(row),
        kind="REFUSED" if refused else kind,
        quantity=quantity,
        price=price,
        at_time=parsing.code(row, "STCK_CNTG_HOUR", r"[0-9]{6}"),
    )


def _positive(row: Row, name: str) -> int:
    found = parsing.integer(row, name)
    if found <= 0:
        raise BrokerGarbled(f"{name} is not positive")
    return found


_HALTS = ("market_status_krx", "market_status_nxt", "market_status_total")
_PHASES: Mapping[str, Literal["PRE", "REGULAR", "AFTER"]] = {
    "1": "PRE",
    "2": "REGULAR",
    "3": "AFTER",
    "4": "AFTER",
}
_TAKER: Mapping[str, Literal["BUY", "SELL", ""]] = {"1": "BUY", "5": "SELL"}
READERS: Mapping[str, Reader] = {
    "ccnl_krx": _tick,
    "ccnl_total": _tick,
    "ccnl_nxt": _tick,
    "asking_price_krx": _book,
    "asking_price_total": _book,
    "asking_price_nxt": _book,
    "market_status_krx": _halt,
    "market_status_nxt": _halt,
    "market_status_total": _halt,
    "ccnl_notice": _notice,
    **MARKET_READERS,
    **US_READERS,
}
