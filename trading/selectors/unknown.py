"""Orders whose outcome nobody knows yet, with what a person needs in order to decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q

from trading.domain.ports import OrderRow
from trading.domain.reconciliation import misfits
from trading.domain.sessions import SEOUL
from trading.models import Account, Attempt, BrokerOrder, Enumeration
from trading.selectors.sought import sought_of
from trading.selectors.unclaimed import row_from_json

__all__ = ["Looks", "NearOrder", "UnknownOrder", "unknown_attempts", "unknown_orders"]


@dataclass(frozen=True, slots=True)
class NearOrder:
    """One of the broker's orders on the same name and side of that day, and why it is not the one sought:
    codes, none where it may be it."""

    row: OrderRow
    misfits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Looks:
    """How often the order list was read since the request left: to its end, and not."""

    whole: int
    broken: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class UnknownOrder:
    """One unanswered attempt and the broker's orders near it, judged by the same rule that the service decides
    by. The service looks again when a person decides."""

    attempt: Attempt
    near: tuple[NearOrder, ...]
    looks: Looks

    @property
    def candidates(self) -> tuple[OrderRow, ...]:
        return tuple(one.row for one in self.near if not one.misfits)


def unknown_attempts(account: Account):  # type: ignore[no-untyped-def]
    return Attempt.objects.filter(intent__account=account, state="UNKNOWN")


def unknown_orders(account: Account) -> list[UnknownOrder]:
    """Oldest first. Four questions to the database an order, and few orders: three of a day stop an account."""
    attempts = (
        unknown_attempts(account)
        .select_related("intent__instrument", "intent__target_order", "intent__account", "epoch")
        .order_by("committed_at")
    )
    return [UnknownOrder(one, tuple(_near(one)), _looks(one)) for one in attempts]


def _near(attempt: Attempt) -> Iterable[NearOrder]:
    """Those that are somebody's by our record, and those that the newest whole list showed besides."""
    intent, sought = attempt.intent, sought_of(attempt)
    orders = BrokerOrder.objects.filter(
        account=intent.account_id,
        trade_date=attempt.committed_at.astimezone(SEOUL).date(),
        instrument=intent.instrument_id,
        side=intent.side,
    )
    for order in orders.order_by("pk"):
        found = misfits(_as_listed(order), sought)
        if order.owner_id is not None:
            found = ("owned", *(code for code in found if code != "known_before"))
        yield NearOrder(_as_listed(order), found)
    known = {order.order_no for order in orders}
    for row in map(row_from_json, _unclaimed(attempt)):
        same = (row.ticker, row.side) == (intent.instrument_id, intent.side)
        if same and row.order_no not in known:
            yield NearOrder(row, misfits(row, sought))


def _unclaimed(attempt: Attempt) -> list[dict[str, object]]:
    newest = Enumeration.objects.filter(
        account=attempt.intent.account_id, complete=True, started_at__gte=attempt.committed_at
    ).first()
    return list(newest.unclaimed or []) if newest else []


def _as_listed(order: BrokerOrder) -> OrderRow:
    return OrderRow(
        trade_date=order.trade_date,
        org_no=order.org_no,
        order_no=order.order_no,
        original_order_no=order.original_order_no,
        ticker=order.instrument_id,
        side="SELL" if order.side == "SELL" else "BUY",
        order_type="",
        quantity=order.quantity,
        price=order.price,
        order_time=order.order_time,
        filled_quantity=order.filled_quantity,
        filled_amount=order.filled_amount,
        cancelled_quantity=order.cancelled_quantity,
        remaining_quantity=order.remaining_quantity,
        rejected_quantity=order.rejected_quantity,
    )


def _looks(attempt: Attempt) -> Looks:
    rows = Enumeration.objects.filter(
        account=attempt.intent.account_id, started_at__gte=attempt.committed_at
    ).order_by()
    found = rows.aggregate(
        whole=Count("pk", filter=Q(complete=True)),
        broken=Count("pk", filter=Q(complete=False)),
        first_at=Min("started_at"),
        last_at=Max("ended_at"),
    )
    return Looks(**found)
