"""Books what a list of the broker's rows shows, in one transaction and few statements.

Under the account's row lock: cumulative numbers become ledger steps, lots and positions; orders and
their intents move; promises of final orders are released. What regresses or contradicts itself is
flagged and not booked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from trading.domain.ports import OrderRow
from trading.models import Account, Alert, BrokerOrder, Lane
from trading.models.prepared import Prepared
from trading.services.account_lock import lock_account
from trading.services.alerts import alert
from trading.services.books import SYSTEM, Books, write_books
from trading.services.disowning import disown, instrument_of, is_another_order
from trading.services.fills import book_fill
from trading.services.following import finish_cancels, follow_order
from trading.services.switches import account_scope, engage
from trading.services.twins import stop_for_a_twin

__all__ = ["book_rows", "follow_final", "see_order"]

REGRESSED, CORRECTED = "fill_regressed", "fill_corrected"
LAG = timedelta(minutes=2)
"""A list that shows less than before for longer does not lag."""


def book_rows(
    account: Account, rows: Iterable[OrderRow], now: datetime, *, session_over: bool
) -> list[OrderRow]:
    """Book `rows`, read at `now`. Must run inside a transaction.

    A row on a lane that waits for an answer is left alone and returned: it may be the order we are waiting
    for.
    """
    # by number and so in the order of time: what was bought before it was sold is booked before it
    rows = sorted(rows, key=lambda row: (row.trade_date, row.order_no))
    lock_account(account.pk)
    listed = _known(account, rows)
    known = _whole(account, listed, rows, now, session_over=session_over)
    frozen = disown(known, rows, set(_FROZEN(account=account.pk)), now)
    books = Books(account, now)
    for row in rows:  # before any is read: a cancel that is new tells how the order above it ended
        at = (row.trade_date, row.order_no)
        if at not in listed and (row.ticker, row.side) not in frozen:
            known[at] = _external(account, row, now)
    left_alone = []
    for row in rows:
        order = known.get((row.trade_date, row.order_no))
        if order is not None and is_another_order(order, row):
            continue
        if order is None:
            if (row.trade_date, row.order_no) not in listed:
                left_alone.append(row)
            continue
        over = session_over or row.trade_date < now.date()
        if _differs(order, row, over):
            _see(books, order, row, over)
    finish_cancels(books)
    write_books(books)
    return left_alone


class _Known(NamedTuple):
    """What tells whether a row of the broker's says anything new of an order that is known."""

    trade_date: date
    order_no: str
    instrument_id: str
    side: str
    original_order_no: str
    listed: bool
    is_final: bool
    flag: str
    filled_quantity: int
    remaining_quantity: int
    cancelled_quantity: int
    rejected_quantity: int

    @property
    def is_change(self) -> bool:
        return bool(self.original_order_no)


_Keyed = dict[tuple[date, str], _Known]


def _known(account: Account, rows: Sequence[OrderRow]) -> _Keyed:
    days = {row.trade_date for row in rows}
    if not days:
        return {}
    found = _BETWEEN(account=account.pk, first=min(days), last=max(days))
    return {one[:2]: one for one in map(_Known._make, found)}


_BETWEEN = Prepared(
    lambda value: BrokerOrder.objects.filter(
        account=value.account, trade_date__gte=value.first, trade_date__lte=value.last
    ).values_list(*_Known._fields),
    account=int,
    first=date,
    last=date,
)


def _whole(
    account: Account,
    listed: _Keyed,
    rows: Iterable[OrderRow],
    now: datetime,
    *,
    session_over: bool,
) -> dict[tuple[date, str], BrokerOrder]:
    """The known orders that a row says something new of, with all that belongs to them: most rows of most
    lists say nothing new."""
    wanted: dict[date, list[str]] = defaultdict(list)
    for row in rows:
        one = listed.get((row.trade_date, row.order_no))
        over = session_over or row.trade_date < now.date()
        if one is not None and (is_another_order(one, row) or _differs(one, row, over)):
            wanted[row.trade_date].append(row.order_no)
    orders = BrokerOrder.objects.select_related("owner__sleeve", "instrument", "account")
    return {
        (order.trade_date, order.order_no): order
        for day, numbers in wanted.items()
        for order in orders.filter(account=account, trade_date=day, order_no__in=numbers)
    }


_FROZEN = Prepared(
    lambda value: Lane.objects.filter(
        account=value.account, attempts__state__in=["SENDING", "UNKNOWN"]
    ).values_list("instrument_id", "side"),
    account=int,
)
"""Lanes that wait for an answer."""


def see_order(order: BrokerOrder, row: OrderRow, now: datetime, *, session_over: bool) -> None:
    """Book one row that has just been given its owner. Must run inside a transaction."""
    books = Books(order.account, now)
    _see(books, order, row, session_over)
    finish_cancels(books)
    write_books(books)


def follow_final(order: BrokerOrder, now: datetime) -> None:
    """An order of an earlier day is over: its intent expires. Must run inside a transaction."""
    books = Books(order.account, now)
    order.is_final = True
    books.orders.append(order)
    if order.owner is not None:
        follow_order(books, order.owner, order)
    finish_cancels(books)
    write_books(books)


