"""What Celery wakes in the facts' floor: reconciliation between runs, the broker's calendar."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task

from trading.domain.errors import BrokerError, ConfigurationError
from trading.models import Account, Attempt, BrokerOrder, Enumeration
from trading.services.calendar import refresh_market_days
from trading.services.clock import market_clock
from trading.services.epochs import close_dead_epochs
from trading.services.reconcile import reconcile_account
from trading.services.refusals import unchecked_refusals

__all__ = ["reconcile_idle", "refresh_calendar"]

log = structlog.get_logger(__name__)


@shared_task(max_retries=0, soft_time_limit=45, time_limit=60)
def reconcile_idle() -> None:
    """Look after every account that still has an order working or an attempt without an answer."""
    close_dead_epochs()
    for account in Account.objects.filter(is_active=True):
        try:
            if _has_open_work(account) or _due_for_a_look(account):
                reconcile_account(account)
        except (BrokerError, ConfigurationError) as error:
            log.warning("reconcile_waits", account=account.pk, error=str(error))


def _has_open_work(account: Account) -> bool:
    return (
        Attempt.objects.filter(intent__account=account, state__in=["SENDING", "UNKNOWN"]).exists()
        or BrokerOrder.objects.filter(account=account, is_final=False).exists()
        or unchecked_refusals(account, market_clock(account).now()).exists()
    )


def _due_for_a_look(account: Account) -> bool:
    """An account that traded today or the session before is read in full every ten minutes: lists lag,
    and a fill may show after its order seemed over."""
    newest = Enumeration.objects.filter(account=account, complete=True).only("ended_at").first()
    if newest is None:
        return False
    age = market_clock(account).now() - newest.ended_at
    return timedelta(minutes=10) < age < timedelta(days=4)


@shared_task(max_retries=0, soft_time_limit=45, time_limit=60)
def refresh_calendar() -> None:
    """The broker's own calendar, at most once a day for each account that offers it."""
    for account in Account.objects.filter(is_active=True):
        try:
            refresh_market_days(account)
        except ConfigurationError as error:
            log.warning("calendar_waits", account=account.pk, error=str(error))
