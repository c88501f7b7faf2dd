"""Books what a list of the broker's rows shows, in one transaction and few statements.

Under the account's row lock: cumulative numbers become ledger steps, lots and positions; orders and
their intents move; promises of final orders are released. What regresses or contradicts itself is
flagged and not booked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trading.domain.errors import StateConflict
from trading.domain.orders import INTENT_TERMINAL, IntentState
from trading.domain.ports import OrderRow
from trading.models import (
    Account,
    Alert,
    BrokerOrder,
    Instrument,
    Intent,
    Lane,
    Ledger,
    Lot,
    LotPosting,
    Position,
    Reservation,
    Side,
    Transition,
)
from trading.services.alerts import alert
from trading.services.audit import audit
from trading.services.ledger import EXTERNAL, costs_of, sleeve_of
from trading.services.switches import account_scope, engage

__all__ = ["book_rows", "follow_final", "see_order"]

SYSTEM = "system"


@dataclass
class _Fill:
    """One ledger step with what it does to lots; rows are written together at the end."""

    ledger: Ledger
    opened: Lot | None = None
    closed: list[tuple[Lot, int]] = field(default_factory=list)


@dataclass
class _Books:
    """Everything one pass changes, collected first."""

    account: Account
    now: datetime
    fills: list[_Fill] = field(default_factory=list)
    orders: list[BrokerOrder] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    final: list[dict[str, Any]] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    positions: dict[str, Position] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    lots: dict[str, list[Lot]] | None = None


def book_rows(
    account: Account, rows: Iterable[OrderRow], now: datetime, *, session_over: bool
) -> None:
    """Book `rows`, read at `now`. Must run inside a transaction.

    A row on a lane that waits for an answer is left alone: it may be the order we are waiting for.
    """
    rows = list(rows)
    Account.objects.select_for_update().get(pk=account.pk)
    known = {
        (order.trade_date, order.order_no): order
        for order in BrokerOrder.objects.filter(
            account=account, trade_date__in={row.trade_date for row in rows}
        ).select_related("owner__sleeve", "instrument", "account")
    }
    frozen = set(
        Lane.objects.filter(
            account=account, attempts__state__in=["SENDING", "UNKNOWN"]
        ).values_list("instrument_id", "side")
    )
    books = _Books(account, now)
    for row in rows:
        order = known.get((row.trade_date, row.order_no))
        if order is None:
            if (row.ticker, row.side) in frozen:
                continue
            order = _external(account, row, now)
        over = session_over or row.trade_date < now.date()
        if _differs(order, row, over):
            _see(books, order, row, over)
    _write(books)


def see_order(order: BrokerOrder, row: OrderRow, now: datetime, *, session_over: bool) -> None:
    """Book one row that has just been given its owner. Must run inside a transaction."""
    books = _Books(order.account, now)
    _see(books, order, row, session_over)
    _write(books)


def follow_final(order: BrokerOrder, now: datetime) -> None:
    """An order of an earlier day is over: its intent expires. Must run inside a transaction."""
    books = _Books(order.account, now)
    order.is_final = True
    books.orders.append(order)
    if order.owner is not None:
        _follow(books, order.owner, order)
    _write(books)


def _differs(order: BrokerOrder, row: OrderRow, session_over: bool) -> bool:
    """A final order that shows the same numbers again is old news."""
    return (
        not order.listed
        or row.filled_quantity != order.filled_quantity
        or row.remaining_quantity != order.remaining_quantity
        or row.cancelled_quantity != order.cancelled_quantity
        or row.rejected_quantity != order.rejected_quantity
        or (session_over and not order.is_final)
    )


def _external(account: Account, row: OrderRow, now: datetime) -> BrokerOrder:
    instrument, _made = Instrument.objects.get_or_create(
        ticker=row.ticker, defaults={"name": row.ticker, "kind": "kospi", "tradable": False}
    )
    order = BrokerOrder.objects.create(
        account=account,
        trade_date=row.trade_date,
        org_no=row.org_no,
        order_no=row.order_no,
        original_order_no=row.original_order_no,
        source=BrokerOrder.Source.EXTERNAL,
        instrument=instrument,
        side=row.side,
        quantity=row.quantity,
        price=row.price,
        remaining_quantity=row.remaining_quantity,
        order_time=row.order_time,
        first_seen_at=now,
        last_seen_at=now,
    )
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


def _see(books: _Books, order: BrokerOrder, row: OrderRow, session_over: bool) -> None:
    if order.owner_id and not row.is_change and row.quantity != order.quantity:
        _flag(order, "quantity_differs", broker=row.quantity, ours=order.quantity)
    if row.filled_quantity < order.filled_quantity:
        # Lists lag and flap: what was once confirmed stays booked.
        if order.flag != "fill_regressed":
            _flag(order, "fill_regressed", broker=row.filled_quantity, ours=order.filled_quantity)
        return
    if not row.is_change and not _fill(books, order, row):
        _flag(order, "fill_contradicts", broker=row.filled_quantity, won=row.filled_amount)
        return
    order.cancelled_quantity = row.cancelled_quantity
    order.remaining_quantity = row.remaining_quantity
    order.rejected_quantity = row.rejected_quantity
    # An expired order shows nothing remaining and nothing cancelled, but so does a list that lags:
    # before the session is over only numbers that add up end an order.
    accounted = row.filled_quantity + row.cancelled_quantity + row.rejected_quantity
    order.is_final = accounted >= row.quantity or row.is_change or session_over
    order.listed = True
    order.last_seen_at = books.now
    books.orders.append(order)
    if order.owner is not None and not row.is_change:
        _follow(books, order.owner, order)


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


# --- fills -----------------------------------------------------------------------------------
def _fill(books: _Books, order: BrokerOrder, row: OrderRow) -> bool:
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
    fill = _Fill(
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


def _post_lots(books: _Books, fill: _Fill, order: BrokerOrder) -> None:
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
        _shift(books, order.instrument_id, step.quantity, cost)
        return
    left, cost = step.quantity, 0
    lots = sorted(
        _lots_of(books, order.instrument_id), key=lambda lot: (lot.sleeve_id != sleeve.pk, lot.pk)
    )
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


def _lots_of(books: _Books, ticker: str) -> list[Lot]:
    """The account's open lots, read once a pass; oldest first."""
    if books.lots is None:
        found: dict[str, list[Lot]] = defaultdict(list)
        for lot in Lot.objects.filter(account=books.account, open_quantity__gt=0).order_by("pk"):
            found[lot.instrument_id].append(lot)
        books.lots = found
    return books.lots.get(ticker, [])


