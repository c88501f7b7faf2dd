"""Records of the US channels, read strictly: dollars, and the day and time of Seoul that each carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from trading.brokers.kis import parsing
from trading.brokers.kis.stream.fields import (
    SEOUL,
    Row,
    clock_of,
    levels_of,
    order_number,
    side_of,
)
from trading.domain.errors import BrokerGarbled
from trading.domain.ticks import UsBookTick, UsOrderNotice, UsTick

__all__ = ["US_READERS"]

_SYMBOL = r"[A-Z][A-Z0-9.\-/]{0,9}"
_PHASES: Mapping[str, Literal["REGULAR", "PRE", "AFTER"]] = {
    "1": "REGULAR",
    "2": "PRE",
    "3": "AFTER",
}


def _at(row: Row) -> datetime:
    day = parsing.day(row, "KYMD")
    return clock_of(row, "KHMS", datetime(day.year, day.month, day.day, tzinfo=SEOUL))


def _tick(row: Row, now: datetime) -> UsTick:
    price = parsing.decimal(row, "LAST")
    high, low = parsing.decimal(row, "HIGH"), parsing.decimal(row, "LOW")
    if price <= 0 or (high and low and not low <= price <= high):
        raise BrokerGarbled("a price outside the day's own range")
    quantity, volume = parsing.integer(row, "EVOL"), parsing.integer(row, "TVOL")
    if quantity < 0 or volume < quantity:
        raise BrokerGarbled("a volume that cannot be")
    return UsTick(
        symbol=parsing.code(row, "SYMB", _SYMBOL),
        at=_at(row),
        price=price,
        quantity=quantity,
        volume=volume,
        phase=_PHASES[parsing.code(row, "MTYP", "[123]")],
    )


def _book(row: Row, now: datetime) -> UsBookTick:
    asks = levels_of(row, "PASK{}", "VASK{}", parsing.decimal, falling=False)
    bids = levels_of(row, "PBID{}", "VBID{}", parsing.decimal, falling=True)
    return UsBookTick(parsing.code(row, "SYMB", _SYMBOL), _at(row), asks, bids)


def _notice(row: Row, now: datetime) -> UsOrderNotice:
    refused = parsing.code(row, "RFUS_YN", "[01YN]?") in ("1", "Y")
    filled = parsing.code(row, "CNTG_YN", "[12]") == "2"
    quantity = parsing.integer(row, "CNTG_QTY") if filled else 0
    if filled and (quantity <= 0 or refused):
        raise BrokerGarbled("a fill of nothing")
    kind: Literal["RECEIPT", "FILL", "REFUSED"] = "FILL" if filled else "RECEIPT"
    return UsOrderNotice(
        account_no=parsing.code(row, "ACNT_NO", r"[0-9]{10}"),
        order_no=parsing.code(row, "ODER_NO", r"[0-9]{1,10}").zfill(10),
        original_order_no=order_number(parsing.text(row, "OODER_NO")),
        symbol=parsing.code(row, "STCK_SHRN_ISCD", _SYMBOL),
        side=side_of(row),
        kind="REFUSED" if refused else kind,
        quantity=quantity,
        price=_price(row) if filled else None,
        at_time=parsing.code(row, "STCK_CNTG_HOUR", r"[0-9]{6}"),
    )


def _price(row: Row) -> Decimal | None:
    price = parsing.decimal(row, "CNTG_UNPR")
    if price <= 0:
        raise BrokerGarbled("a fill at nothing")
    return price if "." in parsing.text(row, "CNTG_UNPR") else None


US_READERS: Mapping[str, Callable[[Row, datetime], UsTick | UsBookTick | UsOrderNotice]] = {
    "overseas_delayed_ccnl": _tick,
    "overseas_asking_price": _book,
    "overseas_ccnl_notice": _notice,
}
