"""The only way out of not knowing: read the broker's whole order list and compare.

Fills are booked from here and from nowhere else. A row may add knowledge; a missing row proves
something only in a complete list, read more than once.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime

import structlog
from django.db import transaction
from django.db.models import F, Q

from trading.domain.errors import BrokerUnavailable
from trading.domain.orders import AttemptState
from trading.domain.ports import OrderList
from trading.domain.reconciliation import keys_of
from trading.models import (
    Account,
    Attempt,
    BrokerOrder,
    Enumeration,
    ReconciledEpoch,
)
from trading.models.prepared import Prepared
from trading.selectors.calendar import known_calendar, session_over
from trading.selectors.unclaimed import row_as_json
from trading.services import epochs
from trading.services.booking import book_rows, follow_final
from trading.services.brokers import broker_for
from trading.services.clock import SEOUL, market_clock
from trading.services.guards import stop_when_the_clock_is_off
from trading.services.refusals import KEPT_OPEN, check_refusals, is_unchecked
from trading.services.unanswered import is_unanswered, resolve
from trading.services.whole_lists import tell_untrue_list, whole_or_not

__all__ = ["ensure_reconciled", "enumerate_orders", "read_orders", "reconcile_account"]

log = structlog.get_logger(__name__)


def ensure_reconciled(account: Account) -> None:
    """Before this process sends anything for `account` today it must have read its whole order list.

    Raises BrokerUnavailable when the list cannot be read to its end.
    """
    today = market_clock(account).now().date()
    epoch = epochs.current_epoch()
    if _RECONCILED(epoch=epoch.pk, account=account.pk, day=today):
        return
    if not reconcile_account(account).complete:
        raise BrokerUnavailable("the order list could not be read to its end")


def reconcile_account(account: Account) -> Enumeration:
    """Read the order list, book what is new, and try to resolve what is unknown.

    A complete reading lets this process send for the account for the rest of the day.
    """
    found, listing = read_orders(account)
    if found.complete:
        _mark_reconciled(account, found)
    if is_unanswered(account):
        second, again = read_orders(account)
        if found.complete and second.complete and keys_of(listing.rows) == keys_of(again.rows):
            resolve(account, again.rows)
        return second
    return found


def _mark_reconciled(account: Account, found: Enumeration) -> None:
    epoch, day = found.epoch_id, found.trade_date
    if not _RECONCILED(epoch=epoch, account=account.pk, day=day):
        row = ReconciledEpoch(epoch_id=epoch, account=account, trade_date=day, at=found.ended_at)
        ReconciledEpoch.objects.bulk_create([row], ignore_conflicts=True)


_RECONCILED = Prepared(
    lambda value: ReconciledEpoch.objects.filter(
        epoch=value.epoch, account=value.account, trade_date=value.day
    ).values_list("pk", flat=True)[:1],
    epoch=int,
    account=int,
    day=date,
)


def enumerate_orders(account: Account) -> Enumeration:
    """One pass over today's orders, recorded and booked."""
    return read_orders(account)[0]


def read_orders(account: Account) -> tuple[Enumeration, OrderList]:
    """One pass over the orders that are not over, recorded and booked: its record and its rows."""
    clock = market_clock(account)
    started = clock.now()
    day = started.date()
    first = _first_open_day(account, started)
    broker = broker_for(account)
    listing = whole_or_not(account, broker.orders(first, day), day)
    skew = broker.clock_skew()
    ended = clock.now()
    text = "\n".join(sorted(map(repr, listing.rows)))
    with transaction.atomic():
        record = Enumeration.objects.create(
            account=account,
            trade_date=day,
            scope="ALL" if account.wire == "real" else "KRX",
            pages=listing.pages,
            complete=listing.complete,
            problem=listing.problem,
            rows=len(listing.rows),
            rows_hash=hashlib.sha256(text.encode()).hexdigest(),
            started_at=started,
            ended_at=ended,
            epoch=epochs.current_epoch(),
        )
        unclaimed = book_rows(account, listing.rows, ended, session_over=session_over(ended))
        if unclaimed:
            record.unclaimed = [row_as_json(row) for row in unclaimed]
            record.save(update_fields=["unclaimed"])
        check_refusals(account, listing.rows, first, started, ended, complete=listing.complete)
    if listing.complete:
        stop_when_the_clock_is_off(account, skew)
        _close_yesterday(account, ended)
    else:
        log.warning("order_list_incomplete", problem=listing.problem)
        tell_untrue_list(account, listing)
    return record, listing


