"""Books fills exactly once: a ledger row is a step of the broker's cumulative numbers."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from trading.domain.costs import commission, sell_tax
from trading.domain.sessions import settlement_date
from trading.models import (
    Account,
    BrokerOrder,
    Instrument,
    Intent,
    Ledger,
    Lot,
    LotPosting,
    Position,
    Side,
    Sleeve,
)

__all__ = ["adopt_holding", "costs_of", "post_fill", "sleeve_of"]

CORE = "mp_core"
EXTERNAL = "external"
_NAMES = {CORE: "MP 코어", EXTERNAL: "외부", "manual": "수동"}


def sleeve_of(account: Account, code: str = CORE) -> Sleeve:
    return Sleeve.objects.get_or_create(
        account=account, code=code, defaults={"name": _NAMES.get(code, code)}
    )[0]


def costs_of(
    account: Account, instrument: Instrument, side: str, amount: int, on: datetime
) -> tuple[int, int]:
    """(commission, tax) in won of `amount` traded on that day in one order."""
    fee = commission(amount, instrument.instrument_kind, account.commission)
    if side != Side.SELL:
        return fee, 0
    return fee, sell_tax(amount, settlement_date(on.date()), instrument.instrument_kind)


def post_fill(order: BrokerOrder, filled: int, amount: int, at: datetime) -> Ledger | None:
    """Book the step from what `order` has booked to (`filled`, `amount`), both cumulative.

    Returns None when nothing is new. Raises ValueError when the numbers go back or contradict each
    other; the caller flags the order and books nothing. Costs are charged on the order's cumulative
    amount, so any number of steps adds up to the same won. Must run inside a transaction.
    """
    step, won = filled - order.filled_quantity, amount - order.filled_amount
    if step == 0 and won == 0:
        return None
    if step <= 0 or won <= 0 or filled > order.quantity:
        raise ValueError("the cumulative fill went back or contradicts its amount")
    account, instrument = order.account, order.instrument
    before = costs_of(account, instrument, order.side, order.filled_amount, at)
    after = costs_of(account, instrument, order.side, amount, at)
    row = Ledger.objects.create(
        order=order,
        cum_before=order.filled_quantity,
        cum_after=filled,
        quantity=step,
        amount=won,
        fee=after[0] - before[0],
        tax=after[1] - before[1],
        posted_at=at,
    )
    BrokerOrder.objects.filter(pk=order.pk).update(filled_quantity=filled, filled_amount=amount)
    order.filled_quantity, order.filled_amount = filled, amount
    if order.owner_id is not None:
        Intent.objects.filter(pk=order.owner_id).update(
            filled_quantity=filled, filled_amount=amount
        )
    _post_lots(row, order, at)
    return row


def _post_lots(row: Ledger, order: BrokerOrder, at: datetime) -> None:
    owner = order.owner
    sleeve = owner.sleeve if owner is not None else sleeve_of(order.account, EXTERNAL)
    if order.side == Side.BUY:
        lot = Lot.objects.create(
            account=order.account,
            sleeve=sleeve,
            instrument=order.instrument,
            opened_by=row,
            quantity=row.quantity,
            open_quantity=row.quantity,
            cost=row.amount + row.fee,
            opened_at=at,
        )
        LotPosting.objects.create(ledger=row, lot=lot, quantity=row.quantity)
        _shift_position(order.account, order.instrument, row.quantity, row.amount + row.fee, at)
        return
    cost = _close_lots(row, order, sleeve, at)
    _shift_position(order.account, order.instrument, -row.quantity, -cost, at)


def _close_lots(row: Ledger, order: BrokerOrder, sleeve: Sleeve, at: datetime) -> int:
    """Close the sleeve's own lots first, oldest first, then others; returns the cost that left."""
    lots = list(
        Lot.objects.filter(
            account=order.account, instrument=order.instrument, open_quantity__gt=0
        ).order_by("id")
    )
    lots.sort(key=lambda lot: (lot.sleeve_id != sleeve.pk, lot.pk))
    left, cost = row.quantity, 0
    for lot in lots:
        if left == 0:
            break
        taken = min(left, lot.open_quantity)
        part = lot.cost * taken // lot.quantity
        cost += part
        left -= taken
        Lot.objects.filter(pk=lot.pk).update(open_quantity=F("open_quantity") - taken)
        LotPosting.objects.create(ledger=row, lot=lot, quantity=-taken)
    if left:
        # Sold shares that we never saw arrive: show the lot that must have existed.
        lot = Lot.objects.create(
            account=order.account,
            sleeve=sleeve_of(order.account, EXTERNAL),
            instrument=order.instrument,
            quantity=left,
            open_quantity=0,
            cost=0,
            opened_at=at,
        )
        LotPosting.objects.create(ledger=row, lot=lot, quantity=-left)
        _shift_position(order.account, order.instrument, left, 0, at)
    return cost


def _shift_position(
    account: Account, instrument: Instrument, quantity: int, cost: int, at: datetime
) -> None:
    position, _made = Position.objects.get_or_create(
        account=account, instrument=instrument, defaults={"updated_at": at}
    )
    total = position.quantity + quantity
    Position.objects.filter(pk=position.pk).update(
        quantity=total,
        cost=max(0, position.cost + cost) if total else 0,
        updated_at=at,
    )


def adopt_holding(
    account: Account, instrument: Instrument, quantity: int, cost: int, at: datetime, *, first: bool
) -> None:
    """Make our position equal the broker's where it differs and no order of ours explains it.

    The first time an account is seen its holdings belong to the core; later differences belong to
    nobody and are kept apart.
    """
    position = Position.objects.filter(account=account, instrument=instrument).first()
    held = position.quantity if position else 0
    difference = quantity - held
    if difference > 0:
        Lot.objects.create(
            account=account,
            sleeve=sleeve_of(account, CORE if first else EXTERNAL),
            instrument=instrument,
            quantity=difference,
            open_quantity=difference,
            cost=max(0, cost),
            opened_at=at,
        )
        _shift_position(account, instrument, difference, max(0, cost), at)
    elif difference < 0:
        left = -difference
        for lot in Lot.objects.filter(
            account=account, instrument=instrument, open_quantity__gt=0
        ).order_by("-id"):
            taken = min(left, lot.open_quantity)
            Lot.objects.filter(pk=lot.pk).update(open_quantity=F("open_quantity") - taken)
            left -= taken
            if left == 0:
                break
        _shift_position(account, instrument, difference, 0, at)
