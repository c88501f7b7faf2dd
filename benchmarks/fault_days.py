"""How many days of a rebalancing with faults one core plays in a second, by CPU time: what a night of storms
is worth. The seeds are the first of those with people and processes in them."""

from __future__ import annotations

import logging
import statistics
import time
from typing import Any

from benchmarks.place import entry_of

__all__ = ["figures"]

ENTRY = "rebalancing.services.advance.run_advance"
SEEDS = range(30, 36)


def figures() -> dict[str, dict[str, Any]]:
    from tests.storm.database import storm_place

    with storm_place(postgres=False) as empty:
        from tests.storm.seeds import DAYS, plan_of
        from tests.storm.story import play

        logging.disable(logging.ERROR)
        rates, orders = [], 0
        for seed in SEEDS:
            empty()
            start = time.process_time()
            told = play(plan_of(seed))
            rates.append(DAYS / (time.process_time() - start))
            orders += len(told.case.posts)
    return {
        "fault_days": entry_of(
            round(statistics.median(rates), 2),
            "run-days per second of one core, SQLite",
            ENTRY,
            len(rates),
            goal=2,
            spread=[round(min(rates), 2), round(max(rates), 2)],
            orders=orders,
        )
    }
