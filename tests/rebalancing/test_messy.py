"""Runs in the world as it is: late lists, orders filled in parts, rivals, real prices."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from rebalancing.models import Run
from tests.conftest import SHARED
from tests.support.truth import check_truth
from tests.support.world import NAMES, World, world_of
from trading.models import Instrument, Intent
from trading.simulator.prices import FileSource

pytestmark = pytest.mark.django_db(transaction=True)
# one seed and one face run on PostgreSQL again: the mess is the market's, not the database's
ENDS = {"COMPLETED", "COMPLETED_WITH_SHORTFALL"}


@pytest.mark.parametrize("seed", [pytest.param(1, marks=pytest.mark.money), 2, 3, 4])
def test_a_run_in_a_messy_market_ends_true(
    transactional_db: None, settings: Any, seed: int
) -> None:
    with world_of(seed=seed, tame=False) as world:
        run = world.drive(world.open())
        assert run.state in ENDS
        assert len(world.journal("fill")) > 0
        check_truth(world)


def test_over_the_seeds_something_was_filled_in_parts_and_chased(
    transactional_db: None, settings: Any
) -> None:
    with world_of(seed=5, tame=False) as world:
        world.drive(world.open())
        fills = len(world.journal("fill"))
        assert fills > len(world.accepted()) or Intent.objects.filter(action="cancel").exists()


@pytest.mark.money
def test_the_mock_face_of_the_broker_works_the_same(transactional_db: None, settings: Any) -> None:
    with world_of(wire="mock", tame=False) as world:
        run = world.drive(world.open())
        assert run.state in ENDS
        assert {row["tr_id"][0] for row in world.journal("http_req") if "order" in row["path"]} == {
            "V"
        }
        check_truth(world)


ETFS = SHARED / "data" / "kr_etf" / "etf_daily_raw_nav_2020_2025-06.parquet"


@pytest.mark.skipif(not ETFS.exists(), reason="the real ETF price file is not here")
def test_a_run_on_real_etf_prices_ends_within_tolerance_and_accounts_for_every_won(
    transactional_db: None, settings: Any
) -> None:
    sub = {
        "STOCK": {"069500": 60, "360750": 40},
        "BOND": {"114260": 50, "148070": 50},
        "ALTERNATIVE": {"411060": 100},
    }
    holdings = {"069500": 1200, "360750": 900, "114260": 150, "148070": 60, "411060": 500}
    start = datetime.fromisoformat("2025-06-27T09:35:00+09:00")
    world = world_of(
        seed=9,
        tame=False,
        start=start,
        sub=sub,
        holdings=holdings,
        cash=5_000_000,
        source=partial(_real, str(ETFS)),
    )
    with world as made:
        Instrument.objects.filter(ticker__in=set(NAMES) - {"005930"}).update(kind="etf")
        run = made.drive(made.open())
        assert run.state == "COMPLETED"
        after = run.history.drift_after
        assert after["triggers"] == []
        assert max(abs(float(points)) for points in after["mp"].values()) < 1.0
        check_truth(made, opening_cash=5_000_000)
        out = StringIO()
        call_command("export_evidence", stdout=out)
        rows = [json.loads(line) for line in out.getvalue().splitlines()]
        won_of_the_world(made, run, rows)


def won_of_the_world(world: World, run: Run, rows: list[dict[str, Any]]) -> None:
    """The evidence alone tells where every won went, and the broker's own ledger agrees."""
    side = {row["odno_key"]: row["side"] for row in rows if row["view"] == "border"}
    steps = [row for row in rows if row["view"] == "ledger"]
    sold, bought = (
        sum(row["d_amt"] for row in steps if side[row["odno_key"]] == name)
        for name in ("SELL", "BUY")
    )
    (cash,) = (row for row in rows if row["view"] == "cash")
    assert cash["run_id"] == run.pk and cash["opening"] == 5_000_000
    assert (cash["sold"], cash["bought"]) == (sold, bought) and sold > 0 and bought > 0
    assert cash["fee"] == sum(row["fee"] for row in steps) > 0
    assert cash["tax"] == sum(row["tax"] for row in steps)
    assert cash["expected"] == 5_000_000 + sold - bought - cash["fee"] - cash["tax"]
    assert cash["closing"] == cash["expected"] and cash["unexplained"] == 0
    assert cash["closing"] == world.truth()["cash"]["99887766-01"]["d2_cash"]


def _real(path: str, seed: int, tame: bool) -> FileSource:
    return FileSource.read(path, seed, tame)


def test_an_order_too_large_for_its_market_is_sent_in_slices(
    transactional_db: None, settings: Any
) -> None:
    """KOSEF 단기자금 trades some 30,000 shares a day: more than a twentieth of that is sliced."""
    sub = {
        "STOCK": {"069500": 100},
        "BOND": {"130730": 100},
        "ALTERNATIVE": {"411060": 100},
    }
    mp = {"STOCK": 30, "BOND": 50, "ALTERNATIVE": 10, "CASH": 10}
    holdings = {"069500": 9000, "130730": 100, "411060": 1800}
    start = datetime.fromisoformat("2026-11-20T10:30:00+09:00")
    with world_of(cash=400_000_000, mp=mp, sub=sub, holdings=holdings, start=start) as world:
        run = world.drive(world.open())
        leg = run.legs.get(instrument_id="130730")
        assert 2 <= len(leg.slices) <= 5 and sum(leg.slices) == leg.quantity
        orders = Intent.objects.filter(leg_id=leg.pk, action="order", filled_quantity__gt=0)
        assert orders.values("slice_no").distinct().count() >= 2
        small = run.legs.exclude(instrument_id="130730").first()
        assert small is not None and len(small.slices) == 1
        check_truth(world, opening_cash=400_000_000)
