"""How long the gate of one order needs, inside the transaction of its send record: inputs, rules, stored check.

Behind it lie a year's orders, two hundred a day. What the broker is asked before (price, cash or shares) is not
in it; nor is the record of the attempt.
"""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from typing import Any

from benchmarks.place import django_place, entry_of

__all__ = ["figures"]

ENTRY = "trading.services.gate_inputs.gate_inputs"
ROUNDS = 300
DAYS, A_DAY = 250, 200
"""Sessions behind the order, and orders in each: as many as the product's own limits let through."""
BATCH = 5_000


def figures() -> dict[str, dict[str, Any]]:
    with django_place():
        from django.db import transaction

        from tests.support.world import world_of
        from trading.domain.limits import evaluate_gate
        from trading.models import Account, Intent, Lane
        from trading.services.gate_inputs import fresh_inputs, gate_inputs
        from trading.services.gateway import _store_check

        with world_of() as world:
            run = world.drive(world.open(), until=lambda _run: Intent.objects.exists())
            intent = Intent.objects.select_related("account", "instrument", "approval").get()
            world.drive(run)
            lane, _made = Lane.objects.get_or_create(
                account=intent.account, instrument=intent.instrument, side=intent.side
            )
            _a_year(intent, lane, world.now)
            fresh, now = fresh_inputs(intent), world.now
            times = []
            for _round in range(ROUNDS + 20):
                with transaction.atomic():
                    Account.objects.select_for_update().get(pk=intent.account_id)
                    start = time.perf_counter()
                    inputs = gate_inputs(intent, lane, fresh, now, None)
                    results = evaluate_gate(inputs)
                    _store_check(intent, inputs, results, now)
                    times.append((time.perf_counter() - start) * 1000)
                    transaction.set_rollback(True)
    warm = times[20:]
    return {
        "gate": entry_of(
            round(statistics.quantiles(warm, n=20)[18], 2),
            "ms, p95 of one order",
            ENTRY,
            ROUNDS,
            goal=5,
            median=round(statistics.median(warm), 2),
            rules=len(results),
            past_orders=DAYS * A_DAY,
        )
    }


def _a_year(pattern: Any, lane: Any, now: Any) -> None:
    """Orders like `pattern` on every day before today: all sent, filled and done with."""
    from tests.support.past import made_late
    from trading.models import Attempt, BrokerOrder, Intent, Ledger, Reservation

    sent, owned = pattern.attempts.get(), pattern.broker_order
    numbers = range(DAYS * A_DAY)
    at = [now - timedelta(days=1 + n // A_DAY, seconds=n % A_DAY) for n in numbers]
    with made_late("trading_intent"):
        _copies(Intent, pattern, [{"key": f"past-{n}", "state": "FILLED",
                                   "filled_quantity": pattern.quantity, "state_since": at[n],
                                   "created_at": at[n]} for n in numbers])  # fmt: skip
    owners = list(
        Intent.objects.filter(key__startswith="past-").order_by("pk").values_list("pk", flat=True)
    )
    with made_late("trading_attempt"):
        _copies(Attempt, sent, [{"intent_id": owner, "nonce": f"{n:032d}", "state": "ACKED",
                                 "broker_order": None, "committed_at": at[n]}
                                for n, owner in enumerate(owners)])  # fmt: skip
    _copies(Reservation, pattern.reservation, [{"intent_id": owner, "closed_at": at[n]}
                                               for n, owner in enumerate(owners)])  # fmt: skip
    _copies(BrokerOrder, owned, [{"owner_id": owner, "order_no": f"{n:010d}", "is_final": True,
                                  "trade_date": at[n].date()} for n, owner in enumerate(owners)])  # fmt: skip
    orders = BrokerOrder.objects.filter(owner__in=Intent.objects.filter(key__startswith="past-"))
    Ledger.objects.bulk_create(
        [
            Ledger(order_id=order, cum_before=0, cum_after=1, quantity=1, amount=1, fee=0, tax=0,
                   posted_at=at[n])
            for n, order in enumerate(orders.order_by("pk").values_list("pk", flat=True))
        ],
        batch_size=BATCH,
    )  # fmt: skip


def _copies(model: Any, pattern: Any, changes: list[dict[str, Any]]) -> None:
    """A row for each of `changes`: `pattern` with these values."""
    values = {f.attname: getattr(pattern, f.attname) for f in model._meta.concrete_fields}
    del values["id"]
    given = [{model._meta.get_field(k).attname: v for k, v in change.items()} for change in changes]
    model.objects.bulk_create([model(**(values | one)) for one in given], batch_size=BATCH)
