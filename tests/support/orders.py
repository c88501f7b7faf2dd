"""Orders written straight into the record, for tests that ask what the record says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.support.past import made_late
from tests.support.world import World
from trading.models import Attempt, BrokerOrder, Intent, Lane, Reservation

__all__ = ["ASKED", "OTHER", "Orders", "listed", "promise"]

ASKED, OTHER = "130730", "148070"


@dataclass
class Orders:
    """Orders written straight into the record of an account that has sent one before."""

    world: World
    pattern: Attempt
    made: int = 0

    def intent(self, **change: Any) -> Intent:
        self.made += 1
        facts = {
            "key": f"test:{self.made}",
            "origin": "manual",
            "origin_id": None,
            "account": self.world.account,
            "sleeve": self.pattern.intent.sleeve,
            "instrument_id": ASKED,
            "side": "BUY",
            "quantity": 10,
            "order_type": "LIMIT",
            "limit_price": 30_000,
            "reference_price": 30_000,
            "deadline_at": self.world.now + timedelta(minutes=5),
            "state": "AUTHORIZED",
            "state_since": self.world.now,
            "created_at": self.world.now,
        }
        with made_late("trading_intent"):
            return Intent.objects.create(**facts | change)

    def attempt(self, state: str, *, age: int = 30, **change: Any) -> Attempt:
        """An attempt in `state` at a new intent that `change` describes."""
        intent = self.intent(**{"state": _INTENT_OF[state]} | change)
        at = self.world.now - timedelta(seconds=age)
        with made_late("trading_attempt"):
            return Attempt.objects.create(
                intent=intent,
                lane=self.lane(intent),
                number=1,
                action="order",
                nonce=f"{self.made:032d}",
                state=state,
                body="{}",
                body_hash="0" * 64,
                baseline=[],
                baseline_hash="0" * 64,
                baseline_enumeration=self.pattern.baseline_enumeration,
                committed_at=at,
                deadline_at=at + timedelta(seconds=20),
                wall_deadline_at=at + timedelta(seconds=20),
                epoch=self.pattern.epoch,
            )

    def lane(self, intent: Intent) -> Lane:
        terms = {"account": intent.account, "side": intent.side}
        return Lane.objects.get_or_create(instrument_id=intent.instrument_id, **terms)[0]


_INTENT_OF = {
    "SENDING": "SENDING",
    "UNKNOWN": "UNKNOWN",
    "ACKED": "ACKED",
    "REJECTED": "REJECTED",
    "NOT_SENT": "AUTHORIZED",
    "ABSENT": "ABANDONED",
}


def promise(intent: Intent, orders: Orders, **change: Any) -> Reservation:
    facts = {"won": 0, "shares": 0, "opened_at": orders.world.now} | change
    return Reservation.objects.create(intent=intent, **facts)


def listed(intent: Intent, orders: Orders, **change: Any) -> BrokerOrder:
    facts = {
        "account": intent.account,
        "trade_date": orders.world.now.date(),
        "order_no": f"{9_000 + intent.pk:010d}",
        "owner": intent,
        "source": "ACK",
        "instrument_id": intent.instrument_id,
        "side": intent.side,
        "quantity": intent.quantity,
        "remaining_quantity": intent.quantity,
        "first_seen_at": orders.world.now,
        "last_seen_at": orders.world.now,
    }
    return BrokerOrder.objects.create(**facts | change)
