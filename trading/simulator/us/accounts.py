"""The US side of an account twice over: as it is, and as the broker's screens show it a little later."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from trading.simulator.accounts import VISIBLE_AFTER
from trading.simulator.us.ledger import UsAccepted, UsEvent, UsLedger

__all__ = ["UsAccount"]


@dataclass
class UsAccount:
    """The two ledgers and the events on their way from one to the other."""

    truth: UsLedger
    shown: UsLedger
    queue: deque[tuple[datetime, UsEvent]] = field(default_factory=deque)
    last_visible: datetime | None = None
    events: int = 0

    def take(self, event: UsEvent, at: datetime, lag_seed: int | None) -> None:
        """Truth changes now; the screens follow in the same order, at once when `lag_seed` is None."""
        self.truth.apply(event)
        self.events += 1
        delay = 0.0
        if lag_seed is not None:
            key = f"{lag_seed}:us:lag:{self.truth.account}:{self.events}"
            delay = random.Random(key).uniform(*VISIBLE_AFTER)
        visible = at + timedelta(seconds=delay)
        self.last_visible = max(visible, self.last_visible or visible)
        if isinstance(event, UsAccepted):
            event = UsAccepted(replace(event.order))
        self.queue.append((self.last_visible, event))

    def shown_at(self, now: datetime) -> UsLedger:
        """The ledger as the broker's inquiries show it at `now`."""
        while self.queue and self.queue[0][0] <= now:
            self.shown.apply(self.queue.popleft()[1])
        return self.shown
