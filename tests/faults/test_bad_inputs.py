"""Prices, cash and names that are not as planned: what shrinks, what is planned again, what ends the run."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from rebalancing.models import Leg, Run
from rebalancing.selectors.evidence import evidence
from rebalancing.services.advance import run_advance
from tests.support.truth import check_truth
from tests.support.world import ACCOUNT_NO, World, world_of
from trading.models import Alert, Attempt, Instrument, Ledger
from trading.services.brokers import broker_for
from trading.services.reconcile import reconcile_account
from trading.simulator.calls import HANDLERS
from trading.simulator.http import json_reply

pytestmark = [pytest.mark.money, pytest.mark.once, pytest.mark.django_db(transaction=True)]


def _near(price: int, percent: int) -> int:
    return price * percent // 100 // 5 * 5


def test_prices_that_moved_after_the_plan_make_a_new_one(world: World) -> None:
    run = world.drive(world.open(), approve=False)
    leg = Leg.objects.filter(run=run).earliest("number")
    world.sim.set_price(leg.instrument_id, _near(leg.reference_price, 97))
    first = run.plan_hash
    run = world.drive(run, until=lambda r: r.generation == 2 and r.state == "AWAITING_APPROVAL")
    assert run.generation == 2
    assert world.accepted() == []
    run = world.drive(run)
    assert run.plan_hash != first
    assert run.state in ("COMPLETED", "COMPLETED_WITH_SHORTFALL")


def test_partly_filled_sells_shrink_the_buys_to_the_cash_that_came(world: World) -> None:
    run = world.drive(world.open(), until="APPROVED")
    sold = Leg.objects.filter(run=run, side="SELL").earliest("number").instrument_id
    world.sim.arm("E01", match={"ticker": sold}, params={"share": 0.4})
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    assert run.end_facts["missing"]
    check_truth(world)


@pytest.mark.once
def test_buys_are_sized_on_what_the_broker_lets_be_spent_and_not_on_what_the_sales_should_bring(
    world: World,
) -> None:
    run = world.drive(world.open(), until="APPROVED")
    sold = Leg.objects.filter(run=run, side="SELL").earliest("number")
    world.sim.arm("E01", match={"ticker": sold.instrument_id}, params={"share": 0.4})
    run = world.drive(run, until="BUY_RULES")
    bought = Leg.objects.filter(run=run, side="BUY").earliest("number").instrument_id
    there = broker_for(world.account).orderable_cash(bought).amount
    assert run.cash_confirmed == there
    sold.refresh_from_db()
    assert sold.filled_quantity < sold.quantity, "less came than was planned"


def test_cash_withdrawn_mid_run_is_reported_though_every_leg_filled(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    world.sim.move_cash(ACCOUNT_NO, -1_000_000)
    run = world.drive(run)
    assert run.state == "COMPLETED"
    found = Alert.objects.get(code="cash_differs").facts
    assert found["expected"] - found["broker"] == 1_000_000
    (cash,) = (row for row in evidence(run=run) if row["view"] == "cash")
    assert cash["unexplained"] == -1_000_000


@pytest.mark.parametrize("percent", [0.01, 0])
def test_commissions_higher_than_agreed_are_told_to_the_won(world: World, percent: float) -> None:
    if percent:
        world.sim.arm("F08", params={"percent": percent})
    run = world.drive(world.open())
    assert run.state == "COMPLETED"
    found = Alert.objects.filter(code="cash_differs")
    if not percent:
        assert not found.exists()
        return
    ours = sum(Ledger.objects.values_list("fee", flat=True))
    charged = sum(row["fee"] for row in world.journal("fill"))
    assert charged > ours
    told = found.get().facts
    assert told["expected"] - told["broker"] == charged - ours


def test_what_fills_after_a_run_has_closed_its_books_is_none_of_its_money(world: World) -> None:
    run = world.drive(world.open())
    (closed,) = (row for row in evidence(run=run) if row["view"] == "cash")
    world.sim.manual_order(ACCOUNT_NO, "130730", "buy", 10, None)
    world.settle()
    reconcile_account(world.account)
    assert Ledger.objects.filter(order__instrument="130730").exists()
    (later,) = (row for row in evidence(run=run) if row["view"] == "cash")
    assert later == closed and later["unexplained"] == 0


def test_cash_that_falls_short_after_the_sells_shrinks_the_buys(
    transactional_db: None, settings: Any
) -> None:
    mp = {"STOCK": 50, "BOND": 35, "ALTERNATIVE": 15, "CASH": 0}
    with world_of(cash=3_000_000, mp=mp) as world:
        run = world.drive(world.open(), until="SELL_WAIT")
        world.sim.move_cash(ACCOUNT_NO, -2_900_000)
        run = world.drive(run)
        assert run.state == "COMPLETED_WITH_SHORTFALL"
        buys = list(Leg.objects.filter(run=run, side="BUY"))
        assert all(leg.filled_quantity <= leg.quantity for leg in buys)
        assert any(leg.filled_quantity < leg.quantity for leg in buys)
        assert any(leg.filled_quantity for leg in buys)
        assert world.truth()["cash"][ACCOUNT_NO]["d2_cash"] >= 0
        assert Alert.objects.filter(code="run_shortfall").exists()


def test_a_halted_name_ends_the_run_before_anything_is_sent(world: World) -> None:
    world.sim.halt("005930", True)
    run = world.drive(world.open())
    assert (run.state, run.end_reason) == ("VETOED", "checks_failed")
    assert "005930" in {check["ticker"] for check in run.end_facts["checks"]}
    assert world.accepted() == []


def test_a_market_that_stops_as_a_whole_takes_no_order_and_what_was_not_done_is_said(
    world: World,
) -> None:
    """A circuit breaker: nothing trades for twenty minutes."""
    run = world.drive(
        world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists()
    )
    names = Leg.objects.filter(run=run).values_list("instrument_id", flat=True)
    for name in set(names):
        world.sim.halt(name, True, 1_200)
    began, before = world.now, len(world.accepted())
    run = world.drive(run)
    during = [
        row
        for row in world.accepted()[before:]
        if datetime.fromisoformat(row["vt"]) < began + timedelta(seconds=1_200)
    ]
    assert during == []
    assert run.state in ("COMPLETED", "COMPLETED_WITH_SHORTFALL")
    short = Leg.objects.filter(run=run, filled_quantity__lt=F("quantity")).exists()
    assert short is (run.state == "COMPLETED_WITH_SHORTFALL")
    check_truth(world)


def test_an_instrument_the_broker_does_not_know_fails_the_run_by_name(world: World) -> None:
    target = world.account.target_decisions.get()
    target.pk, target.snapshot["sub"]["ALTERNATIVE"] = None, {"999999": "100.00"}
    target.save(force_insert=True)
    run = world.drive(world.open())
    assert (run.state, run.end_reason) == ("FAILED", "cannot_plan")
    assert run.end_facts["reasons"][0]["ticker"] == "999999"
    assert world.accepted() == []


def test_a_snapshot_older_than_a_minute_makes_no_plan(world: World) -> None:
    run = world.drive(world.open(), until="NETTED")
    world.sim.advance(61)
    run = world.drive(run)
    assert (run.state, run.end_reason) == ("FAILED", "snapshot_too_old")
    fresh = world.drive(world.open(), until="NETTED")
    world.sim.advance(50)
    assert world.drive(fresh, approve=False).state == "AWAITING_APPROVAL"


def test_a_price_that_cannot_be_read_is_never_a_zero(world: World) -> None:
    run = world.drive(world.open(), until="SNAPSHOT")
    world.sim.arm("B03", match={}, params={"code": "EGW00002"}, count=200)
    for _ in range(3):
        run_advance(run.pk)
    assert Run.objects.get(pk=run.pk).state == "SNAPSHOT"
    world.sim.disarm()
    assert world.drive(run).state == "COMPLETED"


@pytest.mark.once
@pytest.mark.parametrize("shown", ["0", "", "1,000", "１０００"])
def test_a_missing_price_ends_the_run_by_the_name_of_its_instrument(
    world: World, monkeypatch: pytest.MonkeyPatch, client: Client, shown: str
) -> None:
    tell = HANDLERS["inquire_price"]

    def priceless(truth: Any, ask: Any, mock: bool) -> Any:
        reply = tell(truth, ask, mock)
        if ask.get("FID_INPUT_ISCD") == "411060":
            body = json.loads(reply.body)
            body["output"]["stck_prpr"] = shown
            return json_reply(body, headers=reply.headers)
        return reply

    monkeypatch.setitem(HANDLERS, "inquire_price", priceless)
    monkeypatch.setattr(broker_for(world.account)._client, "_sleep", lambda _seconds: None)
    run = world.drive(world.open())
    assert (run.state, run.end_reason) == ("FAILED", "price_missing")
    assert run.end_facts["tickers"] == "411060"
    assert world.accepted() == []
    client.force_login(world.owner)
    page = client.get(f"/rebalancing/runs/{run.pk}/").content.decode()
    assert "411060의 가격을 읽을 수 없습니다" in page and "응답하지 않습니다" not in page
    monkeypatch.setitem(HANDLERS, "inquire_price", tell)
    assert world.drive(world.open()).state == "COMPLETED"


def test_a_name_nobody_may_trade_fails_its_check_by_name(world: World) -> None:
    Instrument.objects.filter(ticker="411060").update(tradable=False)
    run = world.drive(world.open())
    assert (run.state, run.end_reason) == ("VETOED", "checks_failed")
    assert {check["ticker"] for check in run.end_facts["checks"]} == {"411060"}
    Instrument.objects.filter(ticker="411060").update(tradable=True)
    assert world.drive(world.open()).state == "COMPLETED"
