"""How long the gate of one order needs, inside the transaction of its send record: inputs, rules, stored check.

What the broker is asked before (price, cash or shares) is not in it; nor is the record of the attempt.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from benchmarks.place import django_place, entry_of

__all__ = ["figures"]

ENTRY = "trading.services.gate_inputs.gate_inputs"
ROUNDS = 300


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
        )
    }
