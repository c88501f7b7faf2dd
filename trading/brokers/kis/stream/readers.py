"""Records of each channel as values, strictly: a number that cannot be read makes the record bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from trading.brokers.kis import parsing
from trading.brokers.kis.stream.messages import BadFrame
from trading.domain.errors import BrokerGarbled
from trading.domain.ticks import BookTick, HaltTick, OrderNotice, Tick
from trading.kis_wire import Channel, channels

__all__ = ["READERS", "Reader", "least_fields", "offered", "read_record"]

SEOUL = ZoneInfo("Asia/Seoul")
FARTHEST_PERCENT = 31
"""Beyond the day's ±30 % and its rounding no Korean stock trades: such a record is a fault of the line."""
OLD_NOTICE_FIELDS = 23
Value = Tick | BookTick | HaltTick | OrderNotice
Row = Mapping[str, Any]
Reader = Callable[[Row, datetime], Value]


def offered(mock: bool) -> dict[str, Channel]:
    """Channels by name that this environment offers."""
    return {name: c for name, c in channels().items() if not mock or c.mock}


def least_fields(channel: Channel) -> int:
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
        ticker=_ticker(row),
        at=_at(row, "STCK_CNTG_HOUR", datetime(day.year, day.month, day.day, tzinfo=SEOUL)),
        price=price,
        quantity=quantity,
        side=_TAKER.get(row.get("CCLD_DVSN") or row.get("CNTG_CLS_CODE") or "", ""),
        volume=volume,
        halted=parsing.flag(row, "TRHT_YN"),
    )


def _book(row: Row, now: datetime) -> BookTick:
    asks, bids = _levels(row, "ASKP"), _levels(row, "BIDP")
    if asks and bids and bids[0][0] >= asks[0][0] and row.get("HOUR_CLS_CODE") == "0":
        raise BrokerGarbled("a crossed book")
    return BookTick(_ticker(row), _at(row, "BSOP_HOUR", now), asks, bids)


def _levels(row: Row, side: str) -> tuple[tuple[int, int], ...]:
    found = []
    for level in range(1, 11):
        price = parsing.integer(row, f"{side}{level}")
        quantity = parsing.integer(row, f"{side}_RSQN{level}")
        if price < 0 or quantity < 0:
            raise BrokerGarbled("a book below zero")
        if price and quantity:
            found.append((price, quantity))
    prices = [price for price, _quantity in found]
    if prices != sorted(prices, reverse=side == "BIDP"):
        raise BrokerGarbled("the book's levels are out of order")
    return tuple(found)


def _halt(row: Row, now: datetime) -> HaltTick:
    return HaltTick(_ticker(row), parsing.flag(row, "TRHT_YN"))


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
        original_order_no=_number(parsing.text(row, "OODER_NO")),
        ticker=parsing.code(row, "STCK_SHRN_ISCD", r"[0-9A-Z]{6,7}"),
        side="SELL" if parsing.code(row, "SELN_BYOV_CLS", "0[12]") == "01" else "BUY",
        kind="REFUSED" if refused else kind,
        quantity=quantity,
        price=price,
        at_time=parsing.code(row, "STCK_CNTG_HOUR", r"[0-9]{6}"),
    )


def _number(text: str) -> str:
    return text.zfill(10) if text.strip("0") else ""


def _ticker(row: Row) -> str:
    return parsing.code(row, "MKSC_SHRN_ISCD", r"[0-9A-Z]{6,7}")


def _positive(row: Row, name: str) -> int:
    found = parsing.integer(row, name)
    if found <= 0:
        raise BrokerGarbled(f"{name} is not positive")
    return found


def _at(row: Row, name: str, day: datetime) -> datetime:
    text = parsing.code(row, name, r"[0-9]{6}")
    hour, minute, second = int(text[:2]), int(text[2:4]), int(text[4:])
    try:
        return day.astimezone(SEOUL).replace(hour=hour, minute=minute, second=second, microsecond=0)
    except ValueError as error:
        raise BrokerGarbled(f"{name} is not a time") from error


_TAKER: Mapping[str, Literal["BUY", "SELL", ""]] = {"1": "BUY", "5": "SELL"}
READERS: Mapping[str, Reader] = {
    "ccnl_krx": _tick,
    "ccnl_total": _tick,
    "ccnl_nxt": _tick,
    "asking_price_krx": _book,
    "asking_price_total": _book,
    "asking_price_nxt": _book,
    "market_status_krx": _halt,
    "market_status_total": _halt,
    "ccnl_notice": _notice,
}
