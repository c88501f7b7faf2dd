"""A stop by a person is told to everybody it concerns, once, and the telling ends with the release. One of what
is stopped already tells nothing new.

What the system stops by itself is told by whoever found the reason, with that reason.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from django.db import transaction

from trading.models import Account, Alert
from trading.selectors.independence import plain_name
from trading.selectors.scopes import GLOBAL
from trading.services.alerts import acknowledge, alert

__all__ = ["SYSTEM", "end_stop_alerts", "tell_stop"]

log = structlog.get_logger(__name__)

SYSTEM = "system"
_HALTED = {True: "all_halted_by", False: "account_halted_by"}
_REDUCED = {True: "all_reduced_by", False: "account_reduced_by"}


def tell_stop(scope: str, state: str, by: str, reason: str, accounts: Iterable[Account]) -> None:
    """An alert on each account that the stop concerns. Never fails: the stop is in force already."""
    if by == SYSTEM:
        return
    halted = state == "HALTED"
    code = (_HALTED if halted else _REDUCED)[scope == GLOBAL]
    severity = Alert.Severity.PAGE if halted else Alert.Severity.WARNING
    try:
        with transaction.atomic():
            for account in accounts:
                alert(code, severity=severity, account=account, who=plain_name(by), reason=reason)
    except Exception:
        log.exception("stop_not_told", scope=scope)


def end_stop_alerts(scope: str, by: str, accounts: Iterable[Account]) -> None:
    """Those of `scope` that nobody has acknowledged are acknowledged by whoever released it."""
    codes = [_HALTED[scope == GLOBAL], _REDUCED[scope == GLOBAL]]
    still = Alert.objects.filter(code__in=codes, account__in=accounts, acknowledged_at=None)
    for found in still:
        acknowledge(found, by)
