"""Keeps the overview true: a fresh look at every account while nothing of ours is working on it."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from rebalancing.models import Run, RunSchedule
from rebalancing.services.day_jobs import closing_snapshots
from rebalancing.services.flows import counted_snapshots
from rebalancing.services.news import announce_account
from rebalancing.services.targets import current_target
from trading.domain.errors import BrokerError, ConfigurationError, InputError
from trading.models import Account, BrokerOrder, Snapshot
from trading.selectors.day import first_of_the_day
from trading.services.clock import market_clock
from trading.services.snapshots import take_snapshot

__all__ = ["LOOK_EVERY", "refresh_accounts"]

log = structlog.get_logger(__name__)
LOOK_EVERY = timedelta(seconds=60)
KEPT = 200


def refresh_accounts() -> list[int]:
    """Take a snapshot of each account whose newest is a minute old; returns the accounts read.

    An account with a run or a working order is left alone: its own poll reads it, and a balance in the
    middle of a fill would look like somebody else's trade.
    """
    read = []
    for account in Account.objects.filter(is_active=True):
        try:
            now = market_clock(account).now()
            if _is_due(account, now):
                _look(account)
                read.append(account.pk)
        except (BrokerError, ConfigurationError, InputError) as error:
            log.warning("account_not_read", account=account.pk, error=str(error))
    return read


def _is_due(account: Account, now: datetime) -> bool:
    if current_target(account) is None or Run.objects.filter(account=account, terminal_at=None):
        return False
    if BrokerOrder.objects.filter(account=account, is_final=False).exists():
        return False
    newest = Snapshot.objects.filter(account=account).only("ended_at").first()
    return newest is None or now - newest.ended_at >= LOOK_EVERY


def _look(account: Account) -> None:
    target = current_target(account)
    assert target is not None
    take_snapshot(account, [t for tickers in target.snapshot["sub"].values() for t in tickers])
    _forget_old(account)
    announce_account(account.pk)


def _forget_old(account: Account) -> None:
    """Looks that no run was made on are kept for a few hours only, and the first of the day, which the
    day's loss is counted from, those of the close, and those that a schedule counts deposits from."""
    rows = Snapshot.objects.filter(account=account)
    edge = rows.values_list("pk", flat=True)[KEPT : KEPT + 1]
    if edge:
        used = Run.objects.exclude(snapshot=None).values("snapshot_id")
        newest = rows.first()
        first = first_of_the_day(newest) if newest is not None else None
        kept = [first.pk] if first is not None else []
        kept += RunSchedule.objects.exclude(baseline=None).values_list("baseline_id", flat=True)
        kept += closing_snapshots(account)
        kept += counted_snapshots(account)
        rows.filter(pk__lte=edge[0]).exclude(pk__in=used).exclude(pk__in=kept).delete()
