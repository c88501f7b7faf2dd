"""What Celery wakes in the facts' floor: reconciliation between runs, the broker's calendar."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task

from trading.domain.errors import BrokerError, ConfigurationError
from trading.models import Account, BrokerOrder
from trading.selectors.order_lists import newest_whole_list
from trading.services.calendar import refresh_market_days
from trading.services.clock import market_clock
from trading.services.epochs import close_dead_epochs
from trading.services.reconcile import reconcile_account
from trading.services.refusals import unchecked_refusals
from trading.services.unanswered import is_unanswered

__all__ = ["reconcile_idle", "refresh_calendar"]

log = structlog.get_logger(__name__)

READ_LATELY = timedelta(seconds=10)
"""A whole list of that age need not be asked for again: the broker's limit is shared with the sending."""
QUIET_LOOK = timedelta(minutes=10)
FORGOTTEN = timedelta(days=4)


@shared_task(max_retries=0, soft_time_limit=45, time_limit=60)
def reconcile_idle() -> None:
    """Look after every account that still has an order working or an attempt without an answer."""
    close_dead_epochs()
    for account in Account.objects.filter(is_active=True):
        try:
            if _wants_a_look(account):
                reconcile_account(account)
        except (BrokerError, ConfigurationError) as error:
            log.warning("reconcile_waits", account=account.pk, error=str(error))


def _wants_a_look(account: Account) -> bool:
    """What has no answer and what was refused unproven are looked for every time, what is open unless a run
    has just read the list. An account that traded today or the session before is read in full every ten
    minutes: lists lag, and a fill may show after its order seemed over."""
    now = market_clock(account).now()
    if is_unanswered(account) or unchecked_refusals(account, now).exists():
        return True
    newest = newest_whole_list(account.pk, now)
    age = now - newest if newest is not None else None
    if age is not None and age < READ_LATELY:
        return False
    if age is not None and QUIET_LOOK < age < FORGOTTEN:
        return True
    return BrokerOrder.objects.filter(account=account, is_final=False).exists()


@shared_task(max_retries=0, soft_time_limit=45, time_limit=60)
def refresh_calendar() -> None:
    """The broker's own calendar, at most once a day for each account that offers it."""
    for account in Account.objects.filter(is_active=True):
        try:
            refresh_market_days(account)
        except ConfigurationError as error:
            log.warning("calendar_waits", account=account.pk, error=str(error))
