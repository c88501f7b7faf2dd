"""Stops an account by itself when too much goes wrong on it in one day."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from trading.models import Account, Alert, Attempt, Transition
from trading.services.alerts import alert
from trading.services.clock import market_clock
from trading.services.switches import account_scope, engage, switch_state

__all__ = [
    "MOST_REJECTS",
    "MOST_SKEW",
    "MOST_UNKNOWN",
    "stop_when_the_clock_is_off",
    "stop_when_too_much_goes_wrong",
]

MOST_UNKNOWN = 3
"""Orders without a readable answer in one day: the next one would only make it harder to see."""
MOST_REJECTS = 10
REJECT_WINDOW = timedelta(minutes=10)
MOST_SKEW = timedelta(seconds=30)
"""Beyond this a deadline, a cut-off and the age of a quote mean nothing any more."""
CONFIRMED_AFTER_SECONDS = 3.0
_off_since: dict[int, float] = {}


def stop_when_too_much_goes_wrong(account: Account) -> str | None:
    """Halt the account after its third UNKNOWN of the day or more than ten refusals in ten minutes.

    Returns the reason when it halted. Soft refusals (too fast, dead token) do not count.
    """
    now = market_clock(account).now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    mine = Attempt.objects.filter(intent__account=account)
    unknown = Transition.objects.filter(
        object_type="attempt",
        to_state="UNKNOWN",
        at__gte=midnight,
        object_id__in=mine.filter(committed_at__gte=midnight).values("pk"),
    ).count()
    rejects = mine.filter(
        state="REJECTED", soft=False, committed_at__gt=now - REJECT_WINDOW
    ).count()
    reason = ""
    if unknown >= MOST_UNKNOWN:
        reason = f"{unknown} unknown orders today"
    elif rejects > MOST_REJECTS:
        reason = f"{rejects} rejects in ten minutes"
    if not reason or switch_state(account) == "HALTED":
        return None
    engage(account_scope(account), "HALTED", "system", reason)
    alert("account_halted", severity=Alert.Severity.PAGE, account=account, reason=reason)
    return reason


def stop_when_the_clock_is_off(
    account: Account,
    skew: timedelta | None,
    monotonic: Callable[[], float] = time.monotonic,
) -> bool:
    """Halt the account when our clock and the broker's differ by more than half a minute, seen twice
    some seconds apart without a good reading between. True when it halted."""
    if skew is None or abs(skew) <= MOST_SKEW:
        _off_since.pop(account.pk, None)
        return False
    seen = _off_since.setdefault(account.pk, monotonic())
    if monotonic() - seen < CONFIRMED_AFTER_SECONDS or switch_state(account) == "HALTED":
        return False
    seconds = round(skew.total_seconds())
    engage(account_scope(account), "HALTED", "system", f"clock off by {seconds} s")
    alert("clock_off", severity=Alert.Severity.PAGE, account=account, seconds=seconds)
    return True
