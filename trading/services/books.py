"""Everything one pass over the broker's rows changes: collected first, then written together."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trading.models import (
    Account,
    BrokerOrder,
    Ledger,
    Lot,
    LotPosting,
    Position,
    Reservation,
    Transition,
)
from trading.services.audit import audit

__all__ = ["SYSTEM", "Books", "Fill", "write_books"]

SYSTEM = "system"


@dataclass
class Fill:
    """One ledger step with what it does to lots; rows are written together at the end."""

    ledger: Ledger
    opened: Lot | None = None
    closed: list[tuple[Lot, int]] = field(default_factory=list)


@dataclass
class Books:
    """Everything one pass changes, collected first."""

    account: Account
    now: datetime
    fills: list[Fill] = field(default_factory=list)
    orders: list[BrokerOrder] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    final: list[dict[str, Any]] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    positions: dict[str, Position] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    lots: dict[str, list[Lot]] | None = None


def write_books(books: Books) -> None:
    """Everything collected, each table once."""
    if books.fills:
        Ledger.objects.bulk_create([fill.ledger for fill in books.fills])
        opened = []
        for fill in books.fills:
            if fill.opened is not None:
                fill.opened.opened_by = fill.ledger
                opened.append(fill.opened)
        Lot.objects.bulk_create(opened)
        closed = {lot.pk: lot for fill in books.fills for lot, _taken in fill.closed}
        if closed:
            Lot.objects.bulk_update(closed.values(), ["open_quantity"])
        LotPosting.objects.bulk_create(_postings(books.fills))
    if books.touched:
        Position.objects.bulk_update(
            [books.positions[ticker] for ticker in sorted(books.touched)],
            ["quantity", "cost", "updated_at"],
        )
    if books.orders:
        BrokerOrder.objects.bulk_update(
            books.orders,
            [
                "filled_quantity",
                "filled_amount",
                "cancelled_quantity",
                "remaining_quantity",
                "rejected_quantity",
                "is_final",
                "listed",
                "last_seen_at",
            ],
        )
    if books.transitions:
        Transition.objects.bulk_create(books.transitions)
    if books.released:
        Reservation.objects.filter(intent__in=books.released, closed_at=None).update(
            closed_at=books.now
        )
        audit(SYSTEM, "orders_final", f"account:{books.account.pk}", {"orders": books.final})


def _postings(fills: list[Fill]) -> list[LotPosting]:
    made = []
    for fill in fills:
        if fill.opened is not None:
            made.append(
                LotPosting(ledger=fill.ledger, lot=fill.opened, quantity=fill.ledger.quantity)
            )
        made += [LotPosting(ledger=fill.ledger, lot=lot, quantity=-n) for lot, n in fill.closed]
    return made
