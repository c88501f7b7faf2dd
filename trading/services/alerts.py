"""An alert is a row first: it survives every outage, and whoever listens reads it from there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from trading.domain.errors import ConfigurationError
from trading.models import Account, Alert
from trading.services.audit import audit
from trading.services.clock import market_clock

__all__ = ["acknowledge", "alert"]

log = structlog.get_logger(__name__)


def alert(
    code: str,
    *,
    severity: str = Alert.Severity.WARNING,
    account: Account | None = None,
    intent_id: int | None = None,
    run_id: int | None = None,
    order_no: str = "",
    repeat_after: timedelta | None = None,
    **facts: Any,
) -> Alert:
    """Record that a person should look.

    The same open alert about the same thing is not repeated, unless `repeat_after` has passed.
    """
    about = [f"intent {intent_id}" if intent_id else "", f"run {run_id}" if run_id else ""]
    subject = " ".join([code, *filter(None, about), order_no]).strip()
    found = Alert.objects.filter(
        code=code,
        account=account,
        intent_id=intent_id,
        run_id=run_id,
        order_no=order_no,
        acknowledged_at=None,
    ).first()
    now = _now(account)
    if found is not None and (repeat_after is None or now - found.created_at < repeat_after):
        return found
    log.warning("alert", code=code, subject=subject, severity=severity)
    return Alert.objects.create(
        severity=severity,
        code=code,
        facts=facts,
        subject=subject[:200],
        account=account,
        intent_id=intent_id,
        run_id=run_id,
        order_no=order_no,
        created_at=now,
        delivered_at=now,  # the page's alert list reads this row directly
    )


def _now(account: Account | None) -> datetime:
    """The account's own market time, so that "today" means the same day as its orders."""
    if account is None:
        return timezone.now()
    try:
        return market_clock(account).now()
    except ConfigurationError:
        return timezone.now()


def acknowledge(found: Alert, by: str) -> None:
    """Say that `by` has read it, audited. Whoever said so first stays on record."""
    with transaction.atomic():
        mine = Alert.objects.filter(pk=found.pk, acknowledged_at=None).update(
            acknowledged_by=by, acknowledged_at=timezone.now()
        )
        if mine:
            audit(by, "alert_acknowledged", f"alert:{found.pk}", {"code": found.code})