def _shift(books: _Books, ticker: str, quantity: int, cost: int) -> None:
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


# --- intents ---------------------------------------------------------------------------------
def _follow(books: _Books, intent: Intent, order: BrokerOrder) -> None:
    """Move the intent to where its order is, with its fills, in one conditional UPDATE."""
    old, wanted = str(intent.state), _state_of(order, intent)
    moves = wanted is not None and wanted != old and IntentState(old) not in INTENT_TERMINAL
    if old == IntentState.CANCELING and wanted == IntentState.PARTIAL:
        moves = False
    values: dict[str, Any] = {
        "filled_quantity": order.filled_quantity,
        "filled_amount": order.filled_amount,
    }
    if moves:
        assert wanted is not None
        values |= {"state": str(wanted), "state_since": books.now, "state_reason": ""}
    if not Intent.objects.filter(pk=intent.pk, state=old).update(**values):
        raise StateConflict("moved_meanwhile", object=f"intent {intent.pk}", expected=old)
    if not moves:
        return
    assert wanted is not None
    _note(books, intent, old, wanted)
    if wanted in INTENT_TERMINAL:
        books.released.append(intent.pk)
        books.final.append(
            {
                "intent": intent.pk,
                "state": str(wanted),
                "filled": order.filled_quantity,
                "amount": order.filled_amount,
            }
        )


def _note(books: _Books, intent: Intent, old: str, new: IntentState, reason: str = "") -> None:
    intent.state = new
    books.transitions.append(
        Transition(
            object_type="intent",
            object_id=intent.pk,
            from_state=old,
            to_state=str(new),
            at=books.now,
            by=SYSTEM,
            reason=reason,
        )
    )


def _state_of(order: BrokerOrder, intent: Intent) -> IntentState | None:
    if order.filled_quantity >= intent.quantity:
        return IntentState.FILLED
    if order.is_final:
        if order.rejected_quantity and not order.filled_quantity:
            return IntentState.REJECTED_LATE if intent.state == "ACKED" else IntentState.EXPIRED
        return IntentState.CANCELED if order.cancelled_quantity else IntentState.EXPIRED
    return IntentState.PARTIAL if order.filled_quantity else None


def _finish_cancels(books: _Books) -> None:
    """Where the target is final, its cancels have nothing left to do."""
    targets = {order.pk: order for order in books.orders if order.is_final and order.owner_id}
    if not targets:
        return
    for cancel in Intent.objects.filter(
        target_order__in=targets, state__in=[IntentState.ACKED, IntentState.AUTHORIZED]
    ):
        old = str(cancel.state)
        if old == IntentState.AUTHORIZED:
            new, reason = IntentState.REVOKED, "target is final"
        else:
            cancelled = targets[cancel.target_order_id or 0].cancelled_quantity
            new, reason = (IntentState.CANCELED if cancelled else IntentState.EXPIRED), ""
        moved = Intent.objects.filter(pk=cancel.pk, state=old).update(
            state=str(new), state_since=books.now, state_reason=reason
        )
        if moved:
            _note(books, cancel, old, new, reason)


# --- writing ---------------------------------------------------------------------------------
def _write(books: _Books) -> None:
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
    _finish_cancels(books)
    if books.transitions:
        Transition.objects.bulk_create(books.transitions)
    if books.released:
        Reservation.objects.filter(intent__in=books.released, closed_at=None).update(
            closed_at=books.now
        )
        audit(SYSTEM, "orders_final", f"account:{books.account.pk}", {"orders": books.final})


def _postings(fills: list[_Fill]) -> list[LotPosting]:
    made = []
    for fill in fills:
        if fill.opened is not None:
            made.append(
                LotPosting(ledger=fill.ledger, lot=fill.opened, quantity=fill.ledger.quantity)
            )
        made += [LotPosting(ledger=fill.ledger, lot=lot, quantity=-n) for lot, n in fill.closed]
    return made
