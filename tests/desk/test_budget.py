"""The first screen stays light: thirty names, a thousand runs, few queries, 150 ms of work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rebalancing.models import RebalancingHistory, Run
from tests.desk.conftest import DeskWorld, bind
from tests.support.past import made_late

CARDS = ("standing", "attention", "alive")
QUERIES, SECONDS = 30, 0.15
"""What the overview may cost: all its cards together, as they refresh."""


def _crowded(desk: DeskWorld, tickers: list[str]) -> None:
    bind(desk, tickers)
    seed = desk.run("COMPLETED")
    values = {
        f.attname: getattr(seed, f.attname) for f in Run._meta.concrete_fields if f.name != "id"
    }
    with made_late("rebalancing_run"):
        Run.objects.bulk_create(Run(**values | {"slot": f"old:{n}"}) for n in range(1000))
    record = desk.history(seed)
    fields = [f for f in RebalancingHistory._meta.concrete_fields if f.name not in ("id", "run")]
    copied = {f.attname: getattr(record, f.attname) for f in fields}
    RebalancingHistory.objects.bulk_create(
        RebalancingHistory(run_id=pk, **copied)
        for pk in Run.objects.exclude(pk=seed.pk).values_list("pk", flat=True)
    )
    for _ in range(5):
        desk.snapshot()


@pytest.fixture(params=["2026-11-25T11:00+09:00", "2026-11-28T11:00+09:00"], ids=["open", "closed"])
def _session(request: Any) -> Iterator[None]:
    """The same budget in a session and on a Saturday: there is more to know while the market trades."""
    with time_machine.travel(datetime.fromisoformat(request.param), tick=True):
        yield


@pytest.mark.usefixtures("_session")
def test_the_cards_of_the_overview(desk: DeskWorld, instruments: Any) -> None:
    _crowded(desk, instruments(30))
    client = desk.client("trader")
    urls = [f"/rebalancing/cards/{name}/" for name in CARDS]
    for url in urls:
        client.get(url)
    with CaptureQueriesContext(connection) as queries:
        for url in urls:
            assert client.get(url).status_code == 200
    assert len(queries) <= QUERIES, [q["sql"][:80] for q in queries]
    best = min(_seconds(client, urls) for _ in range(3))
    assert best <= SECONDS, best


@pytest.mark.usefixtures("_session")
def test_the_whole_overview_and_the_history(desk: DeskWorld, instruments: Any) -> None:
    _crowded(desk, instruments(30))
    client = desk.client("trader")
    for url, most in (("/", QUERIES), ("/rebalancing/", 20), ("/portfolio/", 20)):
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        assert len(queries) <= most, (url, [q["sql"][:80] for q in queries])


def _seconds(client: Any, urls: list[str]) -> float:
    started = time.process_time()
    for url in urls:
        client.get(url)
    return time.process_time() - started
