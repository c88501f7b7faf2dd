"""One step of an order's cumulative fill: its ledger row, its lots and the position."""

from __future__ import annotations

from collections import defaultdict

from trading.domain.ports import OrderRow
from trading.models import BrokerOrder, Ledger, Lot, Position, Side
from trading.services.books import Books, Fill
from trading.services.ledger import EXTERNAL, costs_of, sleeve_of

__all__ = ["book_fill"]


def book_fill(books: Books, order: BrokerOrder, row: OrderRow) -> bool:
    """Collect the step from what is booked to what is shown; False when the numbers make no sense.

    Costs are charged on the order's cumulative amount, so any number of steps adds up to the same won.
    """
    step = row.filled_quantity - order.filled_quantity
    won = row.filled_amount - order.filled_amount
    if step == 0 and won == 0:
        return True
    if step <= 0 or won <= 0 or row.filled_quantity > order.quantity:
        return False
    account, instrument, now = order.account, order.instrument, books.now
    before = costs_of(account, instrument, order.side, order.filled_amount, now)
    after = costs_of(account, instrument, order.side, row.filled_amount, now)
    fill = Fill(
        Ledger(
            order=order,
            cum_before=order.filled_quantity,
            cum_after=row.filled_quantity,
            quantity=step,
            amount=won,
            fee=after[0] - before[0],
            tax=after[1] - before[1],
            posted_at=now,
        )
    )
    order.filled_quantity, order.filled_amount = row.filled_quantity, row.filled_amount
    _post_lots(books, fill, order)
    books.fills.append(fill)
    return True


def _post_lots(books: Books, fill: Fill, order: BrokerOrder) -> None:
    step = fill.ledger
    owner = order.owner
    sleeve = owner.sleeve if owner is not None else sleeve_of(order.account, EXTERNAL)
    if order.side == Side.BUY:
        cost = step.amount + step.fee
        fill.opened = Lot(
            account=order.account,
            sleeve=sleeve,
            instrument=order.instrument,
            quantity=step.quantity,
            open_quantity=step.quantity,
            cost=cost,
            opened_at=books.now,
        )
        _lots_of(books, order.instrument_id).append(fill.opened)
        _shift(books, order.instrument_id, step.quantity, cost)
        return
    left, cost = step.quantity, 0
    # oldest first, the order's own sleeve before others; one bought in this very pass comes last
    lots = sorted(_lots_of(books, order.instrument_id), key=lambda lot: lot.sleeve_id != sleeve.pk)
    for lot in lots:
        taken = min(left, lot.open_quantity)
        if taken == 0:
            continue
        cost += lot.cost * taken // lot.quantity
        lot.open_quantity -= taken
        left -= taken
        fill.closed.append((lot, taken))
    if left:
        # Sold shares that we never saw arrive: show the lot that must have existed.
        ghost = Lot.objects.create(
            account=order.account,
            sleeve=sleeve_of(order.account, EXTERNAL),
            instrument=order.instrument,
            quantity=left,
            open_quantity=0,
            cost=0,
            opened_at=books.now,
        )
        fill.closed.append((ghost, left))
        _shift(books, order.instrument_id, left, 0)
    _shift(books, order.instrument_id, -step.quantity, -cost)


def _lots_of(books: Books, ticker: str) -> list[Lot]:
    """The account's open lots, read once a pass; oldest first."""
    if books.lots is None:
        found: dict[str, list[Lot]] = defaultdict(list)
        for lot in Lot.objects.filter(account=books.account, open_quantity__gt=0).order_by("pk"):
            found[lot.instrument_id].append(lot)
        books.lots = found
    return books.lots[ticker]


def _shift(books: Books, ticker: str, quantity: int, cost: int) -> None:
    if not books.positions:
        rows = Position.objects.filter(account=books.account)
        books.positions = {position.instrument_id: position for position in rows}
    position = books.positions.get(ticker)
    if position is None:
        position = Position.objects.create(
            account=books.account, instrument_id=ticker, updated_at=books.now
        )
        books.positions[ticker] = position
    position.quantity += quantity
    position.cost = max(0, position.cost + cost) if position.quantity else 0
    position.updated_at = books.now
    books.touched.add(ticker)