def _first_open_day(account: Account, now: datetime) -> date:
    """The list must reach back to the oldest order that is not over: yesterday's last fills, an answer
    that never came, a refusal that nobody checked and an order declared absent are only found on their
    own day."""
    today = now.date()
    first = _OLDEST_OPEN.first(account=account.pk)
    if first is None:
        first = _oldest_unfilled(account, since=_settled_before(account, today))
    days = [today, *([first] if first else [])]
    oldest = _OLDEST_WAITING.first(account=account.pk, now=now, kept=now - KEPT_OPEN)
    if oldest is not None:
        days.append(oldest.astimezone(SEOUL).date())
    return min(days)


_OLDEST_OPEN = Prepared(
    lambda value: (
        BrokerOrder.objects.filter(account=value.account, is_final=False)
        .order_by("trade_date")
        .values_list("trade_date", flat=True)[:1]
    ),
    account=int,
)
_OLDEST_WAITING = Prepared(
    lambda value: (
        Attempt.objects.filter(
            Q(state__in=["SENDING", "UNKNOWN"])
            | is_unchecked(value.kept)
            | Q(state=AttemptState.ABSENT, lane__late_watch_until__gt=value.now),
            intent__account=value.account,
        )
        .order_by("committed_at")
        .values_list("committed_at", flat=True)[:1]
    ),
    account=int,
    now=datetime,
    kept=datetime,
)


def _settled_before(account: Account, today: date) -> date:
    """A late fill stays bookable until its day was read once more on a later day: usually the session before
    today, after a longer absence the day of the last complete reading."""
    last: date | None = _LAST_WHOLE.first(account=account.pk)
    before = _session_before(today)
    return before if last is None else min(before, last)


_LAST_WHOLE = Prepared(
    lambda value: (
        Enumeration.objects.filter(account=value.account, complete=True)
        .order_by("-pk")
        .values_list("trade_date", flat=True)[:1]
    ),
    account=int,
)


def _oldest_unfilled(account: Account, since: date) -> date | None:
    """The day of the oldest order of ours that never filled whole."""
    found: date | None = _OLDEST_UNFILLED.first(account=account.pk, since=since)
    return found


_OLDEST_UNFILLED = Prepared(
    lambda value: (
        BrokerOrder.objects.filter(
            account=value.account, trade_date__gte=value.since, filled_quantity__lt=F("quantity")
        )
        .exclude(owner=None)
        .order_by("trade_date")
        .values_list("trade_date", flat=True)[:1]
    ),
    account=int,
    since=date,
)


def _session_before(day: date) -> date:
    try:
        return known_calendar().previous_session(day)
    except ValueError:
        return day


# --- ends of days ----------------------------------------------------------------------------
def _close_yesterday(account: Account, now: datetime) -> None:
    """Orders of an earlier day are final; what was not filled has expired."""
    if not (keys := _LEFT_OPEN(account=account.pk, day=now.date())):
        return
    orders = BrokerOrder.objects.filter(pk__in=keys)
    for order in orders.select_related("owner__sleeve", "instrument", "account"):
        with transaction.atomic():
            follow_final(order, now)


_LEFT_OPEN = Prepared(
    lambda value: BrokerOrder.objects.filter(
        account=value.account, trade_date__lt=value.day, is_final=False
    ).values_list("pk", flat=True),
    account=int,
    day=date,
)
