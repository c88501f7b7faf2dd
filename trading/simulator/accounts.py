"""An account twice over: as it is, and as the broker's screens show it a little later."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from trading.simulator.ledger import Accepted, AccountLedger, Event

__all__ = ["OPENING_CASH", "Account", "AccountPlan"]

OPENING_CASH = 100_000_000
VISIBLE_AFTER = (1.0, 5.0)


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """What an account starts with; a holding without `cost` is valued at the day's reference.

    `usd` and the costs of `overseas` are cents.
    """

    cash: int = OPENING_CASH
    holdings: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    usd: int = 0
    overseas: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)


@dataclass
class Account:
    """The two ledgers of one account and the events on their way from one to the other."""

    truth: AccountLedger
    shown: AccountLedger
    queue: deque[tuple[datetime, Event]] = field(default_factory=deque)
    last_visible: datetime | None = None
    events: int = 0
    blocked: list[tuple[datetime, int]] = field(default_factory=list)

    def blocked_at(self, now: datetime) -> int:
        """Sale proceeds that may not be used yet."""
        return sum(amount for until, amount in self.blocked if until > now)

    def shown_since(self, odno: str, now: datetime) -> datetime:
        """When an accepted order of today comes onto the screens, `now` if it is there."""
        coming = (
            visible
            for visible, event in self.queue
            if isinstance(event, Accepted) and event.order.odno == odno
        )
        return max(now, next(coming, now))

    def take(self, event: Event, at: datetime, lag_seed: int | None) -> None:
        """Truth changes now; the screens follow in the same order, at once when `lag_seed` is None."""
        self.truth.apply(event)
        self.events += 1
        delay = 0.0
        if lag_seed is not None:
            key = f"{lag_seed}:lag:{self.truth.account}:{self.events}"
            delay = random.Random(key).uniform(*VISIBLE_AFTER)
        visible = at + timedelta(seconds=delay)
        self.last_visible = max(visible, self.last_visible or visible)
        if isinstance(event, Accepted):
            event = Accepted(replace(event.order))
        self.queue.append((self.last_visible, event))

    def shown_at(self, now: datetime) -> AccountLedger:
        """The account as the broker's inquiries show it at `now`."""
        while self.queue and self.queue[0][0] <= now:
            self.shown.apply(self.queue.popleft()[1])
        return self.shown
