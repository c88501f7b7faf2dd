"""How long the admin's longest lists need with a hundred thousand rows in each, as an admin opens them.

Each list is asked for whole, filtered, searched and on its last page where it offers that; the slowest of these
p95 is the figure.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from benchmarks.place import django_place, entry_of

__all__ = ["figures"]

ROWS = 100_000
ROUNDS = 60
BATCH = 5_000
LISTS = {
    "/admin/trading/transition/": ("", "?q=FILLED", "?object_type=run", "?p=200"),
    "/admin/trading/auditentry/": ("", "?q=intent:5", "?action=order_send", "?span=31", "?p=200"),
    "/admin/trading/alert/": ("", "?severity=warning", "?p=200"),
    "/admin/trading/intent/": ("", "?state=FILLED", "?q=bench-77", "?p=200"),
    "/admin/trading/brokerorder/": ("", "?span=7", "?is_final__exact=1", "?q=0000000077", "?p=200"),
    "/admin/trading/ledger/": ("", "?span=7", "?q=0000000077", "?p=200"),
    "/admin/rebalancing/run/": ("", "?span=7", "?state=COMPLETED", "?q=owner", "?p=200"),
}


def figures() -> dict[str, dict[str, Any]]:
    with django_place():
        from django.test import Client

        from tests.support.world import world_of

        with world_of() as world:
            _rows(world)
            world.owner.is_staff = True
            world.owner.save()
            _roles(world.owner)
            client = Client()
            client.force_login(world.owner)
            paths = [base + query for base, queries in LISTS.items() for query in queries]
            seen = {path: _times(client, path) for path in paths}
            queries = {path: _statements(client, path) for path in paths}
    slowest = max(seen, key=lambda path: _p95(seen[path]))
    return {
        "admin_lists": entry_of(
            round(_p95(seen[slowest]), 1),
            "ms, p95 of the slowest list",
            "django.contrib.admin",
            ROUNDS,
            goal=200,
            rows=ROWS,
            slowest=slowest,
            most_queries=max(queries.values()),
            lists={
                path: {"p95_ms": round(_p95(times), 1), "queries": queries[path]}
                for path, times in seen.items()
            },
        )
    }


def _times(client: Any, path: str) -> list[float]:
    _get(client, path)
    found = []
    for _round in range(ROUNDS):
        start = time.perf_counter()
        _get(client, path)
        found.append((time.perf_counter() - start) * 1000)
    return found


def _get(client: Any, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        raise AssertionError(f"{path} answers {answer.status_code}")


def _statements(client: Any, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as found:
        _get(client, path)
    return len(found)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


# --- the rows behind the lists ------------------------------------------------------------------
def _roles(owner: Any) -> None:
    from trading.services.roles import ensure_roles

    owner.groups.add(*ensure_roles().values())


def _rows(world: Any) -> None:
    from rebalancing.models import Run
    from tests.support.past import made_late
    from trading.models import Alert, AuditEntry, BrokerOrder, Intent, Ledger, Transition

    now, account = world.now, world.account
    sleeve = account.sleeves.first()
    states = ("FILLED", "CANCELED", "EXPIRED", "REJECTED", "VETOED")
    tickers = ["069500", "114260"]

    def at(n: int) -> Any:
        return now - timedelta(seconds=30 * n)

    _store(
        Transition,
        (
            Transition(
                object_type=("intent", "attempt", "run")[n % 3],
                object_id=n,
                from_state="SENDING",
                to_state=states[n % 5],
                at=at(n),
                by="worker",
            )
            for n in range(ROWS)
        ),
    )
    _store(
        AuditEntry,
        (
            AuditEntry(
                seq=1_000_000 + n,
                at=at(n).isoformat(),
                actor=("owner", "worker")[n % 2],
                action=("order_send", "approve", "config_changed")[n % 3],
                object=f"intent:{n}",
                payload="{}",
                payload_hash="0" * 64,
                hash=f"{n:064d}",
                key_id="bench",
            )
            for n in range(ROWS)
        ),
    )
    _store(
        Alert,
        (
            Alert(
                severity=("info", "warning", "page")[n % 3],
                code=f"code_{n % 30}",
                subject="bench",
                account=account,
                created_at=at(n),
            )
            for n in range(ROWS)
        ),
    )
    with made_late("trading_intent"):
        _store(
            Intent,
            (
                Intent(
                    key=f"bench-{n}",
                    origin="manual",
                    account=account,
                    sleeve=sleeve,
                    instrument_id=tickers[n % len(tickers)],
                    side=("SELL", "BUY")[n % 2],
                    quantity=10,
                    order_type="LIMIT",
                    limit_price=10_000,
                    reference_price=10_000,
                    deadline_at=at(n),
                    state=states[n % 5],
                    state_since=at(n),
                    created_at=at(n),
                )
                for n in range(ROWS)
            ),
        )
    owners = (
        Intent.objects.filter(key__startswith="bench-").order_by("pk").values_list("pk", flat=True)
    )
    _store(
        BrokerOrder,
        (
            BrokerOrder(
                account=account,
                trade_date=at(n).date(),
                org_no="06010",
                order_no=f"{n:010d}",
                owner_id=owner,
                source="ACK",
                instrument_id=tickers[n % len(tickers)],
                side=("SELL", "BUY")[n % 2],
                quantity=10,
                price=10_000,
                filled_quantity=10,
                filled_amount=100_000,
                remaining_quantity=0,
                is_final=True,
                first_seen_at=at(n),
                last_seen_at=at(n),
            )
            for n, owner in enumerate(owners.iterator())
        ),
    )
    orders = BrokerOrder.objects.order_by("pk").values_list("pk", flat=True)
    _store(
        Ledger,
        (
            Ledger(
                order_id=order,
                cum_before=0,
                cum_after=10,
                quantity=10,
                amount=100_000,
                fee=15,
                tax=0,
                posted_at=at(n),
            )
            for n, order in enumerate(orders.iterator())
        ),
    )
    with made_late("rebalancing_run"):
        _store(Run, (
            Run(account=account, slot=f"bench:{n}", state="COMPLETED", state_since=at(n),
                requester="owner", requester_kind="person", approval_policy="owner_practice",
                created_at=at(n), deadline_at=at(n), terminal_at=at(n))
            for n in range(ROWS)
        ))  # fmt: skip


def _store(model: Any, rows: Iterator[Any]) -> None:
    while batch := list(islice(rows, BATCH)):
        model.objects.bulk_create(batch)
