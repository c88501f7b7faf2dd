"""How a limit is told: its value with a unit, what it stops, and where it is set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

__all__ = ["Limit", "LimitGroup", "minutes", "number", "percent", "seconds"]


@dataclass(frozen=True, slots=True)
class Limit:
    """`where` names the place that sets it; `url` leads there, empty where only the code or the
    environment does."""

    name: str
    value: str
    unit: str
    stops: str
    where: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class LimitGroup:
    title: str
    text: str
    limits: tuple[Limit, ...]


def number(value: object) -> str:
    """1000000 as 1,000,000; a fraction without its empty places."""
    number = Decimal(str(value))
    if number == number.to_integral_value():
        return f"{number:,.0f}"
    return f"{number.normalize():,f}"


def percent(share: object) -> str:
    return number(Decimal(str(float(share))) * 100)  # type: ignore[arg-type]


def seconds(span: timedelta) -> str:
    return number(span.total_seconds())


def minutes(span: timedelta) -> str:
    return number(span.total_seconds() / 60)
