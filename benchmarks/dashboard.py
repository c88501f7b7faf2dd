"""How long the first screen needs with 30 positions and 1,000 past runs behind it.

The parts are those that the page itself names in `hx-get`; each is asked for as the page asks,
without the mark that lets the server answer that nothing has changed.
"""

from __future__ import annotations

import re
import statistics
import time
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from benchmarks.place import django_place, entry_of

__all__ = ["figures", "parts_of"]

ENTRY = "config.dashboard.overview"
POSITIONS = 30
PAST_RUNS = 1_000
ROUNDS = 40
_HX_GET = re.compile(r'hx-get="([^"]+)"')


def figures() -> dict[str, dict[str, Any]]:
    """p95 of all parts one after another, of the whole page, and their statements; warm."""
    with django_place():
        from django.test import Client

        from tests.support.world import world_of

        sub = _names()
        mp = {"STOCK": 60, "BOND": 30, "CASH": 10}
        with world_of(mp=mp, sub=sub) as world:
            _past(world)
            client = Client()
            client.force_login(world.owner)
            page = _get(client, "/")
            parts = parts_of(page.content.decode())
            if not parts:
                raise AssertionError("the page names no parts in hx-get")
            for path in ("/", *parts):
                _get(client, path)
            times: dict[str, list[float]] = {path: [] for path in ("/", *parts)}
            for _ in range(ROUNDS):
                for path, seen in times.items():
                    start = time.perf_counter()
                    _get(client, path)
                    seen.append((time.perf_counter() - start) * 1000)
            queries = {path: _statements(client, path) for path in times}
    together = [sum(times[path][n] for path in parts) for n in range(ROUNDS)]
    return {
        "dashboard_parts": entry_of(
            round(_p95(together), 1),
            "ms, p95 of all parts",
            ENTRY,
            ROUNDS,
            goal=150,
            median=round(statistics.median(together), 1),
            queries=sum(queries[path] for path in parts),
            parts={
                path: {"p95_ms": round(_p95(times[path]), 1), "queries": queries[path]}
                for path in parts
            },
        ),
        "dashboard_page": entry_of(
            round(_p95(times["/"]), 1),
            "ms, p95 of the page",
            ENTRY,
            ROUNDS,
            goal=150,
            median=round(statistics.median(times["/"]), 1),
            queries=queries["/"],
            positions=POSITIONS,
            past_runs=PAST_RUNS,
        ),
    }


def parts_of(page: str) -> list[str]:
    """The addresses in `hx-get`, each once, without the `seen` mark."""
    found: dict[str, None] = {}
    for raw in _HX_GET.findall(page):
        url = urlsplit(unescape(raw))
        query = [pair for pair in parse_qsl(url.query) if pair[0] != "seen"]
        found[f"{url.path}?{urlencode(query)}" if query else url.path] = None
    return list(found)


def _get(client: Any, path: str) -> Any:
    answer = client.get(path, headers={"hx-request": "true"} if path != "/" else {})
    if answer.status_code != 200:
        raise AssertionError(f"{path} answers {answer.status_code}")
    return answer


def _statements(client: Any, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        _get(client, path)
    return len(queries)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


# --- the account behind the page ---------------------------------------------------------------
def _names() -> dict[str, dict[str, int]]:
    """Thirty instruments in two classes, with weights of a class that sum to 100."""
    from trading.models import Instrument

    tickers = [f"{300_000 + n}" for n in range(POSITIONS)]
    rows = [Instrument(ticker=t, name=f"종목 {t}", kind="etf") for t in tickers]
    Instrument.objects.bulk_create(rows)
    stocks, bonds = tickers[:20], tickers[20:]
    return {"STOCK": dict.fromkeys(stocks, 5), "BOND": dict.fromkeys(bonds, 10)}


def _past(world: Any) -> None:
    """A snapshot of thirty holdings and a thousand runs that ended, with legs and history."""
    from rebalancing.models import Leg, RebalancingHistory, Run
    from rebalancing.services.targets import current_config, current_target
    from tests.support.past import made_late
    from trading.models import Position, Snapshot

    now, account = world.now, world.account
    tickers = [f"{300_000 + n}" for n in range(POSITIONS)]
    quotes = {
        t: {"last": 10_000, "reference": 9_900, "upper": 12_000, "lower": 8_000, "tick": 5}
        | {"halted": False, "vi": False, "warning": "", "at": now.isoformat()}
        for t in tickers
    }
    holdings = {t: {"quantity": 100, "sellable": 100, "name": t} for t in tickers}
    Position.objects.bulk_create(
        Position(account=account, instrument_id=t, quantity=100, cost=900_000, updated_at=now)
        for t in tickers
    )
    target, config = current_target(account), current_config()
    assert target is not None
    for number in range(PAST_RUNS):
        at = now - timedelta(days=PAST_RUNS - number)
        snapshot = Snapshot.objects.create(
            account=account,
            taken_at=at,
            ended_at=at,
            equity=35_000_000 + number * 1_000,
            cash=5_000_000,
            holdings=holdings,
            quotes=quotes,
            raw="{}",
            raw_hash="0" * 64,
        )
        with made_late("rebalancing_run"):
            run = Run.objects.create(
                account=account,
                slot=f"bench:{number}",
                state="COMPLETED",
                state_since=at,
                requester="owner",
                requester_kind="person",
                approval_policy="owner_practice",
                config=config,
                target=target,
                snapshot=snapshot,
                created_at=at,
                deadline_at=at,
                terminal_at=at,
                end_facts={"cash": 5_000_000, "equity": 35_000_000, "missing": []},
            )
        Leg.objects.bulk_create(
            Leg(
                run=run,
                generation=1,
                number=n,
                instrument_id=tickers[n],
                side="BUY",
                quantity=10,
                filled_quantity=10,
                filled_amount=100_000,
                reference_price=10_000,
                order_type="LIMIT",
                slices=[10],
                done=True,
            )
            for n in range(4)
        )
        RebalancingHistory.objects.create(
            run=run,
            account=account,
            state="COMPLETED",
            equity_before=35_000_000,
            equity_after=35_000_000,
            target=target.snapshot,
            drift_before={},
            fills=[],
            created_at=at,
        )
    Snapshot.objects.create(
        account=account,
        taken_at=now,
        ended_at=now,
        equity=35_000_000,
        cash=5_000_000,
        holdings=holdings,
        quotes=quotes,
        raw="{}",
        raw_hash="0" * 64,
    )