def _differs(order: BrokerOrder | _Known, row: OrderRow, session_over: bool) -> bool:
    """A final order that shows the same numbers again is old news."""
    return (
        not order.listed
        or row.filled_quantity != order.filled_quantity
        or row.remaining_quantity != order.remaining_quantity
        or row.cancelled_quantity != order.cancelled_quantity
        or row.rejected_quantity != order.rejected_quantity
        or (session_over and not order.is_final)
        or order.flag == REGRESSED
    )


def _external(account: Account, row: OrderRow, now: datetime) -> BrokerOrder:
    order = BrokerOrder.objects.create(
        account=account,
        trade_date=row.trade_date,
        org_no=row.org_no,
        order_no=row.order_no,
        original_order_no=row.original_order_no,
        source=BrokerOrder.Source.EXTERNAL,
        instrument=instrument_of(row.ticker),
        side=row.side,
        quantity=row.quantity,
        price=row.price,
        remaining_quantity=row.remaining_quantity,
        order_time=row.order_time,
        first_seen_at=now,
        last_seen_at=now,
    )
    if not row.is_change and stop_for_a_twin(account, row):
        return order
    if not row.is_change and _is_late_arrival(account, row, now):
        # a person declared this very order absent: nothing more goes out until somebody has looked
        engage(account_scope(account), "HALTED", SYSTEM, f"late order {row.order_no}")
        alert(
            "late_order",
            severity=Alert.Severity.PAGE,
            account=account,
            order_no=row.order_no,
            ticker=row.ticker,
        )
    if not row.is_change:
        alert(
            "external_order",
            account=account,
            order_no=row.order_no,
            ticker=row.ticker,
            side=row.side,
            quantity=row.quantity,
        )
    return order


def _is_late_arrival(account: Account, row: OrderRow, now: datetime) -> bool:
    """On a lane whose order was declared absent, the same terms showing up are that order."""
    return Lane.objects.filter(
        account=account,
        instrument_id=row.ticker,
        side=row.side,
        late_watch_until__gt=now,
        attempts__state="ABSENT",
        attempts__intent__quantity=row.quantity,
    ).exists()


def _see(books: Books, order: BrokerOrder, row: OrderRow, session_over: bool) -> None:
    if order.owner_id and not row.is_change and row.quantity != order.quantity:
        _take_quantity(order, row)
    if row.filled_quantity < order.filled_quantity:
        _flag_regress(order, row, books.now)
        return
    if order.flag == REGRESSED:
        _unflag(order)
    if not row.is_change and not book_fill(books, order, row):
        _flag(order, "fill_contradicts", broker=row.filled_quantity, won=row.filled_amount)
        return
    order.cancelled_quantity = row.cancelled_quantity
    order.remaining_quantity = row.remaining_quantity
    order.rejected_quantity = row.rejected_quantity
    # An expired order may show nothing remaining and nothing cancelled, but so does a list that lags:
    # before the session is over only numbers that add up end an order.
    accounted = row.filled_quantity + row.cancelled_quantity + row.rejected_quantity
    order.is_final = accounted >= row.quantity or row.is_change or session_over
    order.listed = True
    order.last_seen_at = books.now
    books.orders.append(order)
    if order.owner is not None and not row.is_change:
        follow_order(books, order.owner, order)


def _take_quantity(order: BrokerOrder, row: OrderRow) -> None:
    """What was accepted is not what was sent: the books follow the broker. More than was sent is traded without
    anybody's approval, so nothing else goes out until somebody has looked."""
    _flag(order, "quantity_differs", broker=row.quantity, ours=order.quantity)
    if row.quantity > order.quantity:
        reason = f"order {order.order_no} is larger than was sent"
        engage(account_scope(order.account), "HALTED", SYSTEM, reason)
    if row.quantity >= order.filled_quantity:
        # at once: the ledger takes no step beyond what its order says
        BrokerOrder.objects.filter(pk=order.pk).update(quantity=row.quantity)
        order.quantity = row.quantity


def _flag_regress(order: BrokerOrder, row: OrderRow, now: datetime) -> None:
    """Lists lag and flap: what was once confirmed stays booked. What is still less after minutes has been
    taken back, and what that means for the books a person decides."""
    if order.flag == CORRECTED:
        return
    told = _open_alerts(order).order_by("created_at").first()
    lasts = order.flag == REGRESSED and told is not None and now - told.created_at >= LAG
    flag = CORRECTED if lasts else REGRESSED
    if order.flag != flag:
        _flag(order, flag, broker=row.filled_quantity, ours=order.filled_quantity)


def _unflag(order: BrokerOrder) -> None:
    """The list shows again what it had shown before."""
    BrokerOrder.objects.filter(pk=order.pk).update(flag="")
    order.flag = ""
    _open_alerts(order).update(acknowledged_at=timezone.now(), acknowledged_by=SYSTEM)


def _open_alerts(order: BrokerOrder) -> QuerySet[Alert]:
    return Alert.objects.filter(
        code=REGRESSED, account=order.account, order_no=order.order_no, acknowledged_at=None
    )


def _flag(order: BrokerOrder, flag: str, **facts: Any) -> None:
    BrokerOrder.objects.filter(pk=order.pk).update(flag=flag)
    order.flag = flag
    alert(
        flag,
        severity=Alert.Severity.PAGE,
        account=order.account,
        order_no=order.order_no,
        intent_id=order.owner_id,
        **facts,
    )
