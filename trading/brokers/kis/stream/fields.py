"""Fields that records of several channels share, read strictly. Raises BrokerGarbled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from trading.brokers.kis import parsing
from trading.domain.errors import BrokerGarbled

__all__ = ["Row", "SEOUL", "clock_of", "levels_of", "order_number", "side_of", "ticker_of"]

SEOUL = ZoneInfo("Asia/Seoul")
Row = Mapping[str, Any]
Price = TypeVar("Price")


def ticker_of(row: Row) -> str:
    return parsing.code(row, "MKSC_SHRN_ISCD", r"[0-9A-Z]{6,7}")


def order_number(text: str) -> str:
    """Padded to ten digits; blank or all zeros means there is none."""
    return text.zfill(10) if text.strip("0") else ""


def side_of(row: Row) -> Literal["BUY", "SELL"]:
    return "SELL" if parsing.code(row, "SELN_BYOV_CLS", "0[12]") == "01" else "BUY"


def clock_of(row: Row, name: str, day: datetime) -> datetime:
    """The time of day `name` (HHMMSS, Seoul) on the day of `day`."""
    text = parsing.code(row, name, r"[0-9]{6}")
    hour, minute, second = int(text[:2]), int(text[2:4]), int(text[4:])
    try:
        return day.astimezone(SEOUL).replace(hour=hour, minute=minute, second=second, microsecond=0)
    except ValueError as error:
        raise BrokerGarbled(f"{name} is not a time") from error


def levels_of(
    row: Row, prices: str, quantities: str, read: Callable[[Row, str], Price], falling: bool
) -> tuple[tuple[Price, int], ...]:
    """Ten levels, the empty ones left out; `prices` and `quantities` are names with a place for the level."""
    found: list[tuple[Any, int]] = []
    for level in range(1, 11):
        price: Any = read(row, prices.format(level))
        quantity = parsing.integer(row, quantities.format(level))
        if price < 0 or quantity < 0:
            raise BrokerGarbled("a book below zero")
        if price and quantity:
            found.append((price, quantity))
    told = [price for price, _quantity in found]
    if told != sorted(told, reverse=falling):
        raise BrokerGarbled("the book's levels are out of order")
    return tuple(found)
