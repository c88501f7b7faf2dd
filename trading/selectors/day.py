"""What a day brought to an account, from its first look and its fills."""

from __future__ import annotations

from datetime import datetime

from trading.domain.day import Opening, Traded, day_result
from trading.domain.sessions import SEOUL
from trading.models import Ledger, Side, Snapshot
from trading.selectors.calendar import hours_on

__all__ = ["first_of_the_day", "result_of_the_day", "worth_at_the_close"]


def first_of_the_day(snapshot: Snapshot) -> Snapshot | None:
    """The first look at the account since the session opened; before that closes are yesterday's."""
    day = snapshot.taken_at.astimezone(SEOUL).date()
    try:
        opened = hours_on(day).open
    except ValueError:
        return None
    return (
        Snapshot.objects.filter(
            account=snapshot.account_id, taken_at__gte=opened, taken_at__lte=snapshot.taken_at
        )
        .order_by("pk")
        .first()
    )


def worth_at_the_close(first: Snapshot) -> int:
    """The account's value at the previous close, as the day's first look found it."""
    return first.cash + sum(held.shares * held.close for held in _opening(first).values())


def _opening(first: Snapshot) -> dict[str, Opening]:
    return {
        ticker: Opening(row["quantity"], first.quotes[ticker]["reference"])
        for ticker, row in first.holdings.items()
    }


def result_of_the_day(
    first: Snapshot, newest: Snapshot, until: datetime | None = None
) -> int | None:
    """Won gained (+) or lost (−) since the previous close at the prices of `newest`, by what was held at
    `first` and every fill since, or those up to `until`. None where a price is missing."""
    fills = Ledger.objects.filter(order__account=first.account_id, posted_at__gt=first.taken_at)
    if until is not None:
        fills = fills.filter(posted_at__lte=until)
    prices = {ticker: quote["last"] for ticker, quote in newest.quotes.items()}
    return day_result(_opening(first), [_traded(f) for f in fills.select_related("order")], prices)


def _traded(fill: Ledger) -> Traded:
    costs = fill.fee + fill.tax
    if fill.order.side == Side.BUY:
        return Traded(fill.order.instrument_id, fill.quantity, -fill.amount - costs)
    return Traded(fill.order.instrument_id, -fill.quantity, fill.amount - costs)
