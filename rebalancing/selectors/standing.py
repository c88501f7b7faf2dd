"""What an account is worth and how that moved, as far as the records know.

The newest snapshot says it; after a run that ended later, the booked positions and the run's last
cash say it, at the snapshot's prices, until somebody looks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rebalancing.models import RebalancingHistory
from trading.models import Account, Position, Snapshot
from trading.selectors.day import first_of_the_day, result_of_the_day
from trading.selectors.snapshots import latest_snapshot

__all__ = ["STALE_AFTER", "Standing", "standing_of"]

STALE_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Standing:
    """Won, shares and prices of one account; `at` is when the prices were read."""

    at: datetime
    cash: int
    holdings: dict[str, int]
    prices: dict[str, int]
    references: dict[str, int]
    booked_at: datetime | None = None
    day_result: int | None = None
    """Won made or lost since the previous close, trades of the day and their costs included; None on a
    day without a look since the open."""

    @property
    def invested(self) -> int:
        return sum(n * self.prices[t] for t, n in self.holdings.items())

    @property
    def equity(self) -> int:
        return self.cash + self.invested

    @property
    def day_change(self) -> int:
        """What the account made since the previous close, in won. A deposit is no gain."""
        if self.day_result is not None:
            return self.day_result
        return sum(
            n * (self.prices[t] - self.references.get(t, self.prices[t]))
            for t, n in self.holdings.items()
        )

    @property
    def day_change_percent(self) -> float | None:
        before = self.equity - self.day_change
        return 100 * self.day_change / before if before > 0 else None

    def age(self, now: datetime | None) -> timedelta | None:
        return now - self.at if now is not None else None

    def is_stale(self, now: datetime | None) -> bool:
        return now is not None and now - self.at > STALE_AFTER


def standing_of(account: Account, *, with_day: bool = True) -> Standing | None:
    """None while nobody has looked at the account yet. Without the day it costs three queries less, and
    `day_change` is only an estimate from the previous closes."""
    snapshot = latest_snapshot(account)
    if snapshot is None:
        return None
    newer = (
        RebalancingHistory.objects.filter(account=account, created_at__gt=snapshot.ended_at)
        .select_related("run")
        .only("created_at", "run__end_facts")
        .first()
    )
    first = first_of_the_day(snapshot) if with_day else None
    if newer is None:
        return _of_snapshot(snapshot, first)
    return _booked(snapshot, first, newer)


def _of_snapshot(snapshot: Snapshot, first: Snapshot | None) -> Standing:
    return Standing(
        day_result=result_of_the_day(first, snapshot, snapshot.ended_at) if first else None,
        at=snapshot.taken_at,
        cash=snapshot.cash,
        holdings={t: row["quantity"] for t, row in snapshot.holdings.items()},
        prices={t: quote["last"] for t, quote in snapshot.quotes.items()},
        references={t: quote["reference"] for t, quote in snapshot.quotes.items()},
    )


def _booked(snapshot: Snapshot, first: Snapshot | None, newer: RebalancingHistory) -> Standing:
    booked = dict(
        Position.objects.filter(account_id=snapshot.account_id, quantity__gt=0).values_list(
            "instrument_id", "quantity"
        )
    )
    if set(booked) - set(snapshot.quotes):
        # a name without a price has no value we may guess
        return _of_snapshot(snapshot, first)
    return Standing(
        day_result=result_of_the_day(first, snapshot) if first else None,
        at=snapshot.taken_at,
        cash=newer.run.end_facts.get("cash", snapshot.cash),
        holdings=booked,
        prices={t: quote["last"] for t, quote in snapshot.quotes.items()},
        references={t: quote["reference"] for t, quote in snapshot.quotes.items()},
        booked_at=newer.created_at,
    )
