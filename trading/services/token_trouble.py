"""The broker gives out tokens that open nothing: a person is told, and after the third the account stops.

Without a token nobody sees what working orders do; when it comes back, nothing must go out by itself.
"""

from __future__ import annotations

from trading.models import Account, Alert
from trading.services.alerts import alert
from trading.services.switches import account_scope, engage, switch_state

__all__ = ["stop_without_a_token"]

MOST = 3


def stop_without_a_token(account: Account, code: str, times: int) -> None:
    """Page with `code`; halt `account` when the dead token came for the third time in a row."""
    alert(code, severity=Alert.Severity.PAGE, account=account)
    if code == "token_dead_again" and times >= MOST and switch_state(account) != "HALTED":
        engage(account_scope(account), "HALTED", "system", f"no token after {times} tries")
