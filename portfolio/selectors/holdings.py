"""What an account holds as booked by us: quantity, cost of the open lots, value and profit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trading.models import Account, Lot, Position

__all__ = ["Holding", "holdings_of", "lots_by_ticker"]


@dataclass(frozen=True, slots=True)
class Holding:
    """Won. `price` is the last one read, at `priced_at`; None while nobody has read one."""

    ticker: str
    name: str
    quantity: int
    cost: int
    price: int | None
    priced_at: datetime | None

    @property
    def average(self) -> int:
        return round(self.cost / self.quantity)

    @property
    def value(self) -> int | None:
        return None if self.price is None else self.quantity * self.price

    @property
    def profit(self) -> int | None:
        return None if self.value is None else self.value - self.cost

    @property
    def profit_percent(self) -> float | None:
        return None if self.profit is None or not self.cost else 100 * self.profit / self.cost


def holdings_of(account: Account) -> list[Holding]:
    """The largest value first."""
    rows = Position.objects.filter(account=account, quantity__gt=0).select_related("instrument")
    found = [
        Holding(
            row.instrument_id,
            row.instrument.name,
            row.quantity,
            row.cost,
            row.instrument.last_price,
            row.instrument.priced_at,
        )
        for row in rows
    ]
    return sorted(found, key=lambda holding: (-(holding.value or 0), holding.ticker))


def lots_by_ticker(account: Account) -> dict[str, list[Lot]]:
    lots: dict[str, list[Lot]] = {}
    rows = Lot.objects.filter(account=account, open_quantity__gt=0).select_related("sleeve")
    for lot in rows.order_by("opened_at", "id"):
        lots.setdefault(lot.instrument_id, []).append(lot)
    return lots
