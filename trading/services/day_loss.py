"""Stops an account that has lost too much since the previous close."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from trading.domain.day import strictness
from trading.models import Account, Alert, Snapshot
from trading.selectors.day import first_of_the_day, result_of_the_day, worth_at_the_close
from trading.services.alerts import alert
from trading.services.brokers import broker_for
from trading.services.clock import market_clock
from trading.services.switches import account_scope, engage, switch_state

__all__ = ["look_at_the_day", "stop_when_the_day_is_lost"]

AGAIN = timedelta(hours=6)
"""Less than from one session to the next: each day may stop the account again, once for each step."""
_CODES = {"REDUCING": "daily_loss_reducing", "HALTED": "daily_loss_halted"}


def stop_when_the_day_is_lost(account: Account, newest: Snapshot) -> str | None:
    """REDUCING at three percent lost since the previous close, HALTED at five. Returns the new state.

    Positions and fills only: money that came or went without a trade counts as neither. A release
    holds for the rest of the day, until the loss reaches the next step.
    """
    first = first_of_the_day(newest)
    if first is None:
        return None
    result = result_of_the_day(first, newest)
    equity = worth_at_the_close(first)
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
