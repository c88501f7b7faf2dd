"""What a trade costs in an account, whose lots it touches, and holdings nobody of us explains."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from trading.domain.costs import commission, sell_tax
from trading.domain.sessions import settlement_date
from trading.models import (
    Account,
    Instrument,
    Lot,
    Position,
    Side,
    Sleeve,
)

__all__ = ["CORE", "EXTERNAL", "adopt_first_holdings", "adopt_holding", "costs_of", "sleeve_of"]

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


def adopt_first_holdings(
    account: Account, holdings: list[tuple[Instrument, int, int]], at: datetime
) -> None:
    """The first time an account is seen, what it holds belongs to the core: (instrument, shares, cost)."""
    core = sleeve_of(account, CORE)
    Lot.objects.bulk_create(
        Lot(
            account=account,
            sleeve=core,
            instrument=instrument,
            quantity=quantity,
            open_quantity=quantity,
            cost=max(0, cost),
            opened_at=at,
        )
        for instrument, quantity, cost in holdings
    )
    Position.objects.bulk_create(
        Position(
            account=account,
            instrument=instrument,
            quantity=quantity,
            cost=max(0, cost),
            updated_at=at,
        )
        for instrument, quantity, cost in holdings
    )


def adopt_holding(
    account: Account, instrument: Instrument, quantity: int, cost: int, at: datetime
) -> None:
    """Make our position equal the broker's where it differs and no order of ours explains it.

    Such shares belong to nobody and are kept in a sleeve apart.
    """
    position = Position.objects.filter(account=account, instrument=instrument).first()
    held = position.quantity if position else 0
    difference = quantity - held
    if difference > 0:
        Lot.objects.create(
            account=account,
            sleeve=sleeve_of(account, EXTERNAL),
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
