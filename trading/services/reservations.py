"""Promises of won and shares that open orders hold, and what of them the broker cannot show yet."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, Sum

from trading.domain.costs import commission
from trading.models import BrokerOrder, Intent, OrderAction, Reservation, Side
from trading.models.prepared import Prepared

__all__ = [
    "budget_used",
    "release",
    "reserve",
    "reserve_for",
    "unseen_buy_won",
    "unseen_sell_shares",
]


def reserve_for(intent: Intent, upper_limit: int) -> int:
    """Won that a buy may cost at worst: its limit, or the day's upper limit when it has none."""
    amount = intent.quantity * (intent.limit_price or upper_limit)
    return (
        amount
        + commission(amount, intent.instrument.instrument_kind, intent.account.commission)
        + 1
    )


def reserve(intent: Intent, needed_won: int, now: datetime, *, again: bool) -> None:
    """Promise what the order may cost, or its shares; `again` renews the promise of an earlier try."""
    if intent.action == OrderAction.CANCEL:
        return
    buying = intent.side == Side.BUY
    promised = {
        "won": needed_won if buying else 0,
        "shares": 0 if buying else intent.quantity,
        "opened_at": now,
        "closed_at": None,
    }
    if not again or not Reservation.objects.filter(intent=intent).update(**promised):
        Reservation.objects.create(intent=intent, **promised)


def release(intent: Intent, now: datetime) -> None:
    Reservation.objects.filter(intent=intent, closed_at=None).update(closed_at=now)


def unseen_sell_shares(intent: Intent) -> int:
    """Shares promised to open sells that the broker's sellable figure may not reflect yet."""
    if intent.side != Side.SELL:
        return 0
    return sum(
        one.shares
        for one in _open_promises()
        if (one.account, one.side) == (intent.account_id, Side.SELL)
        and one.instrument == intent.instrument_id
        and one.intent != intent.pk
        and not one.listed
    )


def unseen_buy_won(intent: Intent, read_at: datetime | None) -> int:
    """Won promised to buys that the orderable figure cannot contain: not accepted before it was read."""
    if intent.side != Side.BUY or read_at is None:
        return 0
    return sum(
        one.won
        for one in _open_promises()
        if (one.account, one.side) == (intent.account_id, Side.BUY)
        and one.intent != intent.pk
        and (one.seen_at is None or one.seen_at >= read_at)
    )


class _Promise(NamedTuple):
    intent: int
    won: int
    shares: int
    account: int
    instrument: str
    side: str
    listed: bool | None
    seen_at: datetime | None


def _open_promises() -> list[_Promise]:
    """Of every account, by an index of its own: asked for one account, a database without statistics goes
    through all the orders there ever were."""
    return [_Promise(*row) for row in _OPEN()]


_OPEN = Prepared(
    lambda _value: Reservation.objects.filter(closed_at=None).values_list(
        "intent_id",
        "won",
        "shares",
        "intent__account_id",
        "intent__instrument_id",
        "intent__side",
        "intent__broker_order__listed",
        "intent__broker_order__first_seen_at",
    )
)


def budget_used(intent: Intent) -> int:
    """Won that this run's buys hold or have spent since its cash was confirmed."""
    buys = Intent.objects.filter(
        origin=intent.origin,
        origin_id=intent.origin_id,
        account=intent.account,
        side=Side.BUY,
        action=OrderAction.ORDER,
    ).exclude(pk=intent.pk)
    held = Reservation.objects.filter(intent__in=buys, closed_at=None)
    spent = buys.filter(Q(reservation__closed_at__isnull=False))
    costs = BrokerOrder.objects.filter(owner__in=spent).aggregate(
        won=Sum("ledger__amount"), fee=Sum("ledger__fee")
    )
    return (
        (held.aggregate(total=Sum("won"))["total"] or 0) + (costs["won"] or 0) + (costs["fee"] or 0)
    )
