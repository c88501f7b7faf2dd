"""A balance that contradicts our books is believed when it says the same again later, and not before.

Shares that are doubled, that nobody holds or that are missing in one answer would be traded on: a plan would
sell what is not there or buy what there is already.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from trading.domain.errors import BrokerContradicts
from trading.domain.ports import Balance
from trading.models import Account, Alert, Position
from trading.services.alerts import alert

__all__ = ["HOLDINGS_DIFFER", "require_confirmed"]

HOLDINGS_DIFFER = "holdings_differ"
CONFIRMED_AFTER = timedelta(seconds=30)


def require_confirmed(
    account: Account, balance: Balance, at: datetime, *, moving: Callable[[], bool]
) -> None:
    """Raise BrokerContradicts while `balance`, read `at`, differs from our positions and has not said so for
    half a minute. What it says of an account that was never seen before is all there is to know.

    While an order is `moving` a difference proves nothing. Call outside a transaction: the alert it leaves is
    the memory of it.
    """
    rows = Position.objects.filter(account=account).values_list("instrument_id", "quantity")
    ours = {ticker: quantity for ticker, quantity in rows if quantity}
    theirs = {holding.ticker: holding.quantity for holding in balance.holdings}
    told = _open_alerts(account)
    if not rows or ours == theirs:
        _close(told)
        return
    if moving():
        return
    differing = [
        f"{ticker} {ours.get(ticker, 0)} → {theirs.get(ticker, 0)}"
        for ticker in sorted({*ours, *theirs})
        if ours.get(ticker, 0) != theirs.get(ticker, 0)
    ]
    before = told.first()
    if before is not None and before.facts.get("tickers") == differing:
        if at - before.created_at >= CONFIRMED_AFTER:
            _close(told)
            return
    else:
        _close(told)
        alert(HOLDINGS_DIFFER, account=account, tickers=differing)
    raise BrokerContradicts("the balance is not what our books say")


def _open_alerts(account: Account) -> QuerySet[Alert]:
    return Alert.objects.filter(code=HOLDINGS_DIFFER, account=account, acknowledged_at=None)


def _close(told: QuerySet[Alert]) -> None:
    told.update(acknowledged_at=timezone.now(), acknowledged_by="system")
