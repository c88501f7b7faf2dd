"""Whether a list of the broker's orders may be believed to be whole.

What a list has shown once today is on every later list of today. One that lacks it is not whole, whatever the
broker says of its pages: nothing follows from what else it lacks, and what it shows for the first time may be
another account's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from trading.domain.ports import OrderList
from trading.models import Account, Alert, BrokerOrder, Enumeration
from trading.models.prepared import Prepared
from trading.services.alerts import alert

__all__ = ["tell_untrue_list", "whole_or_not"]

REMEMBERED = 50
"""So many readings back a row that nobody owned yet is remembered."""


def whole_or_not(account: Account, listing: OrderList, day: date) -> OrderList:
    """`listing`, incomplete and without anything new when an order of `day` is missing that was listed
    before."""
    if not listing.complete:
        return listing
    shown = {row.order_no for row in listing.rows if row.trade_date == day}
    seen = set(_SEEN(account=account.pk, day=day))
    if (seen | _unclaimed(account, day)) <= shown:
        return listing
    known = BrokerOrder.objects.filter(account=account, trade_date=day)
    ours = set(known.values_list("order_no", flat=True))
    rows = tuple(row for row in listing.rows if row.trade_date != day or row.order_no in ours)
    return replace(listing, rows=rows, complete=False, problem="an order seen before is missing")


def _unclaimed(account: Account, day: date) -> set[str]:
    """Orders of `day` that earlier readings showed on lanes that waited for an answer."""
    lists = _UNCLAIMED(account=account.pk, day=day)
    rows = [row for unclaimed in lists for row in unclaimed or ()]
    return {row["order_no"] for row in rows if row["trade_date"] == day.isoformat()}


_SEEN = Prepared(
    lambda value: BrokerOrder.objects.filter(
        account=value.account, trade_date=value.day, listed=True
    ).values_list("order_no", flat=True),
    account=int,
    day=date,
)
_UNCLAIMED = Prepared(
    lambda value: (
        Enumeration.objects.filter(
            account=value.account, trade_date=value.day, unclaimed__isnull=False
        )
        .order_by("-pk")
        .values_list("unclaimed", flat=True)[:REMEMBERED]
    ),
    account=int,
    day=date,
)


def tell_untrue_list(account: Account, listing: OrderList) -> None:
    """Page when the list is another account's, warn when it cannot be read as what it should be."""
    if not listing.alarm:
        return
    foreign = listing.alarm == "foreign_rows"
    alert(
        listing.alarm,
        severity=Alert.Severity.PAGE if foreign else Alert.Severity.WARNING,
        account=account,
        problem=listing.problem,
    )
