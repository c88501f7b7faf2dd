"""Stops an account that has lost too much since the previous close."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from trading.domain.day import Opening, Traded, day_result, strictness
from trading.domain.sessions import session_hours
from trading.models import Account, Alert, Ledger, Side, Snapshot
from trading.services.alerts import alert
from trading.services.brokers import broker_for
from trading.services.calendar import is_trading_day
from trading.services.clock import SEOUL, market_clock
from trading.services.switches import account_scope, engage, switch_state

__all__ = ["first_of_the_day", "look_at_the_day", "stop_when_the_day_is_lost"]

AGAIN = timedelta(hours=6)
"""Less than from one session to the next: each day may stop the account again, once for each step."""
_CODES = {"REDUCING": "daily_loss_reducing", "HALTED": "daily_loss_halted"}


def first_of_the_day(snapshot: Snapshot) -> Snapshot | None:
    """The first look at the account since the session opened; before that closes are yesterday's."""
    day = snapshot.taken_at.astimezone(SEOUL).date()
    if not is_trading_day(day):
        return None
    opened = session_hours(day).open
    return (
        Snapshot.objects.filter(
            account=snapshot.account_id, taken_at__gte=opened, taken_at__lte=snapshot.taken_at
        )
        .order_by("pk")
        .first()
    )


def stop_when_the_day_is_lost(account: Account, newest: Snapshot) -> str | None:
    """REDUCING at three percent lost since the previous close, HALTED at five. Returns the new state.

    Positions and fills only: money that came or went without a trade counts as neither. A release
    holds for the rest of the day, until the loss reaches the next step.
    """
    first = first_of_the_day(newest)
    if first is None:
        return None
    result = _result(account, first, newest)
    equity = first.cash + sum(held.shares * held.close for held in _opening(first).values())
    state = "ACTIVE" if result is None else strictness(result, equity)
    if state == "ACTIVE" or not _is_news(account, state, newest):
        return None
    percent = str((Decimal(result or 0) * 100 / equity).quantize(Decimal("0.1")))
    reason = f"daily loss {percent} %"
    engage(account_scope(account), state, "system", reason)
    alert(
        _CODES[state],
        severity=Alert.Severity.PAGE,
        account=account,
        repeat_after=AGAIN,
        percent=percent,
        won=result,
    )
    return state


def look_at_the_day(account: Account, tickers: Iterable[str]) -> str | None:
    """The same on prices read now, of what was held at the day's start and of `tickers`: for a run that
    buys long after its first look. Raises BrokerError."""
    newest = Snapshot(account=account, taken_at=market_clock(account).now())
    first = first_of_the_day(newest)
    if first is None:
        return None
    broker = broker_for(account)
    newest.quotes = {
        ticker: {"last": broker.quote(ticker).last}
        for ticker in sorted({*first.holdings, *tickers})
    }
    return stop_when_the_day_is_lost(account, newest)


def _is_news(account: Account, state: str, newest: Snapshot) -> bool:
    """Not stopped as strictly already, and not stopped and released at this step today."""
    if switch_state(account) in (state, "HALTED"):
        return False
    return not Alert.objects.filter(
        account=account, code=_CODES[state], created_at__gt=newest.taken_at - AGAIN
    ).exists()


def _opening(first: Snapshot) -> dict[str, Opening]:
    return {
        ticker: Opening(row["quantity"], first.quotes[ticker]["reference"])
        for ticker, row in first.holdings.items()
    }


def _result(account: Account, first: Snapshot, newest: Snapshot) -> int | None:
    fills = Ledger.objects.filter(order__account=account, posted_at__gt=first.taken_at)
    prices = {ticker: quote["last"] for ticker, quote in newest.quotes.items()}
    return day_result(_opening(first), [_traded(f) for f in fills.select_related("order")], prices)


def _traded(fill: Ledger) -> Traded:
    costs = fill.fee + fill.tax
    if fill.order.side == Side.BUY:
        return Traded(fill.order.instrument_id, fill.quantity, -fill.amount - costs)
    return Traded(fill.order.instrument_id, -fill.quantity, fill.amount - costs)
