"""Stops an account by itself when too much goes wrong on it in one day."""

from __future__ import annotations

from datetime import timedelta

from trading.models import Account, Alert, Attempt, Transition
from trading.services.alerts import alert
from trading.services.clock import market_clock
from trading.services.switches import account_scope, engage, switch_state

__all__ = ["MOST_REJECTS", "MOST_UNKNOWN", "stop_when_too_much_goes_wrong"]

MOST_UNKNOWN = 3
"""Orders without a readable answer in one day: the next one would only make it harder to see."""
MOST_REJECTS = 10
REJECT_WINDOW = timedelta(minutes=10)


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
