"""What was compared with the broker, and what did not fit: other people's orders, watched lanes, holdings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trading.models import (
    Account,
    BrokerOrder,
    Decision,
    Enumeration,
    Lane,
    Ledger,
    Position,
    ReconciledEpoch,
    Snapshot,
)

__all__ = [
    "Difference",
    "Holdings",
    "compared_holdings",
    "decisions_on",
    "external_orders",
    "order_list_readings",
    "reconciled_processes",
    "watched_lanes",
]

MOST = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """Shares of one name, by our ledger and by the broker."""

    ticker: str
    ours: int
    theirs: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """Our positions beside the newest balance. `moving` while an order may still fill, or when one filled after
    the balance was read: a difference then proves nothing."""

    at: datetime
    names: int
    differences: tuple[Difference, ...]
    moving: bool


def external_orders(account: Account, most: int = MOST) -> list[BrokerOrder]:
    """Orders that nobody here made, newest first; cancels and changes of theirs left out."""
    rows = BrokerOrder.objects.filter(
        account=account, source=BrokerOrder.Source.EXTERNAL, original_order_no=""
    )
    return list(rows.select_related("instrument")[:most])


def watched_lanes(account: Account, now: datetime | None) -> list[Lane]:
    """Lanes on which an order that was declared absent would stop the account if it came after all."""
    rows = Lane.objects.filter(account=account, late_watch_until__isnull=False)
    if now is not None:
        rows = rows.filter(late_watch_until__gt=now)
    return list(rows.select_related("instrument").order_by("late_watch_until"))


def order_list_readings(account: Account, most: int = MOST) -> list[Enumeration]:
    return list(Enumeration.objects.filter(account=account).select_related("epoch")[:most])


def reconciled_processes(account: Account, most: int = 5) -> list[ReconciledEpoch]:
    """Which processes have read the whole order list since they began: only those may send."""
    rows = ReconciledEpoch.objects.filter(account=account).select_related("epoch")
    return list(rows.order_by("-at")[:most])


def decisions_on(account: Account, most: int = MOST) -> list[Decision]:
    rows = Decision.objects.filter(intent__account=account)
    return list(rows.select_related("intent__instrument").order_by("-pk")[:most])


def compared_holdings(account: Account) -> Holdings | None:
    """None before the first look at the account."""
    snapshot = Snapshot.objects.filter(account=account).defer("raw").first()
    if snapshot is None:
        return None
    theirs = {ticker: int(row["quantity"]) for ticker, row in snapshot.holdings.items()}
    rows = Position.objects.filter(account=account, quantity__gt=0)
    ours = dict(rows.values_list("instrument_id", "quantity"))
    tickers = sorted({*ours, *theirs})
    differences = tuple(
        Difference(ticker, ours.get(ticker, 0), theirs.get(ticker, 0))
        for ticker in tickers
        if ours.get(ticker, 0) != theirs.get(ticker, 0)
    )
    moving = (
        BrokerOrder.objects.filter(account=account, is_final=False).exists()
        or Ledger.objects.filter(order__account=account, posted_at__gt=snapshot.taken_at).exists()
    )
    return Holdings(snapshot.taken_at, len(tickers), differences, moving)
